"""How often something is done: "every 6 h", "q6h", "twice daily", "three times a day", "40 mg bd"."""

import re
from typing import Final

from gatekeeper.checks.slots.comparators import bounds, comparator_before
from gatekeeper.checks.slots.numerals import NUMBER_WORDS, number_of
from gatekeeper.checks.slots.quantity import Quantity
from gatekeeper.checks.slots.tokens import Tokens
from gatekeeper.checks.slots.units import TIME_UNITS, Unit

REGULAR: Final = {
    word: (float(count), unit)
    for unit, words in {
        "year": "annual=1 annually=1 yearly=1 biennial=2 biennially=2",
        "month": "monthly=1 quarterly=3 biannually=6 semiannual=6",
        "week": "weekly=1 fortnightly=2",
        "day": "daily=1 nightly=1",
        "hour": "hourly=1",
    }.items()
    for word, _, count in (entry.partition("=") for entry in words.split())
}
"""Words for an interval between two times: how many of which unit it is."""
_PER_DAY: Final = {
    word: times
    for times, words in enumerate(("od qd", "bd bid", "tds tid", "qds qid"), 1)
    for word in words.split()
}
COUNTED: Final = {"once": 1.0, "twice": 2.0, "thrice": 3.0}
ABBREVIATED: Final = _PER_DAY.keys()
_EVERY: Final = re.compile(r"q(\d{1,3})(h|hr|hrs|min|mins|d|wk|w|mo)")
_LETTERS: Final = {"w": "week"}
_TIMES: Final = frozenset({"times", "x", "×"})
_EACH: Final = frozenset({"a", "per", "each", "every", "/"})
_TURNED: Final = {"<": ">", "≤": "≥", ">": "<", "≥": "≤"}


def is_interval(word: str) -> bool:
    """Whether a word in small letters is one such as "q6h"."""
    return _EVERY.fullmatch(word) is not None


def read_frequency(tokens: Tokens, position: int, taken: set[int]) -> Quantity | None:
    """Read how often something is done, from a token on; the quantity is the time between twice."""
    word = tokens.at(position)
    if word in REGULAR:
        count, name = REGULAR[word]
        unit = TIME_UNITS[name]
        return None if tokens.is_number(position - 1) else regular(position, position + 1, unit, count)
    if word in _PER_DAY:
        # Beside a dose: "OD" is the right eye too, and "BD" a bile duct.
        dose = not taken.isdisjoint((position - 1, position - 2))
        return regular(position, position + 1, TIME_UNITS["day"], 1.0 / _PER_DAY[word]) if dose else None
    found = _EVERY.fullmatch(word) if word[0] == "q" else None
    if found is not None:
        unit = TIME_UNITS[_LETTERS.get(found[2], found[2])]
        return regular(position, position + 1, unit, float(found[1]))
    return _so_often(tokens, position)


def _so_often(tokens: Tokens, position: int) -> Quantity | None:
    """Read "twice daily", "three times a week", "2×/day"; "at most" makes the time between a lower bound."""
    word = tokens.at(position)
    if word in COUNTED:
        times, at = COUNTED[word], position + 1
    elif tokens.at(position + 1) not in _TIMES:
        return None
    elif tokens.is_number(position):
        times, at = number_of(word), position + 2
    elif word in NUMBER_WORDS:
        times, at = NUMBER_WORDS[word], position + 2
    else:
        return None
    unit, last = _period(tokens, at)
    if unit is None or times <= 0:
        return None
    first, sign, approximate = comparator_before(tokens, position)
    low, high = bounds(unit.factor / times, None, _TURNED.get(sign, ""))
    return Quantity(first, last, low, high, unit, (times,), relation="every", approximate=approximate)


def _period(tokens: Tokens, position: int) -> tuple[Unit | None, int]:
    """Read "daily" and "a day"."""
    word = tokens.at(position)
    if word in REGULAR:
        count, name = REGULAR[word]
        unit = TIME_UNITS[name]
        return Unit(unit.measure, count * unit.factor), position + 1
    if word in _EACH and tokens.at(position + 1) in TIME_UNITS:
        return TIME_UNITS[tokens.at(position + 1)], position + 2
    return None, position


def regular(first: int, last: int, unit: Unit, count: float) -> Quantity:
    """Return the interval of so many units between two times."""
    seconds = count * unit.factor
    return Quantity(first, last, seconds, seconds, unit, (count,), relation="every")
