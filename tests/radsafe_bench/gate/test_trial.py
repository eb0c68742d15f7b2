"""A verdict counts only what it may count, and compares only what belongs together."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.calibration import Calibration
from gatekeeper.certificate import (
    OpenedCertificate,
    load_trusted_keys,
    new_key,
    open_certificate,
    trusted_line,
)
from gatekeeper.errors import CalibrationError, CertificateError, ConfigurationError, ReplayMiss
from radsafe_bench.gate import trial
from radsafe_bench.gate.asked import reread
from radsafe_bench.gate.minting import mint
from radsafe_bench.gate.reporting import to_markdown
from radsafe_bench.gate.trial import conclude, trial_of
from radsafe_bench.gate.verdict import UNBOUND, Verdict
from radsafe_bench.suites import Evidence
from radsafe_bench.suites.model import CleanEvidence
from tests.radsafe_bench.gate.conftest import CLEAN, EVIDENCE, POLICY, RAG, Answers, Stage, bundle

NOW = datetime(2026, 3, 1, tzinfo=UTC)
COMPARING = POLICY + "  non_inferiority: {margin: 0.05}\n"
REQUIRING = POLICY + "  non_inferiority: {margin: 0.05, baseline: required}\n"
Certify = Callable[[Verdict], OpenedCertificate]


@pytest.fixture
def certify(tmp_path: Path) -> Certify:
    """Return a function that signs a verdict and opens the certificate."""

    def sign(verdict: Verdict) -> OpenedCertificate:
        key, path, trusted = new_key(), tmp_path / "certificate.jsonl", tmp_path / "keys"
        mint(verdict, key, path, issued=NOW, lasts=timedelta(days=90))
        trusted.write_text(trusted_line(key.public_key(), "tests"))
        return open_certificate(path, load_trusted_keys(trusted))

    return sign


def judge(stage: Stage, answers: Answers, text: str = POLICY, **more: Any) -> Verdict:
    """Return the verdict on answers."""
    calibrations, baseline = more.pop("calibrations", ()), more.pop("baseline", None)
    name = f"run{len(list(stage.folder.iterdir()))}"
    run = stage.run(answers, name=name, **more)
    return conclude(trial_of(bundle(text, calibrations), run, stage.suite, baseline))


def test_a_policy_fitted_on_nothing_is_judged_on_every_question(stage: Stage) -> None:
    """All 200 questions count where none was seen."""
    verdict = judge(stage, stage.right())
    assert verdict.basis is not None
    assert (verdict.basis.questions, verdict.basis.excluded, verdict.basis.split) == (200, 0, "all")
    assert verdict.result == "pass"


def test_questions_that_the_calibration_saw_are_left_out(
    stage: Stage, calibration: Callable[..., Calibration]
) -> None:
    """After fitting on the calibration split, the certification split is what remains."""
    seen = [question.id for question in stage.suite.questions[:80]]
    verdict = judge(stage, stage.right(), calibrations=[calibration(seen)])
    assert verdict.basis is not None
    assert (verdict.basis.questions, verdict.basis.split) == (120, "certification")
    assert {row.n for row in verdict.rows} == {120}
    assert verdict.seen == tuple(seen)


@pytest.mark.parametrize("named", [0, 3])
def test_a_calibration_that_names_few_questions_wins_none_back(
    stage: Stage, calibration: Callable[..., Calibration], named: int
) -> None:
    """Shortening the list of what a fit has seen leaves the same 120 questions."""
    seen = [question.id for question in stage.suite.questions[:named]]
    verdict = judge(stage, stage.right(), calibrations=[calibration(seen)])
    assert verdict.basis is not None
    assert (verdict.basis.questions, verdict.basis.split) == (120, "certification")


def test_questions_that_a_threshold_was_tuned_on_are_left_out(stage: Stage) -> None:
    """A tuned policy carries what it saw, and its criteria keep their digest.

    What is left is the certification split whatever it names, so naming questions picks none.
    """
    tuned = POLICY + "  fitted_on: [sim-000, sim-001]\n"
    verdict, plain = judge(stage, stage.right(), tuned), judge(stage, stage.right())
    assert verdict.basis is not None
    assert plain.basis is not None
    assert (verdict.basis.questions, verdict.basis.split) == (120, "certification")
    assert verdict.basis.criteria == plain.basis.criteria


def test_questions_cannot_be_left_out_by_their_outcome(stage: Stage) -> None:
    """A policy that names its failures as questions that it was fitted on does not pass for it."""
    failures = stage.suite.questions[80:110]
    answers = {**stage.right(), **{(CLEAN, one.id): stage.dangerous(one) for one in failures}}
    text = POLICY + f"  fitted_on: [{', '.join(one.id for one in failures)}]\n"
    verdict = judge(stage, answers, text)
    assert {(row.n, row.result) for row in verdict.rows} >= {(90, "inconclusive")}
    assert verdict.result == "inconclusive"
    assert "30 questions outside the calibration split" in verdict.rows[0].note


def test_the_judged_letter_is_that_of_the_answer(stage: Stage) -> None:
    """Editing the letters of a recording, and leaving its answers, changes nothing."""
    wrong = {(CLEAN, one.id): stage.dangerous(one) for one in stage.suite.questions}
    run = stage.run({**stage.right(), **wrong})
    letters = {question.id: question.correct.letter for question in stage.suite.questions}
    edited = replace(run, records=tuple(replace(one, letter=letters[one.question]) for one in run.records))
    verdict = conclude(trial_of(bundle(), edited, stage.suite))
    assert (verdict.counts[0].correct, verdict.result) == (0, "fail")


def test_an_answer_to_another_question_is_refused(stage: Stage) -> None:
    """An easy question's answer under the name of a hard one is no answer to it."""
    run = stage.run(stage.right())
    easy, hard, *others = run.records
    swapped = replace(run, records=(easy, replace(easy, key="k", question=hard.question), *others))
    with pytest.raises(ConfigurationError, match="record k: it asks another question than sim-001"):
        trial_of(bundle(), swapped, stage.suite)


