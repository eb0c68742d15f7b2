"""Hand-written patterns that say the same in another form: units, number words, comparators, negation."""

import random
import re
from collections.abc import Callable
from typing import Final

_WORDS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"
)  # fmt: skip
_MEASURE: Final = re.compile(
    r"(?<![\w.,/-])(?P<value>\d+(?:\.\d+)?)[ -]?"
    r"(?P<unit>hours?|h|days?|weeks?|months?|years?|minutes?|min|cm|mm|mg|g|mL|L)\b"
)
_FACTORS: Final = {
    ("h", "d"): 1 / 24,
    ("d", "h"): 24,
    ("d", "w"): 1 / 7,
    ("w", "d"): 7,
    ("mo", "y"): 1 / 12,
    ("y", "mo"): 12,
    ("min", "h"): 1 / 60,
    ("h", "min"): 60,
    ("cm", "mm"): 10,
    ("mm", "cm"): 0.1,
    ("g", "mg"): 1000,
    ("mg", "g"): 0.001,
    ("mL", "L"): 0.001,
    ("L", "mL"): 1000,
}
_SHORT: Final = {
    "hour": "h", "hours": "h", "day": "d", "days": "d", "week": "w", "weeks": "w", "month": "mo",
    "months": "mo", "year": "y", "years": "y", "minute": "min", "minutes": "min",
}  # fmt: skip
_LONG: Final = {"h": "hours", "d": "days", "w": "weeks", "mo": "months", "y": "years", "min": "minutes"}
_SAME: Final = (
    ("at least", "no less than", "≥", "not under"),
    ("at most", "no more than", "≤", "up to", "not above"),
    ("less than", "below", "under", "<"),
    ("more than", "above", "over", ">"),
    ("should not be", "must not be", "ought not to be"),
    ("is not needed", "is unnecessary", "is not required"),
    ("is contraindicated", "must not be used", "should be avoided"),
    ("is recommended", "is advised", "should be done"),
    ("within", "in no more than"),
    ("kidney", "renal"),
    ("liver", "hepatic"),
    ("lung", "pulmonary"),
    ("heart attack", "myocardial infarction"),
    ("adrenaline", "epinephrine"),
    ("paracetamol", "acetaminophen"),
    ("hypertension", "high blood pressure"),
    ("children", "paediatric patients"),
    ("stopped", "discontinued"),
    ("started", "begun"),
    ("about", "roughly", "approximately"),
)


def reword(text: str, rng: random.Random) -> str | None:
    """Return the sentence with one thing said in another form, or None where no pattern fits."""
    patterns: list[Callable[[str, random.Random], str | None]] = [_convert, _count, _synonym]
    rng.shuffle(patterns)
    return next((new for pattern in patterns if (new := pattern(text, rng))), None)


def _convert(text: str, rng: random.Random) -> str | None:
    """Write one measure in another unit: 48 hours → 2 days."""
    found = list(_MEASURE.finditer(text))
    rng.shuffle(found)
    for match in found:
        unit = _SHORT.get(match["unit"], match["unit"])
        for (old, new), factor in _FACTORS.items():
            value = float(match["value"]) * factor
            if old == unit and 0.01 <= value <= 10_000 and abs(value * 100 - round(value * 100)) < 1e-6:
                written = f"{value:.2f}".rstrip("0").rstrip(".")
                return f"{text[: match.start()]}{written} {_LONG.get(new, new)}{text[match.end() :]}"
    return None


def _count(text: str, rng: random.Random) -> str | None:
    """Write a small number as a word, or a word as a number."""
    small = re.finditer(r"(?<![\w.,/<>≤≥-])(\d{1,2})(?= (?:[a-z]{3,}))", text)
    found = [match for match in small if int(match[1]) <= 12]
    if found:
        match = rng.choice(found)
        return text[: match.start()] + _WORDS[int(match[1])] + text[match.end() :]
    counts = r"\b(two|three|four|five|six|seven|eight|nine|ten|twelve)\b"
    words = list(re.finditer(counts, text))
    if not words:
        return None
    match = rng.choice(words)
    return text[: match.start()] + str(_WORDS.index(match[0])) + text[match.end() :]


def _synonym(text: str, rng: random.Random) -> str | None:
    fitting = [
        (match, same)
        for same in _SAME
        for one in same
        for match in re.finditer(rf"(?<!\w){re.escape(one)}(?!\w)", text)
    ]
    if not fitting:
        return None
    match, same = rng.choice(fitting)
    new = rng.choice([one for one in same if one != match[0]])
    return text[: match.start()] + new + text[match.end() :]
