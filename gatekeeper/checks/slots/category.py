"""Categories of reporting scales, stages, grades, groups: "BI-RADS 4A", "LR-5", "group II", "type A"."""

import re
from typing import Final, final

from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.slot import Slot
from gatekeeper.checks.slots.tokens import Tokens

_SCALES: Final = {
    tuple(phrase.split()): scale
    for scale, phrases in {
        "bi-rads": "bi rads|birads",
        "li-rads": "li rads|lirads|lr",
        "lung-rads": "lung rads|lungrads",
        "ti-rads": "ti rads|tirads|tr|eu tirads",
        "pi-rads": "pi rads|pirads",
        "o-rads": "o rads|orads",
        "c-rads": "c rads",
        "ni-rads": "ni rads",
        "cad-rads": "cad rads",
        "bosniak": "bosniak",
        "ckd": "ckd|chronic kidney disease|ckd g",
        "fazekas": "fazekas",
        "child-pugh": "child pugh",
        "isup": "isup|grade group|gleason grade group",
        "gleason": "gleason",
        "stanford": "stanford",
        "debakey": "debakey",
        "salter-harris": "salter harris",
        "deauville": "deauville",
        "garden": "garden",
        "modic": "modic",
        "kellgren": "kellgren lawrence",
        "aast": "aast",
        "asa": "asa|asa class|asa grade|asa physical status",
        "mallampati": "mallampati",
        "ecog": "ecog|ecog performance status",
        "gartland": "gartland",
        "hunt-hess": "hunt hess|hunt and hess",
        "fisher": "fisher|modified fisher",
        "graf": "graf",
        "rutherford": "rutherford",
        "fontaine": "fontaine",
        "gustilo": "gustilo",
        "endoleak": "endoleak|endoleaks",
        "zone": "zone|zones",
        "group": "group|groups",
        "stage": "stage|stages",
        "grade": "grade|grades",
        "class": "class|classes|nyha class",
        "type": "type|types",
        "category": "category|categories",
        "degree": "degree",
        "trimester": "trimester|trimesters",
        "intercostal space": "intercostal space|intercostal spaces|ics",
        "rib": "rib|ribs",
    }.items()
    for phrase in phrases.split("|")
}
_LONGEST: Final = max(map(len, _SCALES))
_FUSED: Final = re.compile(r"(lr|tr|ckd|g)(\d[abc]?|m|tiv)\Z")
_FUSED_SCALES: Final = {"lr": "li-rads", "tr": "ti-rads", "ckd": "ckd", "g": "ckd"}
_FILLERS: Final = wordset(
    "category categories score scores grade grades class classes stage stages assessment type types of is"
    " a an as group lesion nodule"
)
_LIST: Final = frozenset({",", "and", "or", "/", "&"})
_RANGE: Final = frozenset({"–", "—", "-", "to", "through"})
_ROMAN: Final = {
    "i": "1",
    "ii": "2",
    "iii": "3",
    "iv": "4",
    "v": "5",
    "iif": "2f",
    "iia": "2a",
    "iib": "2b",
    "iiia": "3a",
    "iiib": "3b",
}
_WORDS: Final = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "first": "1", "second": "2", "third": "3",
    "1st": "1", "2nd": "2", "3rd": "3", "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7",
    "eighth": "8", "ninth": "9", "tenth": "10", "eleventh": "11", "twelfth": "12",
    **{f"{number}th": str(number) for number in range(4, 13)},
}  # fmt: skip
_LETTERED: Final = frozenset(
    {"stanford", "child-pugh", "type", "category", "group", "cad-rads", "class", "stage"}
)
_KINDS: Final = {
    "category": frozenset(scale for scale in _SCALES.values() if scale.endswith("rads")),
    "type": frozenset({"stanford", "debakey", "endoleak", "salter-harris"}),
    "stage": frozenset({"ckd"}),
    "grade": frozenset({"aast", "isup", "gleason"}),
}
"""Words for a value that leave out whose it is."""
_ORDINAL: Final = frozenset({"degree", "trimester", "intercostal space", "rib"})
_SYMBOLS: Final = frozenset({"m", "tiv", "x", "n", "nc"})
_STARTS_ROW: Final = frozenset(
    {
        ":",
        "=",
        "(",
        "is",
        "carries",
        "means",
        "gets",
        "has",
        "requires",
        ">",
        "≥",
        "<",
        "≤",
        "corresponds",
        "at",
    }
)


_TRIGGERS: Final = frozenset(phrase[0] for phrase in _SCALES)
_FUSED_INITIALS: Final = frozenset("ltcg")
_FUSED_FINALS: Final = frozenset("0123456789abcmv")
"""Where a category can stand: everything else is passed over."""


