"""Stems that ask for what does not hold: EXCEPT, NOT, LEAST, "which is false"."""

import re
from typing import Final

# White space is begun at its beginning and given back in one way only, so that a long run takes linear time.
_BEFORE: Final = r"(?:,\s*|(?<!\s)\s+)?"
_NEGATION: Final = re.compile(
    rf"{_BEFORE}\bEXCEPT(?: for)?\b|\bNOT\b|\bLEAST\b"
    rf"|(?i:{_BEFORE}\bexcept(?: for| one| which)?\s*(?:[:?.]\s*)?$)"
    r"|(?i:(?:(?<=\bis )|(?<=\bare )|(?<=\bshould )|(?<=\bwould )|(?<=\bdoes )|(?<=\bcan))not\b)"
    r"|(?i:\bleast(?= (?:likely|appropriate|suitable|useful|accurate|correct)\b))"
    r"|(?i:\b(?:in(?=correct\b|accurate\b|appropriate\b)|un(?=true\b|suitable\b)))"
    # "false-negative rate", "false lumen" and "wrong-site surgery" are things, not negations.
    r"|(?i:\bfalse\b(?![-\s](?:negative|positive|lumen|aneurysm|alarm|cord|tendon))"
    r"|\bwrong\b(?![-\s](?:side|site|patient|level|procedure|organ)))"
)


def is_negated(stem: str) -> bool:
    """Whether choosing an option says that the option does not hold.

    Only the sentence that asks counts ("a patient who does not improve …" is no negated stem).
    """
    return _find(stem) is not None


def positive_stem(stem: str) -> str:
    """Return the stem without its negation, to be read with an option that is denied."""
    found = _find(stem)
    return stem if found is None else stem[: found.start()] + stem[found.end() :]


def _find(stem: str) -> re.Match[str] | None:
    stem = stem.rstrip()
    asking = stem.rfind("?")
    end = asking + 1 if asking >= 0 else len(stem)
    begin = max(stem.rfind(mark, 0, end - 1) for mark in (". ", "? ", "! ", "\n"))
    return _NEGATION.search(stem, max(begin, 0), end)
