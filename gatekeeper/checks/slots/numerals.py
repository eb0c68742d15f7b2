"""Numbers in digits and words, with the units that follow them."""

from typing import Final, final

from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.tokens import Tokens
from gatekeeper.checks.slots.units import CASED, PREFIXED, TIME_UNITS, Unit, per, unit_of

_UNITS_AND_TEENS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty"
)
NUMBER_WORDS: Final = {
    **{word: float(value) for value, word in enumerate(_UNITS_AND_TEENS.split(" "))},
    **{"thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "ninety": 90.0, "hundred": 100.0},
}
_NUMBERED: Final = wordset(
    "figure fig table section ref reference chapter page version edition no item question appendix day [ #"
)
_QUALIFYING: Final = wordset("calendar consecutive full further additional whole working more")
_MINUS: Final = frozenset({"-", "−"})


@final
class Numeral:
    """A number with its unit, where one follows, and its place among the tokens."""

    __slots__ = ("first", "last", "unit", "value")

    def __init__(self, value: float, first: int, last: int, unit: Unit | None) -> None:
        self.value = value
        self.first = first
        self.last = last
        self.unit = unit


def read_numeral(tokens: Tokens, position: int) -> Numeral | None:
    """Read the number at a token, or None where it is none."""
    word = tokens.at(position)
    if tokens.is_number(position):
        value = number_of(word)
    elif word in NUMBER_WORDS:
        value = NUMBER_WORDS[word]
    else:
        return None
    after = position + 1
    if tokens.at(after) == "(" and tokens.at(after + 2) == ")" and tokens.is_number(after + 1):
        after += 3  # "two (2) views"
    if tokens.at(after) == "-" and after + 1 < len(tokens) and unit_of(tokens.raw[after + 1]):
        after += 1
    if tokens.at(after) in _QUALIFYING and tokens.at(after + 1) in TIME_UNITS:
        after += 1  # "7 calendar days"
    unit, last = _unit(tokens, after)
    if unit is None and word == "one" and tokens.at(after) != "to":
        return None  # "one should"
    if tokens.at(position - 1) in _MINUS and _is_sign(tokens, position - 1):
        return Numeral(-value, position - 1, last, unit)
    return Numeral(value, position, last, unit)


def number_of(digits: str) -> float:
    """Return the value of a number in digits, with thousands separators or a raised decimal point."""
    return float(digits.replace(",", "").replace("·", "."))


def _is_sign(tokens: Tokens, position: int) -> bool:
    """Whether a dash stands right before its number, and after white space, a bracket or a comparator."""
    start = tokens.starts[position]
    return tokens.glued(position + 1) and not tokens.text[max(0, start - 1) : start].strip(" \t(<>≥≤=")


def _unit(tokens: Tokens, position: int) -> tuple[Unit | None, int]:
    """Read a unit with its denominators: `mL/min/1.73 m²`, `mg per kg`, `mSv/year`."""
    raw = tokens.raw
    unit = unit_of(raw[position]) if position < len(raw) else None
    if unit is None:
        return None, position
    position += 1
    if unit.measure == "length" and tokens.at(position) == "hg":
        return CASED["mmHg"], position + 1
    if unit.measure == "attenuation" and tokens.at(position) in {"unit", "units"}:
        position += 1
    while tokens.at(position) in _PER and position + 1 < len(raw):
        if tokens.at(position + 1) == "1.73":
            position += 3
            continue
        base = unit_of(raw[position + 1])
        if base is None or (tokens.at(position) in _EACH and unit.measure not in PREFIXED):
            break
        position += 2
        yearly = base.measure == "time" and base.factor >= TIME_UNITS["year"].factor
        if not (yearly and unit.measure in PREFIXED):
            unit = per(unit, base)
    return unit, position


_EACH: Final = frozenset({"a", "each", "every"})
_PER: Final = _EACH | {"/", "per"}


def is_reference(tokens: Tokens, number: Numeral) -> bool:
    """Whether a number numbers something: an edition's year, a citation, "Table 2", "3rd"."""
    if number.unit is not None:
        return False
    before = tokens.at(number.first - 1)
    if before in _NUMBERED or tokens.at(number.first + 1) in {"st", "nd", "rd", "th"}:
        return True
    year = len(tokens.raw[number.first]) == 4 and 1900 <= number.value <= 2100
    return year and before not in {"<", ">", "≤", "≥"}
