"""One form for measures that are written in many: "48 h" and "two days", "not under 30" and "≥ 30".

A small reader compares words better than it calculates, so what can be calculated is done before it reads.
It has been trained on texts in this form, evidence and claims alike.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from math import isclose
from typing import Final, NamedTuple

from gatekeeper.checks.slots.comparators import comparator_after, comparator_at, comparator_before
from gatekeeper.checks.slots.numerals import NUMBER_WORDS, Numeral, is_reference, read_numeral
from gatekeeper.checks.slots.tokens import Tokens
from gatekeeper.checks.slots.units import CASED, TIME_UNITS, Unit

_LADDERS: Final[Mapping[str, Sequence[tuple[str, float]]]] = {
    measure: [(name, table[name.split(" ")[0]].factor) for name in names.split(", ")]
    for measure, names, table in (
        ("time", "weeks, days, hours, minutes, seconds", TIME_UNITS),
        ("calendar", "years, months", TIME_UNITS),
        ("length", "m, cm, mm", CASED),
        ("mass", "kg, g, mg, µg, ng", CASED),
        ("volume", "L, mL, µL", CASED),
        ("absorbed dose", "Gy, mGy, µGy", CASED),
        ("equivalent dose", "Sv, mSv, µSv", CASED),
        ("activity", "GBq, MBq, kBq", CASED),
        ("amount", "mol, mmol, µmol, nmol", CASED),
        ("percent", "%", CASED),
    )
}
"""Units that convert into one another exactly, the largest first."""
_IN_WHOLES: Final = frozenset({"time", "calendar", "length", "percent"})
"""Measures that are mostly given in whole numbers of some unit."""
_MONTH: Final = TIME_UNITS["month"].factor
_ALMOST: Final = 0.999999
_TO: Final = frozenset({"–", "—", "-", "−", "to", "‑"})
_SPELLED: Final = (
    (
        re.compile(r"\bhalf an? (?=(?:hour|day|minute|year|month|week|litre|liter|gram)\b)", re.IGNORECASE),
        "0.5 ",
    ),
    (re.compile(r"\b(?:a |one )?fortnight\b", re.IGNORECASE), "2 weeks"),
    (
        re.compile(
            r"\b(in|for|or|within|after|least|about|than|over) an? (?=(?:hour|day|minute|year|month|week)\b)",
            re.IGNORECASE,
        ),
        r"\1 1 ",
    ),
)
"""Amounts without a number."""


class _Measure(NamedTuple):
    """What stands from token `first` up to `last`, in its one form."""

    first: int
    last: int
    written: str


def canonical(text: str) -> str:
    """Return the text with numbers in digits, comparators as signs, and measures in one unit each.

    The unit is the largest in which times and lengths are whole, and other measures are 1 or more: 36 h
    stay, 48 h are 2 days, 0.5 mg are 500 µg. Whatever is not understood stays as it is.
    """
    for pattern, amount in _SPELLED:
        text = pattern.sub(amount, text)
    tokens = Tokens(text)
    pieces: list[str] = []
    end = 0
    for measure in _measures(tokens):
        start, stop = tokens.span(measure.first, measure.last)
        pieces += (text[end:start], measure.written)
        end = stop
    return "".join(pieces) + text[end:]


def _measures(tokens: Tokens) -> Iterator[_Measure]:
    position, end = 0, 0
    while position < len(tokens):
        measure = _measure(tokens, position, end)
        if measure is not None:
            yield measure
            end = measure.last
        position = max(position + 1, end)


def _measure(tokens: Tokens, position: int, free: int) -> _Measure | None:
    """Return the measure whose number stands at a token; nothing before token `free` belongs to it."""
    if not (tokens.is_number(position) or tokens.at(position) in NUMBER_WORDS):
        return None
    if tokens.glued(position) and tokens.at(position - 1)[-1].isalnum():
        return None  # part of a name
    number = read_numeral(tokens, position)
    if number is None or number.first < free or is_reference(tokens, number):
        return None
    first, sign, about = comparator_before(tokens, number.first)
    if first < free:
        first, sign, about = number.first, "", False
    upper = _upper(tokens, number)
    if upper is None:
        last, after = comparator_after(tokens, number.last)
        sign = after or sign
        written = _written(tokens, number, number.unit)
    else:
        between = tokens.at(first - 1) == "between" and first - 1 >= free
        first -= between
        unit, last = upper.unit, upper.last
        written = f"{_written(tokens, number, unit)} to {_written(tokens, upper, unit)}"
    return _Measure(first, last, f"{'about ' if about else ''}{sign}{' ' if sign else ''}{written}")


def _upper(tokens: Tokens, number: Numeral) -> Numeral | None:
    """Return the second number of "6–8", "6 to < 8", "between 6 and 8"."""
    joined = tokens.at(number.last)
    between = joined == "and" and tokens.at(number.first - 1) == "between"
    if joined not in _TO and not between:
        return None
    length, sign = comparator_at(tokens, number.last + 1)
    second = read_numeral(tokens, number.last + 1 + length)
    if second is None or sign in {">", "≥"} or (number.unit and second.unit and number.unit != second.unit):
        return None
    return second


def _written(tokens: Tokens, number: Numeral, unit: Unit | None) -> str:
    """Return a number with its unit in one form; a unit that is not known stays as it was written."""
    own = _after_number(tokens, number)
    ladder = _LADDERS.get(_family(unit)) if unit and not _is_rate(own) else None
    if unit is None or ladder is None:
        return f"{number.value:g}{own}"
    base, wholes = number.value * unit.factor, unit.measure in _IN_WHOLES
    fitting = (step for step in ladder if _fits(base / step[1], wholes=wholes))
    name, factor = next(fitting, ladder[-1])
    return f"{base / factor:.6g} {name}"


def _after_number(tokens: Tokens, number: Numeral) -> str:
    """Return what a numeral covers beyond its number, as written."""
    digits = next(at for at in range(number.first, number.last) if tokens.at(at) not in {"-", "−"})
    start, end = tokens.span(digits, number.last)
    return tokens.text[start + len(tokens.raw[digits]) : end]


def _family(unit: Unit) -> str:
    return "calendar" if unit.measure == "time" and unit.factor >= _MONTH else unit.measure


def _is_rate(unit: str) -> bool:
    """Whether a unit as written goes on: "mSv per year", "g / day"."""
    return "/" in unit or " " in unit.strip()


def _fits(value: float, *, wholes: bool) -> bool:
    return value > _ALMOST and (not wholes or isclose(value, round(value), rel_tol=1e-6))
