"""From pairs and recordings to what detectors say of them, by the reading that serves."""

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gatekeeper.assessment import Finding, Subject
from gatekeeper.checks import Slots
from gatekeeper.errors import ConfigurationError
from gatekeeper.gate import Bundle
from radsafe_bench.detecting import (
    Detector,
    Examined,
    Section,
    answers_of,
    detectors_of,
    examine_all,
    measure,
    options_of,
    pairs_of,
    read_pairs,
)
from radsafe_bench.detecting.detectors import contradiction_rules
from radsafe_bench.suites import Split, load_suite
from tests.radsafe_bench.detecting.staging import Never, pair_lines, write_pairs
from tests.radsafe_bench.gate.conftest import CLEAN, Said, Stage, bundle

RULED = """
name: ruled
version: "1"
checks: {confidence: {enabled: false}, hedging: {enabled: false}, triage: {enabled: false}}
rules:
  - id: contradicts
    when: {p_contradicted: {at_least: 0.5}}
    then: escalate
  - id: unsupported
    when: {claims.supported: {below: 1}}
    then: escalate
"""


def with_never() -> Bundle:
    """Return a bundle of slots and of a check that nothing here knows."""
    return replace(bundle(RULED), checks=(Slots(), Never()))


@pytest.fixture
def examined(tmp_path: Path) -> list[Examined]:
    """Return four pairs, examined by both checks."""
    items = read_pairs(write_pairs(tmp_path / "pairs.jsonl", pair_lines(1)))
    done, complete = examine_all(items, with_never())
    assert complete
    return done


def flagged(detector: Detector, examined: list[Examined]) -> list[str]:
    """Return the kinds that a detector flags."""
    return [one.item.kind for one in examined if detector.says(one).flagged]


def test_any_check_that_judges_claims_is_a_detector(examined: list[Examined]) -> None:
    """A check of one's own is measured without being named anywhere, alone and with the others."""
    found = {
        one.name: flagged(one, examined) for one in detectors_of(examined, with_never().policy, Section.PAIRS)
    }
    assert found == {
        "slots": ["number", "laterality"],
        "never": ["other_question"],
        "slots+never": ["number", "laterality", "other_question"],
        "policy": ["number", "laterality"],
    }


def test_detectors_can_be_named(examined: list[Examined]) -> None:
    """Any combination of checks can be asked for; what is not there is refused by name."""
    policy = with_never().policy
    asked = detectors_of(examined, policy, Section.PAIRS, ["never+slots"])
    assert [one.name for one in asked] == ["never+slots"]
    for name in ("nli", "slots+nli", "fusion", "confidence"):
        with pytest.raises(ConfigurationError, match="there are slots, never, slots"):
            detectors_of(examined, policy, Section.PAIRS, [name])


def test_the_policy_counts_only_by_its_contradiction_rules() -> None:
    """What a policy holds for other reasons is no detection."""
    assert [rule.id for rule in contradiction_rules(with_never().policy)] == ["contradicts"]


def test_evidence_is_read_as_documents(examined: list[Examined]) -> None:
    """The cited evidence is the one statement that decided, not the whole passage."""
    number = examined[0]
    assert number.item.kind == "number"
    assert number.reads["slots"].decider.startswith("slots.")
    assert number.reads["slots"].cited == "The follow-up interval is 6 months."
    assert number.reads["slots"].seconds > 0


def test_a_check_that_fails_is_unavailable(tmp_path: Path) -> None:
    """One broken check costs its own figures and nobody else's."""

    class Broken(Never):
        name = "broken"

        async def __call__(self, subject: Subject) -> Sequence[Finding]:
            raise RuntimeError

    items = read_pairs(write_pairs(tmp_path / "pairs.jsonl", pair_lines(1)))
    done, _ = examine_all(items, replace(with_never(), checks=(Slots(), Broken())))
    names = [one.name for one in detectors_of(done, with_never().policy, Section.PAIRS)]
    assert names == ["slots", "policy"]
    assert {one.reads["broken"].verdict for one in done} == {"unavailable"}


