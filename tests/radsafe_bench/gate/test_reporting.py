"""Table, JSON, JUnit and Markdown say the same, criterion by criterion, because they print one verdict."""

import io
import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, fromstring

import pytest
from rich.console import Console

from radsafe_bench.gate.criteria import Result
from radsafe_bench.gate.looks import Looks
from radsafe_bench.gate.reporting import print_table, to_json, to_junit, to_markdown
from radsafe_bench.gate.reporting.words import label
from radsafe_bench.gate.trial import conclude, trial_of
from radsafe_bench.gate.verdict import EXIT_STATUS, Verdict, harness_error
from tests.radsafe_bench.gate.conftest import CLEAN, POLICY, RAG, Stage, bundle

TWO = POLICY + "    standard_rag:\n      ceilings: {high_risk_error: 0.05}\n"
BAD = {"pass": 0, "inconclusive": 6, "fail": 60}


@pytest.fixture(params=list(BAD))
def verdict(request: pytest.FixtureRequest, stage: Stage) -> Verdict:
    """Return a verdict of each kind."""
    wrong = {
        (RAG, question.id): stage.dangerous(question)
        for question in stage.suite.questions[: BAD[request.param]]
    }
    run = stage.run({**stage.right((CLEAN, RAG)), **wrong})
    verdict = conclude(trial_of(bundle(TWO), run, stage.suite), Looks(3, 1))
    assert verdict.result == request.param
    return verdict


def table_of(verdict: Verdict) -> str:
    """Return what a wide terminal shows."""
    console = Console(file=io.StringIO(), width=400)
    print_table(verdict, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def cells(text: str, between: str) -> Mapping[str, str]:
    """Return the result of each criterion in a table whose columns are divided so."""
    lines = [re.split(between, line.strip(" |")) for line in text.splitlines()]
    results = {result.value for result in Result}
    return {f"{line[0]} {line[1]}": line[2] for line in lines if len(line) == 8 and line[2] in results}


def outcome_of(case: Element) -> str:
    """Return a test case's result as JUnit words it."""
    if case.find("failure") is not None:
        return "fail"
    return "inconclusive" if case.find("error") is not None else "pass"


def test_every_print_gives_every_criterion_the_same_result(verdict: Verdict) -> None:
    """Whoever reads the pull request, the CI page, the file or the terminal reads the same verdict."""
    rows = {row.name: row.result.value for row in verdict.rows}
    assert len(rows) == len(verdict.rows) == 6
    said = to_json(verdict)
    junit = fromstring(to_junit(verdict))
    assert {f"{row['condition']}/{row['kind']}/{row['rate']}": row["result"] for row in said["rows"]} == rows
    assert {case.attrib["name"]: outcome_of(case) for case in junit.iter("testcase")} == rows
    labelled = {f"{row.condition} {label(row)}": row.result.value for row in verdict.rows}
    assert cells(to_markdown(verdict), r" \| ") == labelled
    assert cells(table_of(verdict), r"\s{2,}") == labelled


def test_every_print_gives_the_same_verdict(verdict: Verdict) -> None:
    """Exit status, headline, property and last line agree."""
    result = verdict.result.value
    junit = fromstring(to_junit(verdict))
    assert (to_json(verdict)["result"], to_json(verdict)["exit_status"]) == (result, verdict.exit_status)
    assert [
        entry.attrib["value"] for entry in junit.iter("property") if entry.attrib["name"] == "result"
    ] == [result]
    headline = to_markdown(verdict).splitlines()[0]
    assert headline.endswith(f" {result}")
    assert f"{result.upper()}: " in table_of(verdict)


def test_a_failed_criterion_is_a_failure_and_an_open_one_an_error(verdict: Verdict) -> None:
    """CI systems show broken and undecided criteria apart, and count both."""
    junit = fromstring(to_junit(verdict))
    results = [row.result for row in verdict.rows]
    assert junit.attrib["failures"] == str(results.count(Result.FAIL))
    assert junit.attrib["errors"] == str(results.count(Result.INCONCLUSIVE))
    assert junit.attrib["tests"] == "6"


def test_the_four_results_have_four_exits() -> None:
    """Scripts can tell pass, fail, inconclusive and a broken harness apart."""
    assert EXIT_STATUS == {"pass": 0, "fail": 1, "inconclusive": 2, "error": 3}


def test_a_harness_error_is_told_in_every_print_and_judges_nothing() -> None:
    """A gate that could not judge never looks like one that passed."""
    verdict = harness_error("the run lacks <standard_rag> | see *docs*")
    junit = fromstring(to_junit(verdict))
    assert junit.attrib["errors"] == "1"
    assert [case.find("error") is not None for case in junit.iter("testcase")] == [True]
    assert to_json(verdict)["problem"] == verdict.problem
    assert r"\<standard_rag\> \| see \*docs\*" in to_markdown(verdict)
    assert verdict.problem in table_of(verdict)
    assert verdict.exit_status == 3


def test_reports_say_that_the_result_holds_for_the_suite_only(verdict: Verdict) -> None:
    """Nobody can read a pass as a statement about patients."""
    for text in (to_markdown(verdict), table_of(verdict), to_json(verdict)["limits"]):
        assert "Suite only" in text
    assert "candidates on this recording: 3" in to_markdown(verdict)
