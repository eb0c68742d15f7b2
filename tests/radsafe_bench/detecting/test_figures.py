"""Figures by hand: rates, kinds, times, failures, and what may be said of separation."""

import numpy as np
import pytest

from gatekeeper.assessment import Verdict
from radsafe_bench.detecting import Detected, Detector, Examined, Section, detectors_of, measure
from radsafe_bench.stats import auroc_resampled
from tests.radsafe_bench.detecting.staging import examined
from tests.radsafe_bench.gate.conftest import bundle

CONTRADICTED, SUPPORTED, SILENT = Verdict.CONTRADICTED, Verdict.SUPPORTED, Verdict.NOT_ADDRESSED


def slots() -> Detector:
    """Return the detector of the one check."""
    made = detectors_of([examined(SILENT, positive=False, question="q")], bundle().policy, Section.PAIRS)
    return next(one for one in made if one.name == "slots")


def measured(*items: Examined, examples: int = 0) -> Detected:
    """Measure the one check."""
    return measure(slots(), items, examples=examples)


def test_rates_are_shares_of_what_should_and_should_not_be_flagged() -> None:
    """Three of four contradictions found and one of five others flagged: 75 %, 20 %, balanced 77.5 %."""
    found = measured(
        *(examined(CONTRADICTED, positive=True, question=f"a{n}", score=0.9) for n in range(3)),
        examined(SILENT, positive=True, question="a3", score=0.05),
        examined(CONTRADICTED, positive=False, question="b0", score=0.8),
        *(examined(SUPPORTED, positive=False, question=f"b{n}", score=0.02) for n in range(1, 5)),
    ).rates
    assert (found.n, found.positives, found.unavailable) == (9, 4, 0)
    assert (found.tpr.value, found.fpr.value) == (0.75, 0.2)
    assert found.balanced.value == pytest.approx(0.775)
    assert found.balanced.lower < 0.775 < found.balanced.upper
    assert found.auroc.value == pytest.approx((3 * 5 - 3 * 0 + 0 + 4) / 20)


def test_no_false_alarm_is_no_proof_of_none() -> None:
    """None among ten questions leaves up to 31 %, however many items each question has."""
    items = [examined(SUPPORTED, positive=False, question=f"q{n % 10}", score=0.02) for n in range(40)]
    items += [examined(CONTRADICTED, positive=True, question="q0", score=0.9)]
    found = measured(*items).rates
    assert (found.fpr.value, found.fpr.lower) == (0.0, 0.0)
    assert found.fpr.upper == pytest.approx(1 - 0.025 ** (1 / 10))
    assert found.balanced.lower == pytest.approx((found.tpr.lower + 1 - found.fpr.upper) / 2)


def test_copies_of_a_question_add_no_certainty() -> None:
    """Nine items made from each question leave every interval as wide as one."""
    rng = np.random.default_rng(0)
    once = [
        examined(
            CONTRADICTED if rng.random() < (0.7 if positive else 0.2) else SILENT,
            positive=positive,
            question=f"q{n}",
            score=float(rng.random()),
        )
        for n in range(40)
        for positive in (True, False)
    ]
    one, nine = measured(*once).rates, measured(*(once * 9)).rates
    assert one.tpr == pytest.approx(nine.tpr)
    assert one.balanced == pytest.approx(nine.balanced)
    assert one.auroc == pytest.approx(nine.auroc)


def test_a_check_that_gives_no_probability_has_no_area() -> None:
    """A bare verdict has every figure but AUROC."""
    found = measured(
        examined(CONTRADICTED, positive=True, question="a"), examined(SUPPORTED, positive=False, question="b")
    )
    assert found.rates.tpr.value == 1.0
    assert np.isnan(found.rates.auroc.value)


def test_what_could_not_be_judged_is_counted_and_detects_nothing() -> None:
    """An unavailable verdict is neither a detection nor an alarm, and its number is shown."""
    found = measured(
        examined(Verdict.UNAVAILABLE, positive=True, question="a"),
        examined(CONTRADICTED, positive=True, question="b", score=0.9),
        examined(Verdict.UNAVAILABLE, positive=False, question="c"),
    ).rates
    assert (found.unavailable, found.tpr.value, found.fpr.value) == (2, 0.5, 0.0)


def some(verdict: Verdict, kind: str, number: int, score: float) -> Examined:
    """Return an item of a kind, which should be flagged unless it is a paraphrase."""
    return examined(
        verdict, positive=kind != "paraphrase", question=f"{kind}{number}", kind=kind, score=score
    )