@final
class Category(Slot):
    """One or more values of a scale; `direction` is "≥" or "≤" where neighbours are meant too."""

    __slots__ = ("direction", "scale", "values")

    def __init__(
        self, first: int, last: int, scale: str, values: frozenset[str], direction: str = ""
    ) -> None:
        super().__init__(first, last, f"category:{scale}")
        self.scale = scale
        self.values = values
        self.direction = direction


def read_categories(tokens: Tokens, taken: set[int]) -> list[Category]:
    """Return the categories of a text and add their tokens to `taken`."""
    found: list[Category] = []
    opening = {
        at
        for at, word in enumerate(tokens.lower)
        if word in _TRIGGERS
        or (word[0] in _FUSED_INITIALS and word[-1] in _FUSED_FINALS and len(word) < 6 and _FUSED.match(word))
    }
    for position in range(min(opening), len(tokens)) if opening else ():
        if position in taken:
            continue
        category = _category(tokens, position) if position in opening else None
        if category is None and found:
            category = _row_key(tokens, position, found)
        if category is not None:
            taken.update(range(category.first, category.last))
            found.append(category)
    return found


def comparable(claim: Category, statement: Category) -> bool:
    """Whether both speak of one scale; a bare "category" or "type" may be that of a scale."""
    if claim.scale == statement.scale:
        return True
    return claim.scale in _KINDS.get(statement.scale, ()) or statement.scale in _KINDS.get(claim.scale, ())


def agrees(claim: Category, statement: Category) -> bool:
    """Whether every value that the claim names is one of the statement's ("4" names 4A too)."""
    return all(_within(value, statement, claim.direction) for value in claim.values)


def _within(value: str, statement: Category, direction: str) -> bool:
    for known in statement.values:
        if value == known or _includes(value, known) or _includes(known, value):
            return direction == statement.direction or not (direction and statement.direction)
        if statement.direction and value[0].isdigit() and known[0].isdigit():
            beyond = value > known if statement.direction == "≥" else value < known
            if beyond:
                return True
    return False


def _includes(value: str, known: str) -> bool:
    """Whether a value has the other as a part: 4 has 4A, II does not have IIF, a category of its own."""
    return len(value) == 1 and value.isdigit() and known[0] == value and known[1:] in {"a", "b", "c", "x"}


def _category(tokens: Tokens, position: int) -> Category | None:
    fused = _fused(tokens, position)
    if fused is not None:
        return fused
    scale, after = _scale(tokens, position)
    if not scale:
        return None
    if scale in _ORDINAL:
        return _ordinal(tokens, position, after, scale)
    if (
        scale == "ckd"
        and tokens.at(after) not in {"stage", "stages", "grade", "g"}
        and _value(tokens, after, scale)[0] == ""
    ):
        return None
    start, sign = after, ""
    while tokens.at(after) in _FILLERS and after < start + 4 and not _is_letter(tokens, after, scale):
        after += 1
    if tokens.at(after) == ":":
        after += 1
    if tokens.at(after) in {"≥", "≤", ">", "<"}:
        sign, after = tokens.at(after), after + 1
    values, last = _values(tokens, after, scale)
    if not values:
        return None
    sign, last = _direction(tokens, last, sign)
    if scale in {"stage", "grade"}:
        of, end = _scale(tokens, last)
        scale, last = (of, end) if of == "ckd" else (scale, last)
    return Category(position, last, scale, frozenset(values), sign)


def _is_letter(tokens: Tokens, position: int, scale: str) -> bool:
    """Whether "A" is a value ("type A"), not the article."""
    return tokens.raw[position] == "A" and scale in _LETTERED


def _scale(tokens: Tokens, position: int) -> tuple[str, int]:
    for length in range(_LONGEST, 0, -1):
        scale = _SCALES.get(tuple(tokens.lower[position : position + length]))
        if scale:
            return scale, position + length
    return "", position


def _fused(tokens: Tokens, position: int) -> Category | None:
    word = tokens.at(position)
    found = _FUSED.match(word)
    if found is None or not tokens.raw[position][0].isupper() or found[1] not in _FUSED_SCALES:
        return None
    scale, last = _FUSED_SCALES[found[1]], position + 1
    values = {found[2]}
    while (
        tokens.at(last) in (_LIST | _RANGE)
        and (other := _FUSED.match(tokens.at(last + 1)))
        and other[1] == found[1]
    ):
        values.add(other[2])
        last += 2
    sign, last = _direction(tokens, last, "")
    return Category(position, last, scale, frozenset(values), sign)


