"""Seeded orders, splits and letters that are the same on every machine and Python version.

Order comes from SHA-256 of seed, purpose and id instead of a random generator's stream, so it does
not depend on the order of the input, and adding a question moves no other by chance.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import groupby
from typing import TypeVar

from radsafe_bench.suites.model import LETTERS, Split

T = TypeVar("T")

CALIBRATION_SHARE = (2, 5)
"""80 of 200: the share of the calibration split, as a fraction."""


def rank(seed: int, purpose: str, key: str) -> str:
    """Return a sort key that puts items in a seeded order of their own for each purpose."""
    return sha256(f"{seed}\x1f{purpose}\x1f{key}".encode()).hexdigest()


def shuffled(items: Iterable[T], seed: int, purpose: str, key: Callable[[T], str]) -> list[T]:
    """Return the items in seeded order; `key` must tell them apart."""
    return sorted(items, key=lambda item: rank(seed, purpose, key(item)))


def interleaved(items: Sequence[T], seed: int, group: Callable[[T], str], key: Callable[[T], str]) -> list[T]:
    """Return the items with each group spread evenly over the whole, in seeded order within a group."""
    sizes = Counter(map(group, items))
    seen: Counter[str] = Counter()
    placed: list[tuple[float, str, T]] = []
    for item in shuffled(items, seed, "interleave", key):
        name = group(item)
        place = (seen[name] + 0.5) / sizes[name]
        seen[name] += 1
        placed.append((place, rank(seed, "place", key(item)), item))
    return [item for _, _, item in sorted(placed, key=lambda entry: entry[:2])]


def stratified_split(
    items: Sequence[T], seed: int, stratum: Callable[[T], tuple[str, ...]], key: Callable[[T], str]
) -> dict[str, Split]:
    """Split items 80 : 120, every stratum within one item of that share; returns split by key.

    Systematic sampling over the items sorted by stratum: exact in total, and proportional in every
    run of neighbouring strata.
    """
    ordered = sorted(items, key=lambda item: (stratum(item), rank(seed, "split", key(item))))
    numerator, denominator = CALIBRATION_SHARE
    total = round(len(items) * numerator / denominator)

    def chosen(position: int) -> bool:
        return (position + 1) * total // len(items) > position * total // len(items)

    return {
        key(item): Split.CALIBRATION if chosen(position) else Split.CERTIFICATION
        for position, item in enumerate(ordered)
    }


def balanced_letters(
    items: Sequence[T],
    seed: int,
    size: Callable[[T], int],
    stratum: Callable[[T], str],
    key: Callable[[T], str],
) -> dict[str, str]:
    """Deal the correct letters evenly among items with equally many options; returns letter by key.

    Balance holds within each number of options, because a letter that is right more often there than
    elsewhere could be guessed. Letters are dealt stratum by stratum, so each stratum is balanced too.
    """
    dealt: dict[str, str] = {}
    ordered = sorted(items, key=lambda item: (size(item), stratum(item), rank(seed, "letters", key(item))))
    for options, group in groupby(ordered, key=size):
        for position, item in enumerate(group):
            hand, place = divmod(position, options)
            letters = shuffled(LETTERS[:options], seed, f"hand {options} {hand}", str)
            dealt[key(item)] = letters[place]
    return dealt
