"""A run's answers as arrays: everything that scoring reads, and nothing else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import NamedTuple

import numpy as np

from gatekeeper.errors import ConfigurationError
from radsafe_bench.conditions.catalogue import Condition
from radsafe_bench.parsing import is_held
from radsafe_bench.records import GREEDY, MAIN, REPEAT, Manifest, Record
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


def tabulate(manifest: Manifest, records: Iterable[Record], key: AnswerKey) -> Answers:
    """Turn a run's records, read once, into arrays.

    Raises ConfigurationError where the run asked another suite, or a question the suite does not have.
    """
    _require_suite(manifest, key)
    entries = [_entry(record, key) for record in records]
    conditions = in_order(entry.condition for entry in entries)
    samples = 1 + max((entry.sample for entry in entries), default=GREEDY)
    answers = empty_answers(manifest.model, conditions, len(key.questions), samples)
    for entry in entries:
        answers.recorded[entry.place] = True
        cell = (conditions.index(entry.condition), entry.place)
        if entry.in_pass == REPEAT and entry.sample == GREEDY and not entry.failed:
            answers.repeat[cell] = entry.letter
        elif entry.in_pass == MAIN and entry.sample == GREEDY:
            answers.greedy[cell] = entry.letter
            answers.failed[cell] = entry.failed
            answers.held[cell] = entry.held
            answers.token_confidence[cell] = entry.token_confidence
            answers.latency_s[cell] = entry.latency_s
        elif entry.in_pass == MAIN and not entry.failed:
            answers.samples[(*cell, entry.sample)] = entry.letter
    return replace(answers, family=manifest.family, parameters=manifest.parameters)


class _Entry(NamedTuple):
    """What scoring needs of a record, so that its request and response can be let go."""

    place: int
    condition: str
    sample: int
    in_pass: str
    letter: int
    failed: bool
    held: bool
    token_confidence: float
    latency_s: float


def _entry(record: Record, key: AnswerKey) -> _Entry:
    place = key.places.get(record.question)
    if place is None:
        raise ConfigurationError(f"{record.model}: the suite has no question {record.question}")
    response = record.response if record.is_greedy and record.in_pass == MAIN else None
    letters = LETTERS[: key.options[place]]
    failed = record.error is not None
    return _Entry(
        place,
        record.condition,
        record.sample,
        record.in_pass,
        code(record.letter),
        failed,
        held=response is not None and is_held(response),
        token_confidence=nan if response is None else token_confidence(response, letters),
        latency_s=nan if failed or record.latency_s is None else record.latency_s,
    )


def _require_suite(manifest: Manifest, key: AnswerKey) -> None:
    asked, given = manifest.suite, key.suite
    if asked.digest != given.digest:
        raise ConfigurationError(
            f"{manifest.model} was asked {asked.name} {asked.version} ({asked.digest}), not {given.name} "
            f"{given.version} ({given.digest}): name the suite that it was asked with --suite"
        )
