"""Reading quantities out of tokens: numbers with comparators, intervals, lists, times without numbers."""

from collections.abc import Sequence
from math import inf
from typing import Final

from gatekeeper.checks.slots.comparators import bounds, comparator_after, comparator_at, comparator_before
from gatekeeper.checks.slots.frequency import (
    ABBREVIATED,
    COUNTED,
    REGULAR,
    is_interval,
    read_frequency,
    regular,
)
from gatekeeper.checks.slots.lexicon import STOP, key_of
from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.numerals import NUMBER_WORDS, Numeral, figure, is_reference, read_numeral
from gatekeeper.checks.slots.quantity import REPLACED, Quantity
from gatekeeper.checks.slots.tokens import Lexeme, Tokens
from gatekeeper.checks.slots.units import DEFAULT_UNITS, PREFIXED, TIME_UNITS, Unit, unit_of

_TO: Final = frozenset({"–", "—", "-", "−", "to", "through", "‑"})
_JOINS: Final = frozenset({",", "and", "or", "/", "x", "×", "&", "±"})
_ENUMERATING: Final = frozenset({"and", "or"})
_OPENING: Final = frozenset({"for", "at", "and", "or", ","})
_GOVERNING: Final = frozenset({"for", "at"})
_BOTH: Final = frozenset({"and", "but", ","})
_LIMITS: Final = wordset(
    "threshold thresholds cutoff limit limits cap ceiling maximum minimum limited capped cut boundary"
)
_ENTERING: Final = wordset("at from reaches reaching once starting")
_MEASURING: Final = frozenset({"measuring", "measures", "measured"})
_VERBS: Final = frozenset(
    key_of(verb)
    for verb in wordset(
        "indicates suggests means requires needs calls warrants corresponds defines confirms makes carries"
        " diagnoses supports favors predicts produces leads allows qualifies counts raises prompts"
    )
)
_DENYING: Final = frozenset({"no", "not", "never", "none", "without"})
_OLD: Final = frozenset({"old", "age", "aged", "ages"})
_YEARS: Final = frozenset({"older", "younger"})
_PERSONS: Final = wordset("patients patient women men adults children people persons those woman man anyone")
_REPEATED: Final = frozenset({"every", "each", "per", "q", "once"})
_EARLIER: Final = frozenset({"before", "prior", "preceding", "beforehand", "earlier", "pre"})
_LATER: Final = frozenset({"after", "later", "following", "post", "afterwards", "thereafter"})
_WAITING: Final = wordset("wait waiting waits allow allowing leave leaving defer delay")
_ADDING: Final = wordset("followed preceded accompanied replaced succeeded")
_USUAL: Final = frozenset({"usual", "standard", "ordinary", "normal", "not"})
_INSTEAD: Final = frozenset({("rather", "than"), ("instead", "of")})
_MULTIPLYING: Final = frozenset({"×", "x", "*"})
_ONE: Final = wordset("within after for in least than about once")
_BANDS: Final = frozenset({"band", "bracket", "range", "row", "tier"})
"""What an interval is called that a value lies in: it has that value's unit."""
_COMPARING: Final = frozenset({"less", "more", "fewer", "longer", "shorter", "higher", "lower"})
_DIGITS: Final = frozenset("0123456789.")
_TRIGGERS: Final = NUMBER_WORDS.keys() | REGULAR.keys() | TIME_UNITS.keys() | COUNTED.keys() | ABBREVIATED
"""Where a quantity can stand: everything else is passed over."""
_SUBJECT_REACH: Final = 6
_ADULT: Final = 15.0
_PER_MICROLITRE: Final = 2000.0
"""Above it a bare number of platelets is one per microlitre."""
_NO_UNIT: Final = Unit("number", 1.0)


def read_quantities(tokens: Tokens, lexemes: Sequence[Lexeme], taken: set[int]) -> list[Quantity]:
    """Return the quantities of a text and add their tokens to `taken`.

    `lexemes` are those of the text, so that "eGFR < 30" knows its unit.
    """
    found: list[Quantity] = []
    for position, word in enumerate(tokens.lower):
        is_figure = tokens.forms[position].is_number and word[0] in _DIGITS
        if (
            not (is_figure or word in _TRIGGERS or (word[0] == "q" and is_interval(word)))
            or position in taken
        ):
            continue
        quantity = read_frequency(tokens, position, taken) or _read(tokens, position, lexemes)
        if quantity is not None:
            found.append(quantity)
            taken.update(range(quantity.first, quantity.last))
    if len(found) > 1:
        found = _ages(found)
        found = _joined_bounds(tokens, _carried_units(tokens, _shared_units(tokens, found), taken))
    return _without_rates(found)


