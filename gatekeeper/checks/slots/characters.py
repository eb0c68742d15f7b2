"""Characters that look like others, or like nothing: a value written with them is still a value."""

import re
from functools import lru_cache
from typing import Final
from unicodedata import decimal, normalize

_RARE: Final = re.compile(
    "[^\x00-\u00ac\u00ae-\u034e\u0350-\u03ff\u2000-\u200a\u2010-\u2029\u202f-\u205f\u2070-\u245f"
    "\u249c-\u24e9\u2500-\u2775\u2794-\u2fff]"
)
"""What clinical English hardly ever holds: a text without any is as it seems."""

_UNSEEN: Final = "\u00ad\u034f\u115f\u1160\u180e\u200b-\u200f\u2060-\u2064\u3164\ufe00-\ufe0f\ufeff\uffa0"
_HIDING: Final = re.compile(
    "[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"  # reading turned round, or text that is invisible
    rf"|(?<=[0-9A-Za-z])[{_UNSEEN}]+(?=[0-9A-Za-z])"
    "|[A-Za-z][\u0400-\u04ff]|[\u0400-\u04ff][A-Za-z]"
    "|[\u2460-\u249b\u24ea-\u24ff\u2776-\u2793]"  # numbers in circles, in brackets, with a full stop
)


def plain(text: str) -> str:
    """Return a text with such letters, signs and digits as ASCII has them, each in its place.

    Full-width signs, mathematical letters and other scripts' digits are read so, raised digits ("m²") not.
    """
    if text.isascii() or _RARE.search(text) is None:
        return text
    return "".join([_in_ascii(sign) for sign in text])


def hides(text: str) -> bool:
    """Whether a text holds what a reader does not see, or sees as something else.

    That are signs that turn the order of reading, unseen ones within a word or number, words of Latin and
    Cyrillic letters together, and numbers in circles: a rule that reads words would read other ones than a
    clinician does.
    """
    return not text.isascii() and _RARE.search(text) is not None and _HIDING.search(text) is not None


@lru_cache(maxsize=4096)
def _in_ascii(sign: str) -> str:
    digit = decimal(sign, None)
    if digit is not None:
        return str(digit)
    if "\uff01" <= sign <= "\uff5e" or "\U0001d400" <= sign <= "\U0001d7ff":
        read = normalize("NFKC", sign)
        return read if read.isascii() else sign
    return sign
