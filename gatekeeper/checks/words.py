"""The words of a text, to rule phrases out before a slow search for them."""

from string import ascii_lowercase, digits
from typing import Final

_KEPT: Final = bytes(code if chr(code) in ascii_lowercase + digits else ord(" ") for code in range(256))


def words_of(small: str) -> list[bytes]:
    """Return the runs of a to z and 0 to 9 of a text in small letters, in order.

    A word that a pattern finds between word boundaries is among them, and so are parts of words that hold
    other letters or underscores.
    """
    return small.encode("ascii", "replace").translate(_KEPT).split()
