"""Word forms brought together just far enough to see that two sentences speak of the same thing."""

from typing import Final

STEM_LENGTH: Final = 7
"""Long words of one family differ after this many letters (administer, administration)."""


def stem(word: str) -> str:
    """Return the common stem of a lower-case word's forms: spelling, plural and verb endings go."""
    if word.endswith(("'s", "’s")):
        word = word[:-2]
    if len(word) > 4:
        word = word.replace("ae", "e").replace("oe", "e")
        if word[-1] == "s" and word[-2] not in "sui":
            word = word[:-1]
            if word.endswith("ie"):
                word = word[:-2] + "y"
    if len(word) > 5:
        word = _without_ending(word)
    if len(word) > 4 and word[-1] == "e":
        word = word[:-1]
    return word[:STEM_LENGTH]


def _without_ending(word: str) -> str:
    for ending, shortest in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= shortest:
            word = word[: -len(ending)]
            return word[:-1] if word[-1] == word[-2] and word[-1] not in "ls" else word
    return word


_ENDINGS: Final = (("ment", 4), ("ion", 4), ("ing", 3), ("ed", 3), ("ly", 4))