def _read(tokens: Tokens, position: int, lexemes: Sequence[Lexeme]) -> Quantity | None:
    numeral = read_numeral(tokens, position)
    if numeral is None:
        return _numberless(tokens, position)
    return None if is_reference(tokens, numeral) else _quantity(tokens, numeral, lexemes)


def _quantity(tokens: Tokens, numeral: Numeral, lexemes: Sequence[Lexeme]) -> Quantity:
    first, sign, approximate = comparator_before(tokens, numeral.first)
    second, between = _upper_end(tokens, numeral, first)
    first -= between
    if second is not None:
        numeral = Numeral(numeral.value, numeral.first, second.last, numeral.unit or second.unit)
    else:
        last, after = comparator_after(tokens, numeral.last)
        numeral, sign = Numeral(numeral.value, numeral.first, last, numeral.unit), after or sign
    unit, subject, last = _unit_and_subject(tokens, numeral, first, lexemes)
    if not sign and second is None and unit.measure in {"points", f"count of {_key(tokens, last)}"}:
        end, sign = comparator_after(tokens, last + 1)  # "4 points or fewer"
        last = end if sign else last
    relation, last = _relation(tokens, first, last, unit)
    if relation == "duration":
        sign, relation = "", ""
    low, high = bounds(numeral.value, second.value if second else None, sign)
    return Quantity(
        first,
        last,
        low * unit.factor,
        high * unit.factor,
        unit,
        literal=(numeral.value,) if second is None else (numeral.value, second.value),
        subject=subject,
        relation=relation,
        approximate=approximate,
        denied=not _DENYING.isdisjoint(tokens.lower[max(0, first - 4) : first]),
        limit=_is_limit(tokens, first, unit),
    )


def _key(tokens: Tokens, position: int) -> str:
    return tokens.forms[position].key if position < len(tokens) else ""


def _upper_end(tokens: Tokens, number: Numeral, first: int) -> tuple[Numeral | None, bool]:
    """Read the second number of "6–8", "6 to < 8", "between 6 and 8"; whether "between" stands before."""
    between = tokens.at(first - 1) == "between"
    position = number.last
    if tokens.at(position) not in _TO and not (between and tokens.at(position) == "and"):
        return None, False
    length, sign = comparator_at(tokens, position + 1)
    second = read_numeral(tokens, position + 1 + length)
    if second is None or sign in {">", "≥"} or (second.value < number.value and not between):
        return None, False
    if number.unit and second.unit and number.unit.measure != second.unit.measure:
        return None, False
    return second, between


def _unit_and_subject(
    tokens: Tokens, number: Numeral, first: int, lexemes: Sequence[Lexeme]
) -> tuple[Unit, str, int]:
    """Return unit, the thing measured where it is named, and the quantity's last token."""
    subject = _subject(tokens, first, lexemes)
    if number.unit is not None:
        return number.unit, subject if subject in DEFAULT_UNITS else "", number.last
    counted = _counted(tokens, number)
    reached = range(max(0, first - _SUBJECT_REACH), first)
    if counted and any(tokens.is_number(at) for at in reached):
        subject = ""  # "CrCl 50, four doses"
    if subject in DEFAULT_UNITS:
        unit = DEFAULT_UNITS[subject]
        if unit.measure == "count/volume" and number.value >= _PER_MICROLITRE:
            unit = Unit(unit.measure, unit.factor / 1000)
        return unit, subject, number.last
    before = tokens.at(first - 1)
    if before in _OLD or (before in _PERSONS and first < number.first):
        return TIME_UNITS["years"], "", number.last
    total = _ratio(tokens, number)
    if total is not None:
        return Unit("percent", 100.0 / total[0]), "", total[1]
    if _key(tokens, number.last) == "point":
        return DEFAULT_UNITS["scor"], "scor", number.last
    return counted or _NO_UNIT, "" if counted else subject, number.last


def _counted(tokens: Tokens, number: Numeral) -> Unit | None:
    """Read what a whole number counts: "four doses"."""
    noun, key = tokens.at(number.last), _key(tokens, number.last)
    if (
        number.value != int(number.value)
        or not noun.isalpha()
        or noun in STOP
        or key in _VERBS
        or noun in _BANDS
    ):
        return None
    return Unit(f"count of {key}", 1.0)


def _subject(tokens: Tokens, first: int, lexemes: Sequence[Lexeme]) -> str:
    """Return what a number measures: the acronym before it, else the noun before it."""
    nearest = ""
    for lexeme in reversed(lexemes):
        at = lexeme.last - 1
        if at < first - _SUBJECT_REACH:
            break
        if at < first and lexeme.is_subject:
            word = tokens.raw[at]
            is_acronym = word[1:] != word[1:].lower() and unit_of(word) is None  # INR, eGFR, CrCl
            if is_acronym or not nearest:
                nearest = lexeme.concept
            if is_acronym:
                break
    return nearest