def _ordinal(tokens: Tokens, position: int, after: int, scale: str) -> Category | None:
    """Read "second-degree", "2nd or 3rd degree", "first trimester": the value stands before."""
    values: set[str] = set()
    first = position
    while first > 0:
        word = tokens.at(first - 1)
        if word == "-":  # "second- or third-degree"
            first -= 1
            continue
        digit = tokens.at(first - 2) if word in {"st", "nd", "rd", "th"} else ""
        value = digit if digit.isdigit() else _WORDS.get(word, "")
        if not value and not ((word in _LIST or word in _RANGE) and values):
            break
        if value:
            values.add(value)
        first -= 2 if digit.isdigit() else 1
    if values and (tokens.at(first) in _LIST or tokens.at(first) in _RANGE):
        first += 1
    return Category(first, after, scale, frozenset(values)) if values else None


def _values(tokens: Tokens, position: int, scale: str) -> tuple[set[str], int]:
    """Read "4", "4A", "IIF", "4A and 4B", "3–5", "stage four"."""
    value, last = _value(tokens, position, scale)
    if not value:
        return set(), position
    values = {value}
    while True:
        sign = tokens.at(last)
        step = 2 if sign == "," and tokens.at(last + 1) in {"and", "or"} else 1
        if sign not in _LIST and sign not in _RANGE:
            return values, last
        following, end = _value(tokens, last + step, scale)
        if not following or _goes_on(tokens, end):
            return values, last
        values |= _between(value, following) if sign in _RANGE else {following}
        value, last = following, end


def _goes_on(tokens: Tokens, position: int) -> bool:
    """Whether what looked like one more value is the start of a row of its own, or has a unit."""
    following = tokens.at(position)
    return following in _STARTS_ROW or following in {
        "%",
        "mm",
        "cm",
        "months",
        "month",
        "years",
        "weeks",
        "days",
        "h",
        "–",
    }


def _between(low: str, high: str) -> set[str]:
    if low.isdigit() and high.isdigit():
        return {str(value) for value in range(int(low), int(high) + 1)}
    return {low, high}


def _value(tokens: Tokens, position: int, scale: str) -> tuple[str, int]:
    word = tokens.at(position)
    if tokens.is_number(position) and word.isdigit() and len(word) <= 2:
        suffix = tokens.at(position + 1)
        glued = position + 1 < len(tokens) and tokens.starts[position + 1] == tokens.starts[position] + len(
            word
        )
        if glued and (suffix in {"a", "b", "c", "x", "f"}):
            return word + suffix, position + 2
        return ("", position) if glued and suffix.isalpha() else (word, position + 1)
    if word in _ROMAN and tokens.raw[position].isupper():
        return _ROMAN[word], position + 1
    if word in _WORDS:
        return _WORDS[word], position + 1
    single = len(word) == 1 and word in "abcde" and tokens.raw[position].isupper()
    if (single and scale in _LETTERED) or (word in _SYMBOLS and scale in {"li-rads", "cad-rads"}):
        return word, position + 1
    fused = _FUSED.match(word) if word else None
    return (fused[2], position + 1) if fused and scale == "ckd" else ("", position)


def _direction(tokens: Tokens, last: int, sign: str) -> tuple[str, int]:
    """Read "or higher", "and above" after a value."""
    if tokens.at(last) in {"or", "and"} and tokens.at(last + 1) in {
        "higher",
        "above",
        "more",
        "greater",
        "worse",
        "up",
    }:
        return "≥", last + 2
    if tokens.at(last) in {"or", "and"} and tokens.at(last + 1) in {"lower", "below", "less", "better"}:
        return "≤", last + 2
    return {">": "≥", "<": "≤"}.get(sign, sign), last


def _row_key(tokens: Tokens, position: int, found: list[Category]) -> Category | None:
    """Read "4B" in "BI-RADS 4A is > 2–10 %, 4B > 10–50 %": a value of the scale named before."""
    if not found or tokens.at(position - 1) not in _LIST | {";", "whereas", "while", "but", "|"}:
        return None
    scale = found[0].scale
    value, last = _value(tokens, position, scale)
    if not value or not (len(value) > 1 or _goes_on(tokens, last)) or _goes_on_with_unit(tokens, last):
        return None
    return Category(position, last, scale, frozenset({value}))


def _goes_on_with_unit(tokens: Tokens, position: int) -> bool:
    return tokens.at(position) in {
        "%",
        "mm",
        "cm",
        "months",
        "month",
        "years",
        "weeks",
        "days",
        "h",
        "–",
        "mg",
        "ml",
    }
