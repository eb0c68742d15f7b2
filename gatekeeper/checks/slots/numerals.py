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
_SCALES: Final = frozenset({"scale", "scales", "system", "score", "likert"})
_DAYS: Final = frozenset("0123456")
_WEEK: Final = TIME_UNITS["week"]
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
        value, after = figure(tokens, position)
    elif word in NUMBER_WORDS:
        value, after = NUMBER_WORDS[word], position + 1
    else:
        return None
    if tokens.at(after) == "(" and tokens.at(after + 2) == ")" and tokens.is_number(after + 1):
        after += 3  # "two (2) views"
    if tokens.at(after) == "-" and after + 1 < len(tokens) and unit_of(tokens.raw[after + 1]):
        after += 1
    if tokens.at(after) in _QUALIFYING and tokens.at(after + 1) in TIME_UNITS:
        after += 1  # "7 calendar days"
    if tokens.at(after) == "+" and tokens.at(after + 1) in _DAYS and tokens.glued(after + 1):
        value, after = value + float(tokens.at(after + 1)) / 7, after + 2  # "9+6 weeks"
    unit, last = _unit(tokens, after)
    if unit == _WEEK and tokens.at(last) in _DAYS and tokens.at(last + 1) in {"days", "day"}:
        value, last = value + float(tokens.at(last)) / 7, last + 2  # "9 weeks 6 days"
    if unit is None and word == "one" and tokens.at(after) != "to":
        return None  # "one should"
    if tokens.at(position - 1) in _MINUS and _is_sign(tokens, position - 1):
        return Numeral(-value, position - 1, last, unit)
    return Numeral(value, position, last, unit)


def figure(tokens: Tokens, position: int) -> tuple[float, int]:
    """Read a number in digits, "13 000" too; return its value and the token after it."""
    word, last = tokens.lower[position], position + 1
    if not _is_thousand(tokens, last) or len(word) > 3 or not word.isdigit() or word[0] == "0":
        return number_of(word), last
    if tokens.is_number(position - 1):
        return number_of(word), last
    while _is_thousand(tokens, last):
        word += tokens.lower[last]
        last += 1
    return float(word), last


def number_of(digits: str) -> float:
    """Return the value of a number in digits, with thousands separators or a raised decimal point."""
    return float(digits.replace(",", "").replace("·", "."))


def _is_thousand(tokens: Tokens, position: int) -> bool:
    return (
        tokens.is_number(position) and len(tokens.lower[position]) == 3 and tokens.lower[position].isdigit()
    )


def _is_sign(tokens: Tokens, position: int) -> bool:
    """Whether a dash stands right before its number, and after white space, a bracket or a comparator."""
    start = tokens.starts[position]
    return tokens.glued(position + 1) and not tokens.text[max(0, start - 1) : start].strip(" \t(<>≥≤=")


def _unit(tokens: Tokens, position: int) -> tuple[Unit | None, int]:
    """Read a unit with its denominators: `mL/min/1.73 m²`, `mg per kg`, `mSv/year`, `× 10⁹/L`."""
    raw = tokens.raw
    unit = unit_of(raw[position]) if position < len(raw) else None
    if unit is None:
        return _count(tokens, position)
    position += 1
    if unit.measure == "length" and tokens.at(position) == "hg":
        return CASED["mmHg"], position + 1
    if unit.measure == "attenuation" and tokens.at(position) in {"unit", "units"}:
        position += 1
    if unit.measure == "length":
        at = position + (tokens.at(position) == "in")
        if tokens.at(at) in {"a", "one"} and tokens.at(at + 1) in _GROWING:
            return per(unit, TIME_UNITS[tokens.at(at + 1)]), at + 2  # "grows by 1 cm in a year"
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


def _count(tokens: Tokens, position: int) -> tuple[Unit | None, int]:
    """Read "/µL" and "× 10⁹/L", by which cells are counted."""
    power, at = 0, position
    if tokens.at(at) in _TIMES:
        power, at = _power_of_ten(tokens, at + 1)
    base = unit_of(tokens.raw[at + 1]) if tokens.at(at) == "/" and at + 1 < len(tokens) else None
    if base is None or base.measure != "volume" or (at > position and not power):
        return None, position
    return Unit("count/volume", 10.0**power / base.factor), at + 2


def _power_of_ten(tokens: Tokens, position: int) -> tuple[int, int]:
    """Read "10⁹", "10^9" and, where the raised digit is lost, "109": the power, and the token after it."""
    word, following = tokens.at(position), tokens.at(position + 1)
    if word in _FLAT_POWERS:
        return _FLAT_POWERS[word], position + 1
    if word != "10":
        return 0, position
    if following in _RAISED:
        return _RAISED[following], position + 2
    if following in {"^", "*"} and tokens.is_number(position + 2) and tokens.at(position + 2).isdigit():
        return int(tokens.at(position + 2)[:2]), position + 3
    return 0, position


_TIMES: Final = frozenset({"×", "x", "*", "·"})
_RAISED: Final = {"³": 3, "⁶": 6, "⁹": 9, "¹²": 12}
_FLAT_POWERS: Final = {"103": 3, "106": 6, "109": 9, "1012": 12}
_GROWING: Final = frozenset({"day", "week", "month", "year"})
_EACH: Final = frozenset({"a", "each", "every"})
_PER: Final = _EACH | {"/", "per"}


def _is_part_of_name(tokens: Tokens, position: int) -> bool:
    """Whether a number hangs on a name by a hyphen: CURB-65, I-123."""
    name = tokens.raw[position - 1] if position else ""
    if not name.isalpha() or not name[0].isupper() or not tokens.is_number(position):
        return False
    start = tokens.starts[position]
    return tokens.text[start - 1] == "-" and tokens.text[start - 2].isalpha()


def is_reference(tokens: Tokens, number: Numeral) -> bool:
    """Whether a number numbers something: an edition's year, a citation, "Table 2", "3rd"."""
    if number.unit is not None:
        return False
    if _is_part_of_name(tokens, number.first):
        return True
    before = tokens.at(number.first - 1)
    if tokens.at(number.last) == "point" and tokens.at(number.last + 1) in _SCALES:
        return True
    if number.first == 0 and tokens.at(number.last) == ":":
        return True  # "3: CT in 6 months" tells what holds for category 3
    if before in _NUMBERED or tokens.at(number.first + 1) in {"st", "nd", "rd", "th"}:
        return True
    year = len(tokens.raw[number.first]) == 4 and 1900 <= number.value <= 2100
    return year and before not in {"<", ">", "≤", "≥"}
