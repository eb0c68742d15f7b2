"""Label probabilities without the model's liking for a letter.

A model prefers some letters whatever they stand for. Over all cyclic orders of the meanings each letter
stands for each meaning once, so what remains of a letter's mean log-probability is that preference, its
prior. It is divided out, in log space (PriDe: Zheng et al. 2024, arXiv 2309.03882, eq. 4 to 7).

In rotation r of n meanings, letter i stands for meaning (i + r) mod n.
"""

from collections.abc import Sequence
from math import exp, fsum, log

Logprobs = Sequence[float]


def turned(count: int, rotation: int) -> list[int]:
    """Return the meaning of each letter in a rotation."""
    return [(letter + rotation) % count for letter in range(count)]


def log_prior(cycles: Sequence[Sequence[Logprobs]]) -> list[float]:
    """Return the log-prior of each letter from questions that were read in every rotation.

    Each cycle holds the readings of one question, one per rotation: log-probabilities by letter.
    Without any cycle all letters are alike.
    """
    readings = [normalised(reading) for cycle in cycles for reading in cycle]
    if not readings:
        return []
    return normalised([fsum(column) / len(readings) for column in zip(*readings, strict=True)])


def debiased(readings: Sequence[tuple[int, Logprobs]], prior: Logprobs) -> list[float]:
    """Return P(meaning), summing to 1, from readings of one question with their rotations.

    Of several readings the logarithms are averaged. An empty `prior` takes all letters as alike.
    """
    totals = [0.0] * len(readings[0][1])
    for rotation, reading in readings:
        meanings = turned(len(totals), rotation)
        for letter, logprob in enumerate(normalised(reading)):
            totals[meanings[letter]] += logprob - (prior[letter] if prior else 0.0)
    return [exp(logprob) for logprob in normalised([total / len(readings) for total in totals])]


def normalised(logprobs: Logprobs) -> list[float]:
    """Return log-probabilities over the given candidates alone."""
    highest = max(logprobs)
    total = highest + log(fsum(exp(logprob - highest) for logprob in logprobs))
    return [logprob - total for logprob in logprobs]