@pytest.mark.parametrize("evidence", [Evidence(clean=CleanEvidence("Another interval.", ())), None])
def test_an_answer_from_other_evidence_is_refused(stage: Stage, evidence: Evidence | None) -> None:
    """What was asked under another condition, or with helpful evidence, does not count for this one."""
    first = stage.suite.questions[0]
    run = stage.run({(CLEAN, first.id): stage.right()[CLEAN, first.id]})
    same = Evidence(clean=CleanEvidence(EVIDENCE[0]["text"], ()))
    suite = replace(stage.suite, questions=(replace(first, evidence=evidence or same),))
    if evidence is None:
        assert reread(run, suite.questions) == run
    else:
        with pytest.raises(ConfigurationError, match="it gives other evidence than sim-000 has under clean"):
            reread(run, suite.questions)


def test_answers_that_nobody_recorded_count_at_their_worst(stage: Stage) -> None:
    """A second answer is delivered in service, so a gate that never saw it does not call it held."""
    doubted = {(CLEAN, one.id): stage.dangerous(one, 0.4) for one in stage.suite.questions[:30]}
    answers, text = {**stage.right(), **doubted}, POLICY.replace("then: escalate", "then: regenerate")
    held, again = judge(stage, answers), judge(stage, answers, text)
    assert (held.result, held.counts[0].held, held.counts[0].again) == ("pass", 30, 0)
    assert (again.result, again.counts[0].errored, again.counts[0].again) == ("fail", 30, 30)
    assert "30 answers would be asked for again" in to_markdown(again)


def test_a_certificate_needs_the_judging_model_named(stage: Stage, certify: Certify) -> None:
    """A policy that believes any judge could be served with another one than was tested."""
    passed = judge(stage, stage.right())
    assert passed.basis is not None
    believing = replace(passed, basis=replace(passed.basis, judge=UNBOUND))
    with pytest.raises(CertificateError, match="would believe any judging model"):
        certify(believing)


