"""A run's answers as arrays: everything that scoring reads, and nothing else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gatekeeper.errors import ConfigurationError
from radsafe_bench.conditions.catalogue import Condition
from radsafe_bench.parsing import is_held
from radsafe_bench.records import MAIN, REPEAT, Record, Run
from radsafe_bench.scoring.key import ABSENT, AnswerKey, LetterCodes, code
from radsafe_bench.scoring.token_confidence import token_confidence
from radsafe_bench.stats.arrays import Bools, Floats
from radsafe_bench.suites.model import LETTERS


@dataclass(frozen=True, slots=True)
class Answers:
    """One model's answers: C conditions, Q questions of the key, S samples.

    `greedy` and `repeat` (the A/A pass) are (C, Q), `samples` is (C, Q, S), in letter codes; a failed
    greedy request is NULL, a failed sample ABSENT, for it cast no ballot. `latency_s` (seconds) and
    `token_confidence` (probability in [0, 1] of the greedy answer) are (C, Q), NaN where unknown.
    `failed` and `held` mark greedy requests that ended in an error or were held back by a gate.
    `recorded` (Q,) marks the questions that the run holds under any condition.
    """

    model: str
    conditions: tuple[str, ...]
    greedy: LetterCodes
    samples: LetterCodes
    repeat: LetterCodes
    latency_s: Floats
    token_confidence: Floats
    failed: Bools
    held: Bools
    recorded: Bools
    family: str | None = None
    parameters: float | None = None

    @property
    def asked(self) -> Bools:
        """Which questions were asked under which condition, (C, Q)."""
        return np.asarray(self.greedy != ABSENT)


def empty_answers(model: str, conditions: Sequence[str], questions: int, samples: int) -> Answers:
    """Return arrays of the right shapes with nothing in them yet."""
    shape = (len(conditions), questions)
    return Answers(
        model=model,
        conditions=tuple(conditions),
        greedy=np.full(shape, ABSENT, np.int8),
        samples=np.full((*shape, samples), ABSENT, np.int8),
        repeat=np.full(shape, ABSENT, np.int8),
        latency_s=np.full(shape, np.nan),
        token_confidence=np.full(shape, np.nan),
        failed=np.zeros(shape, bool),
        held=np.zeros(shape, bool),
        recorded=np.zeros(questions, bool),
    )


def in_order(conditions: Iterable[str]) -> tuple[str, ...]:
    """Return condition names in the order of every table, each once: the catalogue's, then others."""
    names = set(conditions)
    known = tuple(condition.value for condition in Condition)
    return (*(name for name in known if name in names), *sorted(names.difference(known)))


def tabulate(run: Run, key: AnswerKey) -> Answers:
    """Turn a run's records into arrays.

    Raises ConfigurationError where the run asked another suite, or a question the suite does not have.
    """
    _require_suite(run, key)
    samples = 1 + max((record.sample for record in run.records), default=-1)
    conditions = in_order(record.condition for record in run.records)
    answers = empty_answers(run.manifest.model, conditions, len(key.questions), samples)
    places = {question: place for place, question in enumerate(key.questions)}
    for record in run.records:
        place = places.get(record.question)
        if place is None:
            raise ConfigurationError(f"{run.path}: the suite has no question {record.question}")
        answers.recorded[place] = True
        cell = (conditions.index(record.condition), place)
        if record.in_pass == REPEAT and record.is_greedy and record.error is None:
            answers.repeat[cell] = code(record.letter)
        elif record.in_pass == MAIN and record.is_greedy:
            _enter_greedy(answers, record, cell, LETTERS[: key.options[place]])
        elif record.in_pass == MAIN and record.error is None:
            answers.samples[(*cell, record.sample)] = code(record.letter)
    return replace(answers, family=run.manifest.family, parameters=run.manifest.parameters)


def _enter_greedy(answers: Answers, record: Record, cell: tuple[int, int], letters: str) -> None:
    answers.greedy[cell] = code(record.letter)
    answers.failed[cell] = record.error is not None
    if record.response is not None:
        answers.held[cell] = is_held(record.response)
        answers.token_confidence[cell] = token_confidence(record.response, letters)
    if record.latency_s is not None and record.error is None:
        answers.latency_s[cell] = record.latency_s


def _require_suite(run: Run, key: AnswerKey) -> None:
    asked, given = run.manifest.suite, key.suite
    if asked.digest != given.digest:
        raise ConfigurationError(
            f"{run.path} asked {asked.name} {asked.version} ({asked.digest}), not {given.name} "
            f"{given.version} ({given.digest}): name the suite that it asked with --suite"
        )