def _ratio(tokens: Tokens, number: Numeral) -> tuple[float, int] | None:
    """Read "1 in 1,000", "0 of 4,931", "3 out of 5"; return the whole and the last token."""
    position = number.last + (tokens.at(number.last) == "out")
    if tokens.at(position) not in {"in", "of"} or not tokens.is_number(position + 1):
        return None
    whole, last = figure(tokens, position + 1)
    return (whole, last) if whole > number.value else None


def _relation(tokens: Tokens, first: int, last: int, unit: Unit) -> tuple[str, int]:
    """Say what a time means by the words around it; "over 2 years" lasts so long, is not more."""
    after, before = tokens.at(last), tokens.at(first - 1)
    if before == "±" or (after in _COMPARING and tokens.at(last + 1) == "than"):
        return "change", last
    if unit.measure != "time":
        return _relation_of_size(tokens, first), last
    if after in _OLD or (after == "of" and tokens.at(last + 1) == "age"):
        return "age", last + (2 if after == "of" else 1)
    relation = ""
    if _is_age(tokens, first, last, unit):
        relation = "age"
    elif before in _REPEATED or tokens.at(last - 1) in REGULAR:
        relation = "every"
    elif before in _WAITING:
        relation = ""  # "after radiotherapy wait 8 weeks before a scan"
    elif after in _EARLIER:
        relation = "before"
    elif after in _LATER:
        relation = "after"
    elif after == "ago" or before in {"past", "last", "previous"}:
        relation = "past"
    elif tokens.at(first) == "over" and before not in {"for", "of"}:
        relation = "duration"
    return relation, last


def _relation_of_size(tokens: Tokens, first: int) -> str:
    """Say what a value other than a time means by the words before it."""
    earlier, before = tokens.at(first - 2), tokens.at(first - 1)
    if before in _USUAL or (earlier, before) in _INSTEAD:
        return REPLACED
    if before in _MULTIPLYING and earlier.isalpha():
        return "factor"  # "age × 10 µg/L"
    return "change" if before == "by" and earlier not in _ADDING else ""


def _is_age(tokens: Tokens, first: int, last: int, unit: Unit) -> bool:
    before = tokens.at(first - 1)
    if before in _OLD or tokens.at(first) in _YEARS or tokens.at(last - 1) in _YEARS:
        return True
    of_persons = before in _PERSONS and not tokens.is_number(first)
    return of_persons and unit.factor >= TIME_UNITS["month"].factor


def _is_limit(tokens: Tokens, first: int, unit: Unit) -> bool:
    if tokens.at(first - 1) in _MEASURING:
        return False
    if unit.measure != "time":
        return tokens.at(first - 1) in _ENTERING or not _LIMITS.isdisjoint(tokens.lower)
    return not _LIMITS.isdisjoint(tokens.lower[max(0, first - 5) : first])


def _numberless(tokens: Tokens, position: int) -> Quantity | None:
    """Read times that name no number: "annually", "every year", "within an hour", "the first week"."""
    word, before = tokens.at(position), tokens.at(position - 1)
    unit = TIME_UNITS.get(word)
    if unit is None or len(word) < 3:
        return None
    found = None
    if before in {"within", "for"} and len(word) > 3 and word.endswith("s"):
        scale = unit.factor  # "within hours": how many is left open
        found = Quantity(position, position + 1, scale, scale, Unit("order of time", 1.0), (1.0,))
    elif before in {"every", "each", "per"}:
        found = regular(position, position + 1, unit, 1.0)
    elif before == "first" and not tokens.is_number(position + 1):
        found = Quantity(position - 1, position + 1, -inf, unit.factor, unit, (1.0,))
    elif before in {"a", "an"} and (
        tokens.at(position - 2) in _ONE
        or _part(tokens, position - 1)[0] < 1.0
        or _is_before_or_after(tokens, position + 1)
    ):
        found = _one(tokens, position, unit)
    return found


def _part(tokens: Tokens, article: int) -> tuple[float, int]:
    """Read "half" and "a quarter of" before "an hour": how much of it, and where it begins."""
    if tokens.at(article - 1) == "half":
        return 0.5, article - 1
    if tokens.at(article - 1) == "of" and tokens.at(article - 2) == "quarter":
        return 0.25, article - 2 - (tokens.at(article - 3) == "a")
    return 1.0, article


def _is_before_or_after(tokens: Tokens, position: int) -> bool:
    return tokens.at(position) in _EARLIER or tokens.at(position) in _LATER