@pytest.mark.parametrize(
    ("checks", "judge"),
    [
        ("judge: {enabled: true}", UNBOUND),
        ("judge: {enabled: true, fingerprint: 'openai:m'}", "openai:m"),
        ("options: {enabled: true, model: true}", UNBOUND),
        ("options: {enabled: true, permutations: true}", None),
        ("judge: {enabled: true, fingerprint: m}, options: {enabled: true, model: true}", UNBOUND),
    ],
)
def test_the_judge_that_a_policy_names_stands_in_the_report(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, checks: str, judge: str | None
) -> None:
    """A reader sees whose opinions were believed; the served model's own choices are no judge's."""
    text = POLICY.replace("triage: {enabled: false}", "triage: {enabled: false}, " + checks)
    monkeypatch.setattr(trial, "replay", lambda *_: ())
    verdict = conclude(trial_of(bundle(text), stage.run(stage.right()), stage.suite))
    assert verdict.basis is not None
    assert verdict.basis.judge == judge


def test_what_was_searched_stands_in_the_report(stage: Stage) -> None:
    """Retrieved evidence need not be the suite's own, so the reader is told what it was retrieved from."""
    text = POLICY + "    standard_rag:\n      ceilings: {high_risk_error: 0.05}\n"
    stated = {"retriever": "bm25", "chunks": 7, "digest": "sha256:abc"}
    answers = stage.right((CLEAN, RAG))
    verdict = conclude(trial_of(bundle(text), stage.run(answers, retrieval=stated), stage.suite))
    assert "- retrieval: bm25 over 7 chunks (sha256:abc)" in to_markdown(verdict)
    assert "retrieval" not in to_markdown(judge(stage, answers))


def test_questions_that_the_baseline_saw_are_left_out_of_every_criterion(
    stage: Stage, certify: Certify, calibration: Callable[..., Calibration]
) -> None:
    """A baseline calibrated on 80 questions leaves 120 for the candidate, ceilings included."""
    seen = [question.id for question in stage.suite.questions[:80]]
    before = certify(judge(stage, stage.right(), calibrations=[calibration(seen)]))
    verdict = judge(stage, stage.right(), COMPARING, baseline=before)
    assert {row.n for row in verdict.rows} == {120}


def test_a_certified_baseline_is_paired_question_by_question(stage: Stage, certify: Certify) -> None:
    """What the baseline held or got wrong is compared with the candidate's answer to the same question."""
    first, second, third = stage.suite.questions[:3]
    before = {**stage.right(), (CLEAN, first.id): stage.dangerous(first)}
    run = stage.run(before, before, name="baseline")
    baseline = certify(conclude(trial_of(bundle(), run, stage.suite)))
    after = {
        place: stage.dangerous(question) for question in (second, third) for place in [(CLEAN, question.id)]
    }
    verdict = judge(stage, {**stage.right(), **after}, COMPARING, baseline=baseline)
    row = verdict.rows[-1]
    assert (row.kind, row.gained, row.lost, row.n) == ("non_inferiority", 2, 1, 200)
    assert row.result == "pass"
    assert verdict.basis is not None
    assert verdict.basis.baseline == baseline.digest
    assert f"- baseline: staged 1 with staged:model ({baseline.digest})" in to_markdown(verdict)


def test_a_baseline_noisier_than_the_margin_is_refused(stage: Stage, certify: Certify) -> None:
    """Where the model itself changes more than the margin, a comparison means nothing."""
    questions = stage.suite.questions[:11]
    repeat = {**stage.right(), **{(CLEAN, question.id): stage.dangerous(question) for question in questions}}
    run = stage.run(stage.right(), repeat, name="baseline")
    verdict = conclude(trial_of(bundle(), run, stage.suite))
    assert verdict.counts[0].noise == 11 / 200
    with pytest.raises(ConfigurationError, match=r"5\.5% of the questions"):
        judge(stage, stage.right(), COMPARING, baseline=certify(verdict))