def test_an_interrupt_keeps_what_was_examined(tmp_path: Path) -> None:
    """Ctrl-C ends after the item under way; the figures so far are not lost."""
    items = read_pairs(write_pairs(tmp_path / "pairs.jsonl", pair_lines(5)))
    count = 0

    def interrupt() -> None:
        nonlocal count
        count += 1
        if count == 3:
            os.kill(os.getpid(), signal.SIGINT)

    done, complete = examine_all(items, with_never(), on_item=interrupt)
    assert (len(done), complete) == (3, False)


@pytest.mark.parametrize(
    ("line", "where"),
    [
        (b"{", "line 1: line"),
        (b'{"id": 1, "evidence": "x", "claim": "y", "label": "true"}', "line 1: label"),
        (b'{"id": 1, "evidence": 5, "claim": "y", "label": "supported"}', "line 1: evidence"),
        (b'{"id": 1, "evidence": "x", "claim": "", "label": "supported"}', "line 1: claim"),
    ],
)
def test_a_broken_pair_is_refused_with_its_place(line: bytes, where: str, tmp_path: Path) -> None:
    """A file that is not as it should be is never measured in part."""
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(line + b"\n")
    with pytest.raises(ConfigurationError, match=where):
        read_pairs(path)


def test_pairs_of_a_split_hold_no_sentence_of_the_other() -> None:
    """Unrelated claims are drawn from the split itself, so the blind half stays blind."""
    suite = load_suite()
    chosen = {question.id for question in suite.split(Split.CALIBRATION)}
    items = pairs_of(suite, chosen)
    own = {
        text
        for source in suite.pair_sources
        if source.question in chosen
        for text in (source.key_statement, *source.paraphrases, *(one.text for one in source.mutations))
    }
    assert {item.question for item in items} == chosen
    assert {item.text for item in items} <= own
    assert {item.kind for item in items if item.positive} >= {"number", "unit", "negation", "drug"}


def test_options_are_judged_whatever_the_model_chose(stage: Stage) -> None:
    """Each option becomes an answer; wrong ones that contradict should be flagged, the right one never."""
    questions = stage.suite.questions[:10]
    run = stage.run({(CLEAN, question.id): Said("A") for question in questions})
    items = options_of(run, stage.suite, {question.id for question in questions})
    assert len(items) == sum(len(question.options) for question in questions)
    for item in items:
        option = stage.suite.question(item.question).option(item.answer.content)
        assert item.positive == (option.contradicts and not option.correct)
        assert (item.condition, item.text) == (CLEAN, option.text)
    done, _ = examine_all(items, bundle(RULED))
    assert {one.claims for one in done} == {1}


def test_answers_are_what_the_model_said(stage: Stage) -> None:
    """Wrong answers should be flagged, failures are left out, an answer without a letter is wrong."""
    first, second, third, fourth, *_ = stage.suite.questions
    run = stage.run(
        {
            (CLEAN, first.id): Said(first.correct.letter),
            (CLEAN, second.id): stage.dangerous(second),
            (CLEAN, third.id): Said(None),
            (CLEAN, fourth.id): None,
        }
    )
    items = answers_of(run, stage.suite, {question.id for question in stage.suite.questions})
    assert [(item.kind, item.positive, item.high_risk) for item in items] == [
        ("correct", False, False),
        ("high-risk error", True, True),
        ("no letter", True, False),
    ]


def test_the_confidence_is_a_detector_of_answers(stage: Stage) -> None:
    """What the tokens say is measured beside the checks, its separation only once it is calibrated."""
    questions = stage.suite.questions[:20]
    answers = {
        (CLEAN, question.id): Said(question.correct.letter, 0.9)
        if place % 2
        else stage.dangerous(question, 0.3)
        for place, question in enumerate(questions)
    }
    items = answers_of(stage.run(answers), stage.suite, {question.id for question in questions})
    judged = bundle(RULED.replace("confidence: {enabled: false}, ", ""))
    done, _ = examine_all(items, judged)
    confidence = next(
        one for one in detectors_of(done, judged.policy, Section.ANSWERS) if one.name == "confidence"
    )
    found = measure(confidence, done, answers=True)
    assert (found.rates.tpr.value, found.rates.fpr.value, found.rates.auroc.value) == (1.0, 0.0, 1.0)
    assert found.separation is None