def _one(tokens: Tokens, position: int, unit: Unit) -> Quantity:
    count, begin = _part(tokens, position - 1)
    first, sign, approximate = comparator_before(tokens, begin)
    low, high = bounds(count * unit.factor, None, sign)
    relation, last = _relation(tokens, first, position + 1, unit)
    relation = "" if relation == "duration" else relation
    return Quantity(first, last, low, high, unit, (count,), relation=relation, approximate=approximate)


def _shared_units(tokens: Tokens, found: list[Quantity]) -> list[Quantity]:
    """Give the numbers of "13, 7 and 1 h" the unit that only the last of them carries."""
    shared = list(found)
    for position in range(len(shared) - 2, -1, -1):
        here, following = shared[position], shared[position + 1]
        between = tokens.lower[here.last : following.first]
        is_list = 0 < len(between) <= 2 and _JOINS.issuperset(between)
        # "at 32 and, if needed, 36 weeks"
        is_list = is_list or (
            3 <= len(between) <= 6 and between[0] in _ENUMERATING and between.count(",") == 2
        )
        if is_list and between == ["/"] and following.is_point and not (here.is_point or here.is_bounded):
            shared[position + 1] = following = following.bounded_as(here)  # "below 180/105 mmHg"
        if (
            here.has_no_unit
            and is_list
            and not _is_score(tokens, here)
            and following.unit.measure != "number"
        ):
            relation = "" if between == ["±"] else following.relation
            shared[position] = here.in_unit(following.unit, relation)
    return shared


def _is_score(tokens: Tokens, quantity: Quantity) -> bool:
    """Whether an acronym before a number names what it measures: the 10 of "NIHSS ≥10, or 31 mL"."""
    before = tokens.raw[quantity.first - 1] if quantity.first else ""
    return len(before) > 2 and before.isupper()


def _carried_units(tokens: Tokens, found: list[Quantity], taken: set[int]) -> list[Quantity]:
    """Give the later rows of "TR3 ≥ 2.5 cm, TR4 ≥ 1.5" the unit that only the first of them carries.

    "For six" continues "for four doses", whatever stands between them, and "between 30 and 50" goes with
    "50 mL/min or more".
    """
    carried = found[:1]
    for here in found[1:]:
        word = tokens.at(here.first - 1)
        alike = (one for one in reversed(carried) if word in _GOVERNING and tokens.at(one.first - 1) == word)
        meeting = (one for one in carried if not one.has_no_unit and set(one.literal) & set(here.literal))
        meets = next(meeting, None) if here.is_bounded else None
        before = meets or next(alike, carried[-1])
        if word == "if":
            before = next((one for one in reversed(carried) if _is_condition(tokens, one)), here)
        opens = word == "if" or word in _OPENING or here.first - 1 in taken or tokens.at(here.last) in _BANDS
        if here.unit.measure == "number" and (opens or meets) and before.unit.measure != "number":
            carried.append(here.in_unit(before.unit, here.relation))
        else:
            carried.append(here)
    return carried


def _is_condition(tokens: Tokens, quantity: Quantity) -> bool:
    return "if" in tokens.lower[max(0, quantity.first - 3) : quantity.first]


def _joined_bounds(tokens: Tokens, found: list[Quantity]) -> list[Quantity]:
    """Read "more than 10 % and up to 50 %" as the interval that it is."""
    joined = found[:1]
    for quantity in found[1:]:
        lower = joined[-1]
        between = tokens.lower[lower.last : quantity.first]
        opposed = quantity.low == -inf and lower.high == inf and lower.low < quantity.high
        if opposed and lower.unit == quantity.unit and len(between) <= 2 and _BOTH.issuperset(between):
            joined[-1] = lower.up_to(quantity)
        else:
            joined.append(quantity)
    return joined


def _ages(found: list[Quantity]) -> list[Quantity]:
    """Read years of an adult as an age too where an age stands beside: "aged 63, above the 50-year limit"."""
    if not any(one.relation == "age" for one in found):
        return found
    return [one.in_sense("age") if _may_be_age(one) else one for one in found]


def _may_be_age(quantity: Quantity) -> bool:
    return quantity.unit == TIME_UNITS["year"] and quantity.relation == "" and quantity.literal[0] >= _ADULT


def _without_rates(found: list[Quantity]) -> list[Quantity]:
    """Drop the "annual" of "an annual limit of 50 mSv", which is no interval between visits."""
    if not any(quantity.unit.measure in PREFIXED for quantity in found):
        return found
    return [
        quantity
        for quantity in found
        if quantity.unit != TIME_UNITS["year"] or quantity.literal != (1.0,) or quantity.relation == "age"
    ]
