"""What a calibration is fitted on: recorded answers with their signals, and whether each was right."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gatekeeper.assessment import SignalValue
from gatekeeper.bundle import load_bundle
from gatekeeper.checks import Confidence
from gatekeeper.gate import Bundle
from gatekeeper.settings import POLICIES
from radsafe_bench.gate.replay import Decided, replay
from radsafe_bench.records import Run
from radsafe_bench.stats.arrays import Bools
from radsafe_bench.suites import Question

CONFIDENCE: Final = "confidence.raw"


@dataclass(frozen=True, slots=True)
class Observations:
    """Answers in which a confidence could be measured; arrays of length n.

    `question` numbers the questions, `state` is the state of the evidence. `unmeasured` counts the
    answers without token probabilities, which are left out.
    """

    signals: tuple[Mapping[str, SignalValue], ...]
    question: NDArray[np.intp]
    state: NDArray[np.str_]
    correct: Bools
    high_risk: Bools
    names: tuple[str, ...]
    unmeasured: int

    def __len__(self) -> int:
        return len(self.signals)

    @property
    def seen(self) -> tuple[str, ...]:
        """The ids of all questions among the answers."""
        return tuple(self.names[place] for place in np.unique(self.question))


def observe(runs: Iterable[Run], questions: Sequence[Question], bundle: Bundle | None = None) -> Observations:
    """Return the greedy answers of runs to these questions, with the signals that serving would see.

    A `bundle` with more checks than the confidence gives more signals; its calibrations are not used.
    Errors are left out, for they have no confidence; an answer without a letter is wrong.
    """
    places = {question.id: place for place, question in enumerate(questions)}
    bare = replace(load_bundle(POLICIES / "shadow.yaml"), checks=(Confidence(),))
    decided = [
        one for run in runs for one in replay(_only(run, places), bundle or bare) if one.action is not None
    ]
    measured = [one for one in decided if one.signals.get(CONFIDENCE) is not None]
    chosen = [(questions[places[one.question]], one.letter) for one in measured]
    return Observations(
        signals=tuple(one.signals for one in measured),
        question=np.array([places[one.question] for one in measured], np.intp),
        state=np.array([_state(one) for one in measured], np.str_),
        correct=np.array([letter == question.correct.letter for question, letter in chosen], bool),
        high_risk=np.array([_high_risk(question, letter) for question, letter in chosen], bool),
        names=tuple(places),
        unmeasured=len(decided) - len(measured),
    )


def _only(run: Run, questions: Mapping[str, int]) -> Run:
    return replace(run, records=tuple(record for record in run.records if record.question in questions))


def _state(decided: Decided) -> str:
    return str(decided.signals["evidence.state"])


def _high_risk(question: Question, letter: str | None) -> bool:
    return letter is not None and letter != question.correct.letter and question.option(letter).high_risk
