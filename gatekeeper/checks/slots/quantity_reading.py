"""Reading quantities out of tokens: numbers, number words, units, comparators, intervals, lists."""

from collections.abc import Mapping
from math import inf
from typing import Final, NamedTuple

from gatekeeper.checks.slots.lexicon import STOP, key_of
from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.quantity import Quantity
from gatekeeper.checks.slots.tokens import Tokens
from gatekeeper.checks.slots.units import CASED, DEFAULT_UNITS, PREFIXED, TIME_UNITS, Unit, per, unit_of

_NUMBER_WORDS: Final = {
    word: float(value)
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
} | {"thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "ninety": 90.0, "hundred": 100.0}

_BEFORE: Final = {
    tuple(phrase.split()): sign
    for sign, phrases in {
        "<": "<|less than|below|under|fewer than|lower than|smaller than|shorter than|younger than|falls below|thinner than",
        "≤": "≤|< =|up to|at most|no more than|not more than|no greater than|not exceeding|not exceed|exceed no"
        "|never exceed|maximum of|a maximum of|at maximum|no longer than|no later than|within|no larger than|max|maximum"
        "|no higher than|less than or equal to|equal to or less than|capped at|limited to|not above|not over"
        "|never more than|cannot exceed|without exceeding|not be more than|not be above",
        ">": ">|more than|greater than|above|over|exceeding|exceeds|exceed|larger than|longer than|older than"
        "|higher than|beyond|bigger than|in excess of|thicker than|exceeded",
        "≥": "≥|> =|at least|no less than|not less than|minimum of|a minimum of|at minimum|no smaller than|no lower than"
        "|no fewer than|from|starting at|greater than or equal to|more than or equal to|equal to or greater than"
        "|equal to or more than|not below|not under|no sooner than|no earlier than|never less than|reaches|minimum|min",
        "~": "~|≈|about|approximately|around|roughly|some|nearly|almost|circa|approx",
    }.items()
    for phrase in phrases.split("|")
}
_LONGEST: Final = max(map(len, _BEFORE))
_COMPARING_ENDS: Final = frozenset(phrase[-1] for phrase in _BEFORE)
_AFTER: Final = {
    word: sign
    for sign, words in {
        "≥": "more higher greater above larger older longer over up bigger later beyond thicker",
        "≤": "less lower fewer below smaller younger shorter under earlier thinner",
    }.items()
    for word in words.split()
}
_TO: Final = frozenset({"–", "—", "-", "−", "to", "through", "‑"})
_JOINS: Final = frozenset({",", "and", "or", "/", "x", "×", "&"})
_UNNUMBERED: Final = wordset(
    "figure fig table section ref reference chapter page version edition no item question appendix day"
)
_LIMITS: Final = wordset("threshold cutoff limit cap ceiling maximum minimum limited capped cut boundary")
_ENTERING: Final = wordset("at from reaches reaching once starting")
_FREQUENT: Final = {
    "annual": (1.0, "year"), "annually": (1.0, "year"), "yearly": (1.0, "year"), "monthly": (1.0, "month"),
    "weekly": (1.0, "week"), "daily": (1.0, "day"), "hourly": (1.0, "hour"), "biennial": (2.0, "year"),
    "biennially": (2.0, "year"), "quarterly": (3.0, "month"), "biannually": (6.0, "month"), "semiannual": (6.0, "month"),
}  # fmt: skip
_VERBS: Final = frozenset(
    map(
        key_of,
        [
            "indicates",
            "suggests",
            "means",
            "requires",
            "needs",
            "calls",
            "warrants",
            "corresponds",
            "defines",
            "confirms",
            "makes",
            "carries",
            "diagnoses",
            "supports",
            "favors",
            "predicts",
            "produces",
            "leads",
            "allows",
            "qualifies",
            "counts",
            "raises",
            "prompts",
        ],
    )
)
_DENYING: Final = frozenset({"no", "not", "never", "none", "without"})
_OLD: Final = frozenset({"old", "age", "aged", "ages"})
_PERSONS: Final = wordset("patients patient women men adults children people persons those woman man anyone")
_BOTH: Final = frozenset({"and", "but", ","})
_EARLIER: Final = frozenset({"before", "prior", "preceding", "beforehand", "earlier", "pre"})
_LATER: Final = frozenset({"after", "later", "following", "post", "afterwards", "thereafter"})
_DIGITS: Final = frozenset("0123456789.")
_TRIGGERS: Final = frozenset(_NUMBER_WORDS) | frozenset(_FREQUENT) | frozenset(TIME_UNITS)
"""Where a quantity can stand: everything else is passed over."""
NO_UNIT: Final = Unit("number", 1.0)


class _Number(NamedTuple):
    value: float
    first: int
    last: int
    unit: Unit | None


def read_quantities(tokens: Tokens, concepts: Mapping[int, str], taken: set[int]) -> list[Quantity]:
    """Return the quantities of a text and add their tokens to `taken`.

    `concepts` maps the last token of every lexeme to its concept, so that "eGFR < 30" knows its unit.
    """
    found: list[Quantity] = []
    for position, word in enumerate(tokens.lower):
        if position in taken or not (word[0] in _DIGITS or word in _TRIGGERS):
            continue
        quantity = _quantity(tokens, position, concepts)
        if quantity is not None:
            found.append(quantity)
            taken.update(range(quantity.first, quantity.last))
    if len(found) > 1:
        found = _joined_bounds(tokens, _shared_units(tokens, found))
    return _frequencies_only(found)


def _quantity(tokens: Tokens, position: int, concepts: Mapping[int, str]) -> Quantity | None:
    number = _number(tokens, position)
    if number is None:
        return _wordless(tokens, position)
    if _is_reference(tokens, number):
        return None
    first, sign, approximate = _comparator(tokens, position)
    second, upper_sign, between = _upper_end(tokens, number, first)
    if second is not None:
        number = number._replace(unit=number.unit or second.unit, last=second.last)
    if between:
        first -= 1
    last, after = (number.last, "") if second is not None else _or_more(tokens, number.last)
    sign = after or sign
    unit, subject, last = _unit_and_subject(tokens, number._replace(last=last), first, concepts)
    relation, last = _relation(tokens, first, last, unit)
    if relation == "duration":
        sign, relation = "", ""
    low, high = _ends(number.value, second.value if second else None, sign)
    literal = (number.value,) if second is None else (number.value, second.value)
    return Quantity(
        first, last, low * unit.factor, high * unit.factor, unit, literal, subject, relation, approximate,
        limit=_is_limit(tokens, first, last, unit),
        denied=not _DENYING.isdisjoint(tokens.lower[max(0, first - 4) : first]),
    )  # fmt: skip


def _number(tokens: Tokens, position: int) -> _Number | None:
    """Read a number with its unit, or None where the token is none."""
    word = tokens.at(position)
    if tokens.is_number(position):
        value = float(word.replace(",", "").replace("·", "."))
    elif word in _NUMBER_WORDS:
        value = _NUMBER_WORDS[word]
    else:
        return None
    after = position + 1
    if tokens.at(after) == "(" and tokens.at(after + 2) == ")" and tokens.is_number(after + 1):
        after += 3  # "two (2) views"
    if tokens.at(after) == "-" and unit_of(tokens.raw[after + 1] if after + 1 < len(tokens) else ""):
        after += 1
    unit, last = _unit(tokens, after)
    if tokens.raw[position] == "." or (unit is None and word == "one" and tokens.at(after) != "to"):
        return None
    if (
        tokens.at(position - 1) in {"−", "-"}
        and not tokens.is_number(position - 2)
        and _attached(tokens, position)
    ):
        value = -value
    return _Number(value, position, last, unit)


def _attached(tokens: Tokens, position: int) -> bool:
    """Whether a sign stands before a number without space, and after white space or a bracket."""
    start = tokens.starts[position]
    before = tokens.text[start - 2 : start - 1]
    return tokens.starts[position - 1] == start - 1 and not before.strip(" \t(<>≥≤=")


def _unit(tokens: Tokens, position: int) -> tuple[Unit | None, int]:
    """Read a unit with its denominators: `mL/min/1.73 m²`, `mg per kg`, `mSv/year`."""
    raw = tokens.raw
    unit = unit_of(raw[position]) if position < len(raw) else None
    if unit is None or (raw[position] == "in"):
        return None, position
    position += 1
    if unit.measure == "pressure" or (unit.measure == "length" and tokens.at(position) == "hg"):
        if tokens.at(position) == "hg":
            unit, position = CASED["mmHg"], position + 1
    if unit.measure == "attenuation" and tokens.at(position) in {"unit", "units"}:
        position += 1
    while tokens.at(position) in {"/", "per", "a", "each", "every"} and position + 1 < len(raw):
        if tokens.at(position + 1) == "1.73":
            position += 3
            continue
        base = unit_of(raw[position + 1])
        if base is None or (tokens.at(position) in {"a", "each", "every"} and unit.measure not in PREFIXED):
            break
        position += 2
        if not (
            unit.measure in PREFIXED and base.measure == "time" and base.factor >= TIME_UNITS["year"].factor
        ):
            unit = per(unit, base)
    return unit, position


def _is_reference(tokens: Tokens, number: _Number) -> bool:
    """Whether a number numbers something: an edition's year, a citation, "Table 2", "3rd"."""
    position = number.first
    if number.unit is not None:
        return False
    if tokens.at(position - 1) in {"[", "#"} or tokens.at(position - 1) in _UNNUMBERED:
        return True
    if tokens.at(position + 1) in {"st", "nd", "rd", "th"}:
        return True
    digits = tokens.raw[position]
    return (
        digits.isdigit()
        and len(digits) == 4
        and 1900 <= number.value <= 2100
        and tokens.at(position - 1) not in "<>≤≥"
    )


def _comparator(tokens: Tokens, position: int) -> tuple[int, str, bool]:
    """Walk back over the comparator before a number: its first token, its sign, whether "about"."""
    if tokens.at(position - 1) in {"−", "-"} and _attached(tokens, position):
        position -= 1
    sign, approximate = "", False
    while True:
        length, found = _phrase_before(tokens, position)
        if not found or (sign and found != "~"):
            break
        if found == "~":
            approximate = True
        else:
            sign = found
        position -= length
    return position, sign, approximate


def _phrase_before(tokens: Tokens, position: int) -> tuple[int, str]:
    if tokens.at(position - 1) not in _COMPARING_ENDS:
        return 0, ""
    for length in range(min(_LONGEST, position), 0, -1):
        sign = _BEFORE.get(tuple(tokens.lower[position - length : position]))
        if sign:
            return length, sign
    return 0, ""


def _upper_end(tokens: Tokens, number: _Number, first: int) -> tuple[_Number | None, str, bool]:
    """Read the second number of "6–8", "6 to < 8", "between 6 and 8"."""
    between = tokens.at(first - 1) == "between"
    position = number.last
    if tokens.at(position) not in _TO and not (between and tokens.at(position) == "and"):
        return None, "", False
    position += 1
    for length in range(_LONGEST, 0, -1):
        sign = _BEFORE.get(tuple(tokens.lower[position : position + length]))
        if sign:
            second = _number(tokens, position + length)
            break
    else:
        sign, second = "", _number(tokens, position)
    if second is None or sign in {">", "≥"} or (second.value < number.value and not between):
        return None, "", False
    if number.unit and second.unit and number.unit.measure != second.unit.measure:
        return None, "", False
    return second, sign, between


def _or_more(tokens: Tokens, position: int) -> tuple[int, str]:
    if tokens.at(position) in {"or", "and"}:
        sign = _AFTER.get(tokens.at(position + 1), "")
        if sign and tokens.at(position + 2) != "than":
            return position + 2, sign
    if tokens.at(position) == "+":
        return position + 1, "≥"
    return position, ""


def _unit_and_subject(
    tokens: Tokens, number: _Number, first: int, concepts: Mapping[int, str]
) -> tuple[Unit, str, int]:
    """Return unit, the thing measured where it is named, and the quantity's last token."""
    subject = _subject(tokens, first, concepts)
    if number.unit is not None:
        return number.unit, subject if subject in DEFAULT_UNITS else "", number.last
    if subject in DEFAULT_UNITS:
        return DEFAULT_UNITS[subject], subject, number.last
    if tokens.at(first - 1) in _OLD or (first < number.first and tokens.at(first - 1) in _PERSONS):
        return TIME_UNITS["years"], "", number.last
    total = _ratio(tokens, number)
    if total is not None:
        return Unit("percent", 100.0 / total[0]), "", total[1]
    noun = tokens.at(number.last)
    whole = number.value == int(number.value)
    if whole and noun.isalpha() and noun not in STOP and tokens.keys[number.last] not in _VERBS:
        return Unit(f"count of {tokens.keys[number.last]}", 1.0), "", number.last
    return NO_UNIT, subject, number.last


def _subject(tokens: Tokens, first: int, concepts: Mapping[int, str]) -> str:
    near = range(first - 1, max(-1, first - 7), -1)
    acronyms = (at for at in near if at in concepts and tokens.raw[at].isupper() and len(tokens.raw[at]) > 1)
    named = (at for at in near if at in concepts)
    return concepts.get(next(acronyms, next(named, -1)), "")


def _ratio(tokens: Tokens, number: _Number) -> tuple[float, int] | None:
    """Read "1 in 1,000", "0 of 4,931", "3 out of 5"; return the whole and the last token."""
    position = number.last
    if tokens.at(position) == "out":
        position += 1
    if tokens.at(position) not in {"in", "of"} or not tokens.is_number(position + 1):
        return None
    whole = float(tokens.raw[position + 1].replace(",", "").replace("·", "."))
    return (whole, position + 2) if whole > number.value else None


def _relation(tokens: Tokens, first: int, last: int, unit: Unit) -> tuple[str, int]:
    """Say what a time means by the words around it; "over 2 years" lasts so long, is not more."""
    if unit.measure != "time":
        return "", last
    after, before = tokens.at(last), tokens.at(first - 1)
    if after in _OLD or (after == "of" and tokens.at(last + 1) == "age"):
        return "age", last + (2 if after == "of" else 1)
    if (
        before in _OLD
        or before in _PERSONS
        or tokens.at(first) in {"older", "younger"}
        or tokens.at(last - 1) in {"older", "younger"}
    ):
        return "age", last
    if before in {"every", "each", "per", "q", "once"} or tokens.at(last - 1) in _FREQUENT:
        return "every", last
    if after in _EARLIER:
        return "before", last
    if after in _LATER:
        return "after", last
    if after == "ago" or before in {"past", "last", "previous"}:
        return "past", last
    if tokens.at(first) == "over" and before not in {"for", "of"}:
        return "duration", last
    return "", last


def _ends(value: float, second: float | None, sign: str) -> tuple[float, float]:
    if second is not None:
        return min(value, second), max(value, second)
    if sign in {"<", "≤"}:
        return -inf, value
    if sign in {">", "≥"}:
        return value, inf
    return value, value


def _is_limit(tokens: Tokens, first: int, last: int, unit: Unit) -> bool:
    if unit.measure != "time":
        return tokens.at(first - 1) in _ENTERING or not _LIMITS.isdisjoint(tokens.lower)
    return any(tokens.at(position) in _LIMITS for position in range(first - 5, first))


def _wordless(tokens: Tokens, position: int) -> Quantity | None:
    """Read times that name no number: "annually", "every year", "within an hour"."""
    word, before = tokens.at(position), tokens.at(position - 1)
    if word in _FREQUENT and not tokens.is_number(position - 1):
        value, name = _FREQUENT[word]
    elif word in TIME_UNITS and before in {"within", "for"} and len(word) > 3 and word.endswith("s"):
        scale = TIME_UNITS[word].factor
        return Quantity(position, position + 1, scale, scale, Unit("order of time", 1.0), (1.0,))
    elif word in TIME_UNITS and len(word) > 2 and before in {"every", "each", "per"}:
        value, name = 1.0, word
    elif word in TIME_UNITS and len(word) > 2 and before == "first" and not tokens.is_number(position + 1):
        unit = TIME_UNITS[word]
        return Quantity(position - 1, position + 1, -inf, unit.factor, unit, (1.0,))
    elif word in TIME_UNITS and len(word) > 2 and before in {"a", "an"} and tokens.at(position - 2) in {
        "within", "after", "for", "in", "least", "than", "about", "once",
    }:  # fmt: skip
        first, sign, approximate = _comparator(tokens, position - 1)
        unit = TIME_UNITS[word]
        low, high = _ends(unit.factor, None, sign)
        relation, last = _relation(tokens, first, position + 1, unit)
        return Quantity(
            first, last, low, high, unit, (1.0,), "", relation.replace("duration", ""), approximate
        )
    else:
        return None
    unit = TIME_UNITS[name]
    seconds = value * unit.factor
    return Quantity(position, position + 1, seconds, seconds, unit, (value,), relation="every")


def _shared_units(tokens: Tokens, found: list[Quantity]) -> list[Quantity]:
    """Give the numbers of "13, 7 and 1 h" the unit that only the last of them carries."""
    shared = list(found)
    for position in range(len(shared) - 2, -1, -1):
        here, following = shared[position], shared[position + 1]
        between = tokens.lower[here.last : following.first]
        bare = here.unit.measure == "number" or here.unit.measure.startswith("count of")
        if (
            bare
            and between
            and len(between) <= 2
            and set(between) <= _JOINS
            and following.unit.measure != "number"
        ):
            scale = following.unit.factor
            shared[position] = here._replace(
                low=here.low * scale,
                high=here.high * scale,
                unit=following.unit,
                subject="",
                relation=following.relation,
            )
    return shared


def _joined_bounds(tokens: Tokens, found: list[Quantity]) -> list[Quantity]:
    """Read "more than 10 % and up to 50 %" as the interval that it is."""
    joined: list[Quantity] = []
    for quantity in found:
        lower = joined[-1] if joined else None
        if lower is not None and quantity.low == -inf and lower.high == inf and lower.low < quantity.high:
            between = tokens.lower[lower.last : quantity.first]
            if lower.unit == quantity.unit and len(between) <= 2 and _BOTH.issuperset(between):
                literal = lower.literal + quantity.literal
                joined[-1] = lower._replace(last=quantity.last, high=quantity.high, literal=literal)
                continue
        joined.append(quantity)
    return joined


def _frequencies_only(found: list[Quantity]) -> list[Quantity]:
    """Drop the "annual" of "an annual limit of 50 mSv", which is no interval between visits."""
    if not any(quantity.unit.measure in PREFIXED for quantity in found):
        return found
    return [
        quantity
        for quantity in found
        if quantity.unit != TIME_UNITS["year"] or quantity.literal != (1.0,) or quantity.relation == "age"
    ]
