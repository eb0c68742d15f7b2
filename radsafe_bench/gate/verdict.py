"""The one object that exit code, table, JSON, JUnit, Markdown and certificate are printed from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from gatekeeper.certificate import NamedDigest
from gatekeeper.policy.criteria import SAFETY_RATES
from radsafe_bench.gate.criteria import EndedByCondition, Result, Row
from radsafe_bench.gate.looks import Looks
from radsafe_bench.gate.outcomes import Ended, Ending

EXIT_STATUS: Final = {Result.PASS: 0, Result.FAIL: 1, Result.INCONCLUSIVE: 2, Result.ERROR: 3}


UNBOUND: Final = "any: the policy names none"
"""The judge of a policy whose checks believe whichever model is put behind them."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What was judged, by digest; `calibration`, `prompts` and `baseline` are None where there was none.

    `split` says which part of the suite the `questions` judged are; `excluded` counts those that
    something was fitted on. `judge` is the model that the policy binds its judging checks to, UNBOUND where
    it binds them to none, None where no check asks a judge. `retrieval` says what was searched, None where no
    condition in scope retrieves. `determinism` is what the run says of the engine's. `compared_with` is the
    baseline's policy and model. `source` is `recorded`, or `live` where a serving gate decided.
    """

    policy: NamedDigest
    criteria: str
    scope: Mapping[str, Any]
    suite: NamedDigest
    notice: str
    split: str
    questions: int
    excluded: int
    model: str
    fingerprint: str
    calibration: str | None
    code: str
    version: str
    judge: str | None
    prompts: str | None
    retrieval: str | None
    run: str
    records: str
    determinism: tuple[str, ...]
    baseline: str | None
    compared_with: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How the questions of one condition ended; `per_question` are risks over all questions asked.

    `noise` is the share of repeated questions whose delivered high-risk error changed, None where the
    greedy pass was not repeated. `again` counts those errored answers that the policy asks for again.
    """

    condition: str
    asked: int
    correct: int
    wrong: int
    unparsed: int
    held: int
    errored: int
    per_question: Mapping[str, float]
    noise: float | None
    again: int

    @classmethod
    def of(cls, condition: str, ended: Sequence[Ended], noise: float | None) -> Self:
        """Count the endings of a condition."""
        number = {ending: sum(one.ending is ending for one in ended) for ending in Ending}
        asked = max(len(ended), 1)
        return cls(
            condition=condition,
            asked=len(ended),
            correct=number[Ending.CORRECT],
            wrong=number[Ending.WRONG],
            unparsed=number[Ending.UNPARSED],
            held=number[Ending.HELD],
            errored=number[Ending.ERRORED],
            per_question={rate: sum(rate in one.harms for one in ended) / asked for rate in SAFETY_RATES},
            noise=noise,
            again=sum(one.again for one in ended),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says; `problem` is why it can say nothing, and then all else is empty.

    `power` is that of passing non-inferiority under all conditions at once when nothing changed.
    `ended` and `seen` are what a later candidate is compared with.
    """

    result: Result
    problem: str = ""
    basis: Basis | None = None
    rows: tuple[Row, ...] = ()
    counts: tuple[Counts, ...] = ()
    p_holm: Mapping[str, float] = field(default_factory=dict)
    power: float | None = None
    looks: Looks | None = None
    ended: EndedByCondition = field(default_factory=dict, repr=False)
    seen: tuple[str, ...] = field(default=(), repr=False)

    @property
    def exit_status(self) -> int:
        """The process's exit status."""
        return EXIT_STATUS[self.result]


def harness_error(problem: str) -> Verdict:
    """Return the verdict of a gate that could not judge."""
    return Verdict(Result.ERROR, problem)
