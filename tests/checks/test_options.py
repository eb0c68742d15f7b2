"""What the evidence and the model's own wavering say of a chosen option."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.assessment import SignalValue, Subject, Verdict
from gatekeeper.auxiliary import LabelCall, Problem, Whom
from gatekeeper.checks.options import Options, by_rules
from gatekeeper.policy.model import OptionsSettings
from tests.checks.subjects import answered, ask, run, signals
from tests.judging import Reader, believing

EVIDENCE = ["Metformin is withheld for 48 hours after contrast. Hydration is given before."]
QUESTION = "How long is metformin withheld after contrast?"
TEXTS = ("24 hours", "48 hours", "72 hours", "one week")
LISTED = "\n".join(f"{letter}. {text}" for letter, text in zip("ABCD", TEXTS, strict=True))
JUDGED = believing(**{"48": Verdict.SUPPORTED, "hours": Verdict.CONTRADICTED, "week": Verdict.CONTRADICTED})


def posed(
    answer: str, model: Reader | None = None, question: str = QUESTION, evidence: list[str] = EVIDENCE
) -> Subject:
    """Return an answer to the multiple-choice question."""
    given = answered(ask(f"{question}\n{LISTED}", evidence), answer)
    return Subject(given.case, given.answer, given.claims, model)


def found(subject: Subject, **chosen: Any) -> dict[str, SignalValue]:
    """Return the check's signals without their common beginning."""
    check = Options(OptionsSettings.model_validate({"enabled": True, **chosen}))
    return {name.removeprefix("options."): value for name, value in signals(check, subject).items()}


def problems(subject: Subject, **chosen: Any) -> list[str]:
    """Return why the check counts as unavailable."""
    check = Options(OptionsSettings.model_validate({"enabled": True, **chosen}))
    return [one.detector for one in run(check, subject) if one.verdict is Verdict.UNAVAILABLE]


def choosing(weights: Mapping[str, float], liking: str = "") -> Callable[[str], Mapping[str, float]]:
    """Return a reader that weighs options by their text, and triples the letter that it likes."""

    def letters(prompt: str) -> Mapping[str, float]:
        listed = re.findall(r"^([A-D])\. (.*)$", prompt, re.MULTILINE)
        known = weights if prompt.startswith("Evidence:") else dict.fromkeys(weights, 1.0)
        found = {letter: known[text] * (3.0 if letter == liking else 1.0) for letter, text in listed}
        return {letter: weight / sum(found.values()) for letter, weight in found.items()}

    return letters


@pytest.mark.parametrize(("answer", "disagrees"), [("B", 0.0), ("A", 1.0)])
def test_the_evidence_implies_an_option(answer: str, disagrees: float) -> None:
    """Without any model the option that the evidence holds best is found, and held against the choice."""
    measured = found(posed(answer))
    assert (measured["implied"], measured["disagrees"]) == ("B", disagrees)
    assert isinstance(measured["margin"], float)
    assert 0.0 < measured["margin"] <= 1.0


def test_a_negated_stem_is_turned_round() -> None:
    """A stem with EXCEPT asks for the option that the evidence carries least."""
    wanted = by_rules(posed("A", question="All of these hold EXCEPT which?").case)
    plain = by_rules(posed("A", question="Which of these holds?").case)
    assert plain.index(max(plain)) == wanted.index(min(wanted)) == 1


@pytest.mark.parametrize("chosen", [{}, {"model": True}])
def test_silent_evidence_implies_nothing(chosen: dict[str, bool]) -> None:
    """Without evidence no option leads, nobody is asked, and nothing disagrees."""
    model = Reader(JUDGED)
    assert found(posed("A", model, evidence=[]), **chosen) == {"margin": 0.0, "disagrees": 0.0}
    assert model.asked == []


def test_the_judging_model_reads_every_option() -> None:
    """With `model` the opinions of the judge decide, whatever words options and evidence share."""
    model = Reader(JUDGED)
    measured = found(posed("A", model), model=True)
    assert measured["implied"] == "B"
    assert measured["evidence_p"] == pytest.approx(0.05 / (0.9 + 3 * 0.05))
    assert measured["margin"] == pytest.approx((0.9 - 0.05) / (0.9 + 3 * 0.05))
    assert len(model.asked) == len(TEXTS) + 2
    assert {call.whom for call in model.asked} == {Whom.JUDGE}


