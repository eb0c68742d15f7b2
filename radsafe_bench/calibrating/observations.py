"""What a calibration is fitted on: recorded answers with their signals, and whether each was right."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gatekeeper.assessment import SignalValue
from gatekeeper.gate import Bundle
from radsafe_bench.gate.replay import Decided, replay
from radsafe_bench.records import Run
from radsafe_bench.stats.arrays import Bools
from radsafe_bench.suites import Question

CONFIDENCE: Final = "confidence.raw"


@dataclass(frozen=True, slots=True)
class Observations:
    """Answers with their signals; arrays of length n.

    `question` numbers the questions, whose ids are `names`; `state` is the state of the evidence.
    `cells` are those that drift counts each answer in.
    """

    signals: tuple[Mapping[str, SignalValue], ...]
    question: NDArray[np.intp]
    state: NDArray[np.str_]
    correct: Bools
    high_risk: Bools
    names: tuple[str, ...]
    cells: tuple[Mapping[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.signals)

    @property
    def seen(self) -> tuple[str, ...]:
        """The ids of all questions among the answers."""
        return tuple(self.names[place] for place in np.unique(self.question))

    @property
    def reference(self) -> dict[str, float]:
        """What drift is measured from: answers by `<feature>.<cell>`."""
        counts = Counter(f"{feature}.{cell}" for cells in self.cells for feature, cell in cells.items())
        return {name: float(count) for name, count in sorted(counts.items())}

    def measured(self, signal: str) -> "Observations":
        """Return the answers in which a signal was measured."""
        return self.where(np.array([one.get(signal) is not None for one in self.signals], bool))

    def where(self, chosen: Bools) -> "Observations":
        """Return some of the answers; the questions keep their numbers."""
        places = np.flatnonzero(chosen)
        return replace(
            self,
            signals=tuple(self.signals[place] for place in places),
            question=self.question[places],
            state=self.state[places],
            correct=self.correct[places],
            high_risk=self.high_risk[places],
            cells=tuple(self.cells[place] for place in places) if self.cells else (),
        )


def observe(runs: Iterable[Run], questions: Sequence[Question], bundle: Bundle) -> Observations:
    """Return the greedy answers of runs to these questions, with the signals that serving would see.

    The bundle's checks give the signals. Errors are left out, for they have none; an answer without a
    letter is wrong.
    """
    places = {question.id: place for place, question in enumerate(questions)}
    decided = [one for run in runs for one in replay(_only(run, places), bundle) if one.action is not None]
    chosen = [(questions[places[one.question]], one.letter) for one in decided]
    return Observations(
        signals=tuple(one.signals for one in decided),
        question=np.array([places[one.question] for one in decided], np.intp),
        state=np.array([_state(one) for one in decided], np.str_),
        correct=np.array([letter == question.correct.letter for question, letter in chosen], bool),
        high_risk=np.array([_high_risk(question, letter) for question, letter in chosen], bool),
        names=tuple(places),
        cells=tuple(one.cells for one in decided),
    )


def _only(run: Run, questions: Mapping[str, int]) -> Run:
    return replace(run, records=tuple(record for record in run.records if record.question in questions))


def _state(decided: Decided) -> str:
    return str(decided.signals["evidence.state"])


def _high_risk(question: Question, letter: str | None) -> bool:
    return letter is not None and letter != question.correct.letter and question.option(letter).high_risk