def test_every_kind_stands_beside_everything_that_should_not_be_flagged() -> None:
    """One weak kind cannot hide behind the average of the others."""
    found = measured(
        *(
            examined(CONTRADICTED, positive=True, question=f"a{n}", kind="number", score=0.9)
            for n in range(8)
        ),
        *(examined(SILENT, positive=True, question=f"b{n}", kind="drug", score=0.05) for n in range(2)),
        *(
            examined(SUPPORTED, positive=False, question=f"c{n}", kind="paraphrase", score=0.02)
            for n in range(5)
        ),
    )
    kinds = {kind.kind: kind for kind in found.kinds}
    assert found.rates.tpr.value == 0.8
    assert (kinds["number"].balanced.value, kinds["drug"].balanced.value) == (1.0, 0.5)
    assert (kinds["drug"].n, kinds["drug"].flagged.value, kinds["drug"].auroc.value) == (2, 0.0, 1.0)
    assert kinds["paraphrase"].flagged.value == 0.0
    assert np.isnan(kinds["paraphrase"].balanced.value)


def test_conditions_are_measured_apart() -> None:
    """A detector that works on clean evidence only is seen to."""
    found = measured(
        examined(CONTRADICTED, positive=True, question="a", condition="clean_evidence"),
        examined(SILENT, positive=True, question="a", condition="standard_rag"),
    ).conditions
    assert {name: rates.tpr.value for name, rates in found.items()} == {
        "clean_evidence": 1.0,
        "standard_rag": 0.0,
    }


def test_time_is_told_per_item_and_per_claim() -> None:
    """A hundred items of two claims, one of them slow: the median, the tail, and the cost of a claim."""
    items = [examined(SILENT, positive=False, question=f"q{n}", seconds=0.004) for n in range(99)]
    items.append(examined(SILENT, positive=False, question="slow", seconds=0.104))
    time = measured(*items).time
    assert time.p50 == pytest.approx(4.0)
    assert time.per_claim == pytest.approx(2.5)
    assert time.cpu_per_claim == pytest.approx(1.0)


def test_failures_are_listed_only_when_asked_for_commonest_first() -> None:
    """Whoever looks for weaknesses reads the commonest first; nobody reads the questions by accident."""
    items = [
        *(examined(SILENT, positive=True, question=f"a{n}", kind="drug") for n in range(3)),
        examined(CONTRADICTED, positive=False, question="b", kind="paraphrase"),
        examined(SUPPORTED, positive=False, question="c", kind="paraphrase"),
    ]
    assert measured(*items).failures == ()
    failures = measured(*items, examples=2).failures
    assert [(one.kind, one.said, one.count, len(one.examples)) for one in failures] == [
        ("drug", "not_addressed", 3, 2),
        ("paraphrase", "contradicted", 1, 1),
    ]


def answered(n: int = 60) -> list[Examined]:
    """Return answers with a fused risk that is calibrated, half of the wrong ones high-risk errors."""
    rng = np.random.default_rng(1)
    made = []
    for place in range(n):
        p_wrong = float(rng.random())
        wrong = bool(rng.random() < p_wrong)
        made.append(
            examined(
                CONTRADICTED if wrong else SUPPORTED,
                positive=wrong,
                question=f"q{place}",
                p_wrong=p_wrong,
                high_risk=wrong and place % 2 == 0,
            )
        )
    return made


def test_separation_is_told_of_verdicts_as_rates_and_of_calibrated_probabilities_in_full() -> None:
    """A perfect verdict separates by 100 points; a fused risk by what P(correct) differs, with its ECE."""
    items = answered()
    policy = bundle().policy
    by_name = {one.name: one for one in detectors_of(items, policy, Section.ANSWERS)}
    verdict = measure(by_name["slots"], items, answers=True).separation
    assert verdict is not None
    assert verdict["separation_pp"] == 100.0
    assert "ece" not in verdict
    fused = measure(by_name["fusion"], items, answers=True).separation
    assert fused is not None
    right = np.mean([1 - (one.assessment.p_wrong or 0.0) for one in items if one.item.correct])
    risky = np.mean([1 - (one.assessment.p_wrong or 0.0) for one in items if one.item.high_risk])
    assert fused["separation_pp"] == pytest.approx(100 * (right - risky))
    assert {"ece", "ece_null_p", "auroc", "brier"} <= fused.keys()


def test_a_fused_risk_is_never_judged_on_questions_that_it_saw() -> None:
    """Its figures rest on the other questions, and the number left out is told; checks keep all."""
    items = answered()
    by_name = {one.name: one for one in detectors_of(items, bundle().policy, Section.ANSWERS)}
    seen = {f"q{n}" for n in range(40)}
    fused = measure(by_name["fusion"], items, seen, answers=True)
    assert (fused.rates.n, fused.seen) == (20, 40)
    assert measure(by_name["slots"], items, seen, answers=True).rates.n == 60
    nothing = measure(by_name["fusion"], items, {f"q{n}" for n in range(60)}, answers=True)
    assert (nothing.rates.n, nothing.separation) == (0, None)
    assert np.isnan(nothing.rates.tpr.value)


def test_resampled_area_agrees_with_the_exact_one() -> None:
    """Ties count half, and a perfect ranking has no interval."""
    assert auroc_resampled([1, 2, 2, 3], [0, 0, 1, 1]).value == 0.875
    assert np.isnan(auroc_resampled([1, 2, 3, 4], [0, 0, 1, 1]).lower)
    assert np.isnan(auroc_resampled([1, 2], [1, 1]).value)