def test_a_firm_model_keeps_its_option_in_every_order() -> None:
    """The mean over all orders is its belief, and the letter it likes does not matter."""
    weights = dict(zip(TEXTS, (1.0, 17.0, 1.0, 1.0), strict=True))
    measured = found(posed("B", Reader(letters=choosing(weights))), permutations=True)
    assert measured["permuted_p"] == pytest.approx(0.85)
    assert measured["flip_rate"] == 0.0


def test_a_model_that_follows_a_letter_flips() -> None:
    """Whoever picks A whatever stands there keeps the option in one order of four."""
    even = dict.fromkeys(TEXTS, 1.0)
    measured = found(posed("A", Reader(letters=choosing(even, liking="A"))), permutations=True)
    assert measured["flip_rate"] == 0.75
    assert measured["permuted_p"] == pytest.approx((3 / 6 + 3 * 1 / 6) / 4)


def test_the_shift_says_what_the_evidence_changed() -> None:
    """A choice that the model makes without evidence as well shows no shift."""
    weights = dict(zip(TEXTS, (1.0, 17.0, 1.0, 1.0), strict=True))
    model = Reader(letters=choosing(weights))
    assert found(posed("B", model), without_evidence=True)["evidence_shift"] == pytest.approx(0.85 - 0.25)
    assert len(model.asked) == 2
    assert {call.whom for call in model.asked} == {Whom.SERVED}
    assert found(posed("B", model, evidence=[]), without_evidence=True)["evidence_shift"] == 0.0


def test_without_a_declared_option_only_the_evidence_speaks() -> None:
    """An answer that chooses nothing has no choice to waver on."""
    model = Reader(JUDGED, letters=choosing(dict.fromkeys(TEXTS, 1.0)))
    measured = found(posed("I cannot say.", model), permutations=True, without_evidence=True)
    assert set(measured) == {"margin", "implied"}
    assert model.asked == []


def test_other_questions_are_left_alone() -> None:
    """Free text has no options to read."""
    assert run(Options(OptionsSettings(enabled=True)), answered(ask(QUESTION, EVIDENCE), "48 hours.")) == []


ASKING = ("model", "permutations", "without_evidence")


@pytest.mark.parametrize("part", ASKING)
@pytest.mark.parametrize("problem", [Problem.TIMEOUT, Problem.LOGPROBS])
def test_a_model_that_gives_nothing_is_unavailable(part: str, problem: Problem) -> None:
    """What was asked for and did not come is told, never replaced by a guess."""
    silent = posed("B", Reader(fails=lambda _: problem))
    assert problems(silent, **{part: True}) == [f"options.{problem.value}"]
    assert not {"permuted_p", "flip_rate", "evidence_shift"} & found(silent, **{part: True}).keys()
    assert problems(posed("B"), **{part: True}) == ["options.error"]


def test_one_missing_order_leaves_no_mean() -> None:
    """A mean over some of the orders would carry the letters' prior."""

    def fails(call: LabelCall) -> Problem | None:
        return Problem.TIMEOUT if "A. 72 hours" in call.messages[0]["content"] else None

    model = Reader(fails=fails, letters=choosing(dict.fromkeys(TEXTS, 1.0)))
    assert problems(posed("B", model), permutations=True) == ["options.timeout"]
    assert found(posed("B", model), permutations=True)["implied"] == "B"


def test_too_many_options_are_not_put_to_a_model() -> None:
    """The number of calls is bounded by the policy."""
    model = Reader(JUDGED)
    assert problems(posed("B", model), permutations=True, max_options=3) == ["options.too_much"]
    assert model.asked == []


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4), st.sampled_from("ABCD"))
def test_a_mean_over_all_orders_favours_no_letter(weights: list[float], liking: str) -> None:
    """Which letter a model likes changes no option's mean over the orders."""
    belief = dict(zip(TEXTS, weights, strict=True))
    means = [
        found(posed("B", Reader(letters=choosing(belief, liking=letter))), permutations=True)["permuted_p"]
        for letter in (liking, "A")
    ]
    assert means[0] == pytest.approx(means[1])
