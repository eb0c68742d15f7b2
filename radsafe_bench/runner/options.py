"""What a run is asked to do, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from radsafe_bench.conditions import Condition
from radsafe_bench.runner.sampling import Sampling


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of one session.

    `corpus` are folders beside the suite's own corpus, `encoder` the model folder of dense retrieval.
    `context_window` in tokens stands in for what the server says. `repeat` asks the greedy pass twice.
    `keep_errors` leaves errors of earlier sessions as they are. `family` and `parameters` (a number of
    weights) place the model on a scaling curve.
    """

    out: Path
    conditions: tuple[Condition, ...]
    sampling: Sampling = field(default_factory=Sampling)
    corpus: tuple[Path, ...] = ()
    retriever: str = "bm25"
    encoder: Path | None = None
    context_window: int | None = None
    repeat: bool = False
    keep_errors: bool = False
    family: str | None = None
    parameters: float | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """How far a run is: counts of what the session's options ask for, `new` of them made by it."""

    answered: int
    errors: int
    missing: int
    new: int
    not_applicable: Mapping[str, str]
    interrupted: bool