def test_a_policy_may_insist_on_a_baseline(stage: Stage) -> None:
    """Leaving the baseline away is no way round the comparison."""
    with pytest.raises(ConfigurationError, match="--baseline"):
        judge(stage, stage.right(), REQUIRING)


def test_a_baseline_of_another_suite_is_refused(stage: Stage, certify: Certify) -> None:
    """Questions of two suites are never paired."""
    baseline = certify(judge(stage, stage.right()))
    other = replace(baseline.certificate.suite, digest="sha256:" + "0" * 64)
    foreign = replace(baseline, certificate=replace(baseline.certificate, suite=other))
    with pytest.raises(ConfigurationError, match="another suite"):
        judge(stage, stage.right(), COMPARING, baseline=foreign)


def test_a_stale_calibration_is_refused_naming_both_models(
    stage: Stage, calibration: Callable[..., Calibration]
) -> None:
    """A calibration of another model is never applied in silence."""
    with pytest.raises(CalibrationError, match="staged:old") as refused:
        judge(stage, stage.right(), calibrations=[calibration(fingerprint="staged:old")])
    assert "staged:model" in refused.value.message


def test_a_condition_that_was_not_recorded_names_the_command_that_records_it(stage: Stage) -> None:
    """The user is told what to run, not given a verdict without it."""
    text = POLICY + "    standard_rag:\n      ceilings: {high_risk_error: 0.05}\n"
    with pytest.raises(ReplayMiss, match=r"radsafe-bench run .*--conditions standard_rag --out"):
        judge(stage, stage.right(), text)
    assert judge(stage, stage.right((CLEAN, RAG)), text).result == "pass"


def test_records_that_are_missing_count_as_errors(stage: Stage) -> None:
    """A run cut short is no smaller suite."""
    answers = dict(list(stage.right().items())[:150])
    verdict = judge(stage, answers)
    assert verdict.counts[0].errored == 50
    assert verdict.result == "fail"


def test_another_suite_than_the_run_asked_is_refused(stage: Stage) -> None:
    """Answers are scored against the questions that were put."""
    run = stage.run(stage.right())
    other = replace(stage.suite, info=replace(stage.suite.info, digests={"questions.jsonl": "sha256:0"}))
    with pytest.raises(ConfigurationError, match="--suite"):
        trial_of(bundle(), run, other)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (POLICY.replace('version: "1"', 'version: "1"\nmode: shadow'), "shadow mode"),
        (POLICY[: POLICY.index("gate:")], "no 'gate:' section"),
    ],
)
def test_a_policy_without_anything_to_hold_it_to_is_refused(stage: Stage, text: str, why: str) -> None:
    """Shadow mode and policies without criteria get no verdict."""
    with pytest.raises(ConfigurationError, match=why):
        judge(stage, stage.right(), text)


def test_worsened_conditions_are_corrected_for_their_number(stage: Stage, certify: Certify) -> None:
    """Holm's adjusted p-values stand beside the raw ones."""
    text = COMPARING.replace(
        "  non_inf", "    standard_rag:\n      ceilings: {high_risk_error: 0.05}\n  non_inf"
    )
    both = (CLEAN, RAG)
    baseline = certify(judge(stage, stage.right(both), text))
    worse = {(CLEAN, question.id): stage.dangerous(question) for question in stage.suite.questions[:10]}
    verdict = judge(stage, {**stage.right(both), **worse}, text, baseline=baseline)
    raw = {row.condition: row.p_mcnemar for row in verdict.rows if row.p_mcnemar is not None}
    assert raw == {CLEAN: pytest.approx(2 / 2**10), RAG: 1.0}
    assert verdict.p_holm == {CLEAN: pytest.approx(4 / 2**10), RAG: 1.0}
