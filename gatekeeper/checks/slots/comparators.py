"""The words that make a number a bound: "at least", "below", "up to", "or more"."""

from math import inf
from typing import Final

from gatekeeper.checks.slots.tokens import Tokens

_BEFORE: Final = {
    tuple(phrase.split()): sign
    for sign, phrases in {
        "<": (
            "< | less than | below | under | fewer than | lower than | smaller than | shorter than"
            " | younger than | falls below | thinner than"
        ),
        "≤": (
            "≤ | < = | up to | at most | at or below | at or under | no more than | not more than | no "
            "greater than | not exceeding | not exceed | exceed no | never exceed | maximum of | a "
            "maximum of | at maximum | no longer than | no later than | within | no larger than | max | "
            "maximum | no higher than | not larger than | not greater than | not longer than | not higher "
            "than | not older than | less than or equal to | equal to or less than | capped at | limited "
            "to | not above | not over | never more than | cannot exceed | without exceeding | max . | "
            "max : | maximum : | up to and including | not be more than | not be above"
        ),
        ">": (
            "> | more than | greater than | above | over | exceeding | exceeds | exceed | exceeded"
            " | larger than | longer than | older than | higher than | beyond | bigger than | in"
            " excess of | thicker than"
        ),
        "≥": (
            "≥ | > = | at least | at or above | at or over | no less than | not less than"
            " | minimum of | a minimum of | at minimum | no smaller than | no lower than | no fewer than"
            " | not smaller than | not lower than | not shorter than | from | starting at |"
            " greater than or equal to | more than or equal to | equal to or greater than | equal"
            " to or more than | not below | not under | no sooner than | no earlier than | never"
            " less than | reaches | minimum | minimum : | min"
        ),
        "~": (
            "~ | ≈ | about | approximately | around | roughly | some | nearly | almost | circa | approx"
            " | approx ."
        ),
    }.items()
    for phrase in phrases.split(" | ")
}
_LONGEST: Final = max(map(len, _BEFORE))
_ARTICLES: Final = frozenset({"the", "a", "an"})
_ENDS: Final = _ARTICLES.union(phrase[-1] for phrase in _BEFORE)
_DESCRIBING: Final = frozenset({"also", "already", "clearly", "comfortably", "far", "safely", "well"})
"""Words before "above" and "below" that tell where a patient's value lies."""
_BEYOND: Final = frozenset({"above", "below", "beyond", "over", "under"})
_AFTER: Final = {
    word: sign
    for sign, words in {
        "≥": "better more higher greater above larger older longer over up bigger later beyond thicker",
        "≤": "less lower fewer below smaller younger shorter under earlier thinner",
    }.items()
    for word in words.split()
}


_UTMOST: Final = {"latest": "≤", "most": "≤", "maximum": "≤", "earliest": "≥", "least": "≥", "minimum": "≥"}


def comparator_before(tokens: Tokens, position: int) -> tuple[int, str, bool]:
    """Walk back over the comparator before a number: its first token, its sign, whether "about"."""
    sign, approximate = "", False
    while tokens.at(position - 1) in _ENDS and not _is_minute(tokens, position - 1):
        article = (
            tokens.at(position - 1) in _ARTICLES
        )  # "above the 50-year threshold", "at least a 20 % fall"
        length, found = _phrase_ending(tokens, position - article)
        if article and length < 2 and (tokens.at(position - 1) != "the" or tokens.at(position - 2) == "from"):
            break  # "from a 3 cm lesion"
        length += article
        if not found or (sign and found != "~"):
            break
        if tokens.at(position - length - 1) in _DESCRIBING and tokens.at(position - length) in _BEYOND:
            return position - length, "", approximate  # "which is well above the 80 g/L": no bound of a rule
        if found == "~":
            approximate = True
        else:
            sign = found
        position -= length
    return position, sign, approximate


def _is_minute(tokens: Tokens, position: int) -> bool:
    """Whether "min" ends a unit, as in "50 mL/min four doses"."""
    if tokens.at(position) != "min":
        return False
    return tokens.at(position - 1) == "/" or tokens.is_number(position - 1)


def _phrase_ending(tokens: Tokens, position: int) -> tuple[int, str]:
    for length in range(min(_LONGEST, position), 0, -1):
        sign = _BEFORE.get(tuple(tokens.lower[position - length : position]))
        if sign:
            return length, sign
    return 0, ""


def comparator_at(tokens: Tokens, position: int) -> tuple[int, str]:
    """Read a comparator that begins at a token: how many tokens it takes, and its sign."""
    for length in range(_LONGEST, 0, -1):
        sign = _BEFORE.get(tuple(tokens.lower[position : position + length]))
        if sign:
            return length, sign
    return 0, ""


def comparator_after(tokens: Tokens, position: int) -> tuple[int, str]:
    """Read "or more", "and above", "at the latest", "+" after a number: the token after it, and its sign."""
    if tokens.at(position) in {"or", "and"}:
        sign = _AFTER.get(tokens.at(position + 1), "")
        if sign and tokens.at(position + 2) != "than":
            return position + 2, sign
    if tokens.at(position) == "at" and tokens.at(position + 1) == "the":
        sign = _UTMOST.get(tokens.at(position + 2), "")
        return (position + 3, sign) if sign else (position, "")
    return (position + 1, "≥") if tokens.at(position) == "+" else (position, "")


def bounds(value: float, second: float | None, sign: str) -> tuple[float, float]:
    """Return the ends of the interval that a number, or two, and a sign mean."""
    if second is not None:
        return min(value, second), max(value, second)
    if sign in {"<", "≤"}:
        return -inf, value
    if sign in {">", "≥"}:
        return value, inf
    return value, value
