"""Single-slot changes of a sentence: one number, unit, side, negation, level, drug … made another.

A change returns the new sentence, or None where the sentence has nothing of the kind. Changing evidence
and claim in the same way leaves what the one says of the other as it was; changing only one of them
makes a contradiction. Both together teach reading, where either alone would teach which facts are true.
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

Change = Callable[[str, random.Random], "tuple[str, str] | None"]
"""Sentence → the words to replace, and what replaces them wherever they stand."""

_NUMBER: Final = re.compile(r"(?<![\w.,/-])\d+(?:\.\d+)?(?![\w/]|[.,]\d|-\d)")
_SCORE: Final = re.compile(
    r"\b(?:grade|type|stage|class|category|zone|group|level|score|segment|BI-RADS|TI-RADS|PI-RADS|Bosniak)"
    r" (?P<value>[1-6](?:[ABC]\b)?|I{1,3}V?|IV|V)\b",
    re.IGNORECASE,
)
_VERTEBRA: Final = re.compile(r"\b(?P<part>[CTL])(?P<number>\d{1,2})\b")

SWAPS: Final[Mapping[str, Sequence[tuple[str, ...]]]] = {
    "unit": (
        ("mg", "g", "µg"),
        ("mm", "cm"),
        ("hours", "days", "weeks", "months", "minutes", "years"),
        ("hour", "day", "week", "month", "minute", "year"),
        ("mSv", "mGy", "Sv"),
        ("mL", "L"),
        ("mmol/L", "µmol/L"),
        ("MBq", "kBq", "GBq"),
        ("kPa", "mmHg"),
    ),
    "comparator": (
        ("below", "above"),
        ("less than", "more than"),
        ("at least", "at most"),
        ("fewer than", "more than"),
        ("under", "over"),
        ("lower than", "higher than"),
        ("smaller than", "larger than"),
        ("<", ">"),
        ("≤", "≥"),
        ("up to", "at least"),
        ("no more than", "no less than"),
        ("exceeds", "stays below"),
    ),
    "laterality": (
        ("left", "right"),
        ("anterior", "posterior"),
        ("proximal", "distal"),
        ("medial", "lateral"),
        ("upper", "lower"),
        ("superior", "inferior"),
        ("ipsilateral", "contralateral"),
        ("arterial", "venous"),
        ("artery", "vein"),
        ("unilateral", "bilateral"),
        ("ascending", "descending"),
        ("central", "peripheral"),
    ),
    "negation": (
        ("should not", "should"),
        ("must not", "must"),
        ("need not", "must"),
        ("is not", "is"),
        ("are not", "are"),
        ("does not", "does"),
        ("do not", "do"),
        ("cannot", "can"),
        ("may be", "must not be"),
        ("without", "with"),
        ("contraindicated", "recommended"),
        ("safe", "unsafe"),
        ("avoided", "preferred"),
        ("withheld", "continued"),
        ("withhold", "continue"),
        ("stopped", "continued"),
        ("required", "unnecessary"),
        ("indicated", "contraindicated"),
        ("excludes", "confirms"),
        ("rules out", "proves"),
        ("increases", "reduces"),
        ("raises", "lowers"),
        ("increased", "decreased"),
        ("permitted", "forbidden"),
        ("never", "always"),
        ("no", "some"),
        ("benign", "malignant"),
        ("positive", "negative"),
        ("stable", "unstable"),
        ("present", "absent"),
        ("normal", "abnormal"),
    ),
    "time": (
        ("before", "after"),
        ("immediately", "electively"),
        ("daily", "weekly"),
        ("early", "late"),
        ("first", "last"),
        ("annually", "monthly"),
        ("twice", "once"),
    ),
    "category": (("mild", "moderate", "severe"), ("low", "high"), ("minor", "major"), ("acute", "chronic")),
    "population": (
        ("adults", "children", "neonates"),
        ("adult", "child"),
        ("pregnant", "breastfeeding"),
        ("women", "men"),
        ("premenopausal", "postmenopausal"),
        ("older", "younger"),
        ("symptomatic", "asymptomatic"),
    ),
    "drug": (
        ("heparin", "warfarin", "apixaban", "rivaroxaban", "dabigatran", "aspirin", "clopidogrel"),
        ("adrenaline", "atropine", "noradrenaline", "amiodarone"),
        ("epinephrine", "hydrocortisone", "diphenhydramine"),
        ("metformin", "insulin", "sulfonylureas"),
        ("vancomycin", "gentamicin", "ceftriaxone", "amoxicillin", "doxycycline"),
        ("iodinated", "gadolinium-based"),
        ("prednisone", "dexamethasone", "hydrocortisone"),
        ("ibuprofen", "paracetamol"),
        ("morphine", "fentanyl", "ketamine"),
        ("furosemide", "spironolactone"),
        ("adenosine", "dobutamine", "regadenoson"),
    ),
    "device": (
        ("MRI", "CT", "ultrasound", "radiography", "PET/CT"),
        ("pacemakers", "cochlear implants", "aneurysm clips"),
        ("pacemaker", "cochlear implant", "aneurysm clip"),
        ("T1-weighted", "T2-weighted", "diffusion-weighted"),
        ("catheter", "stent", "drain"),
        ("mammography", "tomosynthesis"),
        ("intravenous", "oral", "intramuscular", "rectal"),
    ),
}
"""Words that make another statement where one takes the other's place, in groups."""


