"""Samples of one question as ballots: majorities, agreement, confidence."""

from dataclasses import dataclass, fields

import numpy as np

from radsafe_bench.scoring.key import ABSENT, NULL, AnswerKey, LetterCodes
from radsafe_bench.stats import Interval, wilson
from radsafe_bench.stats.arrays import Bools, Floats, Integers


@dataclass(frozen=True, slots=True)
class Ballots:
    """What the samples of each question say together; arrays are (…, Q), counts (…, Q, 6).

    `confidence` = 1 − H(p) / log(options + 1) in [0, 1], natural log, p over ballots with NULL as one of
    them. `agreement` is the top share of p, `margin` what it is ahead of the runner-up.
    `valid_agreement` and `valid_correct` are shares of the VALID samples (0 without any).
    `synchronized`: at least two valid samples, all of them the same wrong letter.
    """

    counts: Integers
    total: Integers
    majority: LetterCodes
    valid_majority: LetterCodes
    confidence: Floats
    agreement: Floats
    margin: Floats
    valid_agreement: Floats
    valid_correct: Floats
    synchronized: Bools

    def of(self, row: int) -> "Ballots":
        """Return the ballots of one condition, where the first axis is conditions."""
        return Ballots(*(getattr(self, field.name)[row] for field in fields(self)))

    @property
    def cast(self) -> Bools:
        """Which questions have at least one ballot."""
        return np.asarray(self.total > 0)

    @property
    def null_share(self) -> Floats:
        """Share of NULL among the ballots."""
        return np.asarray(self.counts[..., NULL] / np.maximum(self.total, 1))

    @property
    def agreement_interval(self) -> Interval:
        """Wilson's 95 % interval of the agreement, with z = 1.96 as published."""
        return wilson(self.agreement, self.total, z=1.96)


def read_ballots(samples: LetterCodes, key: AnswerKey) -> Ballots:
    """Count the samples, shape (…, Q, S)."""
    counts = count_letters(samples)
    total = counts.sum(axis=-1)
    valid = np.maximum(counts[..., :NULL].sum(axis=-1), 1)
    ordered = np.sort(counts, axis=-1)
    share = counts / np.maximum(total, 1)[..., None]
    surprise = -np.log(share, out=np.zeros_like(share), where=share > 0)
    entropy = (share * surprise).sum(axis=-1)
    correct = np.take_along_axis(counts, _column(key.correct, counts), axis=-1)[..., 0]
    top = counts[..., :NULL].max(axis=-1)
    alone = (top >= 2) & (top == counts[..., :NULL].sum(axis=-1)) & (top != correct)
    return Ballots(
        counts=counts,
        total=total,
        majority=majority(counts),
        valid_majority=first_seen_majority(samples, counts),
        confidence=1 - entropy / np.log(key.options + 1.0),
        agreement=ordered[..., -1] / np.maximum(total, 1),
        margin=(ordered[..., -1] - ordered[..., -2]) / np.maximum(total, 1),
        valid_agreement=top / valid,
        valid_correct=correct / valid,
        synchronized=alone,
    )


def count_letters(samples: LetterCodes) -> Integers:
    """Count each letter and NULL over the last axis: shape (…, 6)."""
    return np.stack([(samples == letter).sum(axis=-1) for letter in range(NULL + 1)], axis=-1)


def majority(counts: Integers) -> LetterCodes:
    """Return the mode with NULL as a ballot: NULL wins its ties, of letters the first of the alphabet."""
    letters = counts[..., :NULL]
    winner = np.where(counts[..., NULL] >= letters.max(axis=-1), NULL, letters.argmax(axis=-1))
    return np.where(counts.sum(axis=-1) == 0, ABSENT, winner).astype(np.int8)


def first_seen_majority(samples: LetterCodes, counts: Integers) -> LetterCodes:
    """Return the mode over valid letters only, ties to the first seen; ABSENT where none is valid.

    The published code's other majority.
    """
    size = samples.shape[-1]
    letters = counts[..., :NULL]
    if size == 0:
        return np.full(samples.shape[:-1], ABSENT, np.int8)
    first = np.stack([(samples == letter).argmax(axis=-1) for letter in range(NULL)], axis=-1)
    winner = (letters * (size + 1) - first).argmax(axis=-1)
    return np.where(letters.sum(axis=-1) == 0, ABSENT, winner).astype(np.int8)


def _column(correct: LetterCodes, counts: Integers) -> Integers:
    return np.broadcast_to(correct.astype(int), counts.shape[:-1])[..., None]
