"""How a verdict's numbers are worded, the same in every print."""

from collections.abc import Iterator
from typing import Final

from gatekeeper.certificate import LIMITS
from radsafe_bench.gate.criteria import Result, Row
from radsafe_bench.gate.verdict import Counts, Verdict

SENTENCE: Final = {
    Result.PASS: "Every criterion holds with 95 % confidence.",
    Result.FAIL: "At least one criterion is broken with 95 % confidence.",
    Result.INCONCLUSIVE: "The questions asked cannot decide every criterion; none is shown to be broken.",
    Result.ERROR: "Nothing was judged.",
}
_SIGN: Final = {"ceiling": "≤", "floor": "≥", "non_inferiority": "<"}

ROW_HEADINGS: Final = (
    "condition",
    "criterion",
    "result",
    "events / n",
    "rate, %",
    "95 % bounds",
    "limit",
    "fails from",
)
COUNT_HEADINGS: Final = ("condition", "asked", "correct", "wrong", "unparsed", "held", "errored", "noise")


def row_cells(row: Row) -> tuple[str, ...]:
    """Return the cells of one criterion, in the order of ROW_HEADINGS."""
    return (
        row.condition,
        label(row),
        row.result.value,
        f"{counted(row)} / {row.n}",
        hundredths(row.value),
        f"{hundredths(row.lower)} to {hundredths(row.upper)}",
        f"{_SIGN[row.kind]} {hundredths(row.limit)}",
        hundredths(row.detectable),
    )


def count_cells(counts: Counts) -> tuple[str, ...]:
    """Return the cells of one condition's endings, in the order of COUNT_HEADINGS."""
    numbers = (counts.asked, counts.correct, counts.wrong, counts.unparsed, counts.held, counts.errored)
    noise = "not measured" if counts.noise is None else percent(counts.noise)
    return (counts.condition, *map(str, numbers), noise)


def label(row: Row) -> str:
    """Return the rate that a criterion is about, with a Δ where it is a difference from the baseline."""
    return row.rate if row.gained is None else f"Δ {row.rate}"


def counted(row: Row) -> str:
    """Return the events of a row; of a comparison the pairs gained and lost."""
    return str(row.events) if row.gained is None else f"+{row.gained} −{row.lost}"


def hundredths(share: float | None) -> str:
    """Return a share times 100, a dash where there is none."""
    return "–" if share is None else f"{100 * share:.2f}"


def percent(share: float | None) -> str:
    """Return a share as per cent."""
    return f"{hundredths(share)} %"


def basis_lines(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Yield what was judged as label and text."""
    basis = verdict.basis
    if basis is None:
        return
    yield "policy", f"{basis.policy.name} {basis.policy.version} ({basis.policy.digest})"
    yield "criteria", basis.criteria
    yield "model", f"{basis.model} ({basis.fingerprint})"
    yield "calibration", basis.calibration or "none"
    if basis.judge is not None:
        yield "judge", basis.judge
    suite = f"{basis.suite.name} {basis.suite.version} ({basis.suite.digest})"
    yield "suite", f"{suite}, {basis.split}: {basis.questions} questions, {basis.excluded} left out as seen"
    if basis.retrieval is not None:
        yield "retrieval", basis.retrieval
    yield "run", f"{basis.run} ({basis.records}), {basis.source}"
    yield "determinism", " ".join(basis.determinism) or "the run says nothing of it"
    baseline = f"{basis.compared_with} ({basis.baseline})" if basis.baseline else "none: nothing was compared"
    yield "baseline", baseline
    yield "code", f"gatekeeper {basis.version} ({basis.code})"
    if verdict.looks is not None:
        looks = verdict.looks
        yield "looks", f"candidates on this recording: {looks.candidates}, sets of criteria: {looks.criteria}"


def remarks(verdict: Verdict) -> Iterator[str]:
    """Yield the sentences below the tables."""
    for row in verdict.rows:
        if row.note:
            yield f"{row.name}: {row.note}."
    for row in verdict.rows:
        if row.p_mcnemar is not None:
            corrected = verdict.p_holm[row.condition]
            yield (
                f"{row.condition}: McNemar p = {row.p_mcnemar:.3f}, {corrected:.3f} after Holm. Reported "
                "only: no difference shown is not the same as equal."
            )
    for counts in verdict.counts:
        if counts.again:
            yield (
                f"{counts.condition}: {counts.again} answers would be asked for again. What comes then was "
                "not recorded, so they count as errored: judge the serving gate instead (--live)."
            )
    if verdict.basis is not None and verdict.basis.calibration is None:
        yield "Without calibration every delivered dangerous error counts as dangerous overconfidence."
    if verdict.power is not None:
        power = percent(verdict.power)
        yield f"Power to show non-inferiority under all conditions at once, when nothing changed: {power}."
    for counts in verdict.counts:
        shares = ", ".join(f"{name} {percent(share)}" for name, share in counts.per_question.items())
        yield f"{counts.condition}, per question asked: {shares}."
    if verdict.basis is not None:
        yield verdict.basis.notice
    yield LIMITS