def _swap(kind: str) -> Change:
    groups = SWAPS[kind]
    others = {word.lower(): [one for one in group if one != word] for group in groups for word in group}
    words = sorted(others, key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<![\w-]){re.escape(word)}(?![\w-])" for word in words), re.IGNORECASE)

    def change(text: str, rng: random.Random) -> tuple[str, str] | None:
        found = [match[0] for match in pattern.finditer(text)]
        if not found:
            return None
        old = rng.choice(found)
        return old, rng.choice(others[old.lower()])

    return change


def _number(text: str, rng: random.Random) -> tuple[str, str] | None:
    found = [match[0] for match in _NUMBER.finditer(text)]
    if not found:
        return None
    old = rng.choice(found)
    value = float(old)
    factor = rng.choice((0.5, 2, 3, 10, 0.1, 1.5, 0.8, 1.25))
    step = rng.choice((-2, -1, 1, 2, 5))
    new = value * factor if rng.random() < 0.6 else value + step
    text_of_new = f"{new:.{len(old.partition('.')[2]) if '.' in old else 0}f}"
    return None if new <= 0 or float(text_of_new) == value else (old, text_of_new)


def _category(text: str, rng: random.Random) -> tuple[str, str] | None:
    found = list(_SCORE.finditer(text))
    if not found:
        return _swap("category")(text, rng)
    match = rng.choice(found)
    scale = ["I", "II", "III", "IV", "V"] if match["value"].upper()[0] in "IV" else list("123456")
    core = match["value"].upper().rstrip("ABC")
    others = [one for one in scale if one != core]
    return match[0], match[0][: -len(match["value"])] + rng.choice(others) + match["value"][len(core) :]


def _level(text: str, rng: random.Random) -> tuple[str, str] | None:
    found = list(_VERTEBRA.finditer(text))
    if not found:
        return None
    match = rng.choice(found)
    number = int(match["number"]) + rng.choice((-2, -1, 1, 2))
    return (match[0], f"{match['part']}{number}") if number > 0 else None


CHANGES: Final[Mapping[str, Change]] = {
    "number": _number,
    "level": _level,
    **{kind: _swap(kind) for kind in SWAPS},
    "category": _category,
}


def apply(text: str, change: tuple[str, str]) -> str | None:
    """Return the text with every whole occurrence replaced; None where there is none."""
    old, new = change
    pattern = re.compile(rf"(?<![\w.]){re.escape(old)}(?![\w]|\.\d)", re.IGNORECASE)
    changed, count = pattern.subn(lambda match: _cased(match[0], new), text)
    return changed if count else None


def _cased(old: str, new: str) -> str:
    return new[:1].upper() + new[1:] if old[:1].isupper() and not old.isupper() else new
