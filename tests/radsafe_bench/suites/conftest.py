"""A suite of made-up words that keeps every rule, so that a test can break exactly one."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from radsafe_bench.suites import Suite
from radsafe_bench.suites.assemble import assemble
from radsafe_bench.suites.model import QUESTION_TYPES, SUBSPECIALTIES, Hinge
from radsafe_bench.suites.quotas import Quotas, Range

SMALL = Quotas(
    questions=40,
    calibration=16,
    per_subspecialty=2,
    hinged=6,
    medication=5,
    negated=Range(3, 5),
    pairs=400,
)

_SYLLABLES = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"]


def words(key: str, count: int) -> list[str]:
    """Made-up words of six letters, the same for the same key."""
    return [
        "".join(
            _SYLLABLES[byte % len(_SYLLABLES)] for byte in sha256(f"{key} {number}".encode()).digest()[:3]
        )
        for number in range(count)
    ]


def _options(number: int, evidence: Sequence[str], *, negated: bool) -> list[dict[str, Any]]:
    """Options of four words: the one that an overlap baseline picks is right three times in five."""
    size = 5 if number % 5 < 3 else 4
    picked = 0 if (number // 5) % 5 < 3 else 1
    options = []
    for place in range(size):
        own = words(f"option {number} {place}", 4)
        shared = 1 if (place == picked) == negated else 3
        turn = number * 5 + place
        options.append(
            {
                "text": " ".join([*evidence[place * 7 : place * 7 + 2 * shared : 2], *own][:4]),
                "correct": place == 0,
                "high_risk": place > 0 and turn % 20 < 9,
                "unsafe": place > 0 and turn % 20 < 7,
                "contradicts": place > 0 and turn % 2 == 0,
                "rationale": "Made up.",
            }
        )
    return options


def authored(number: int) -> dict[str, Any]:
    """One line of an author's batch."""
    negated = number % 11 == 5
    evidence = words(f"evidence {number}", 80)
    clean = " ".join(evidence)
    claim = " ".join(words(f"claim {number}", 12)) + "."
    key = " ".join(words(f"key {number}", 12))
    return {
        "id": f"made-{number:03d}",
        "subspecialty": SUBSPECIALTIES[number % len(SUBSPECIALTIES)],
        "question_type": QUESTION_TYPES[number % len(QUESTION_TYPES)],
        "stem": " ".join(words(f"stem {number}", 25)) + (", which does NOT?" if negated else ", which does?"),
        "negated": negated,
        "hinge": list(Hinge)[number % len(Hinge)] if number % 6 == 0 else None,
        "focus": ["medication_contrast_safety"] if number % 7 == 0 else [],
        "options": _options(number, evidence, negated=negated),
        "evidence": {
            "clean": {
                "text": clean,
                "sources": [{"name": f"Guideline {number % 9}", "edition": "2nd", "year": 2020}],
            },
            "conflict": {
                "text": f"{clean} {claim}",
                "injected": [{"claim": claim, "kind": "outdated_edition"}],
            },
        },
        "key_statement": key,
        "paraphrases": [f"{key} {word}" for word in words(f"paraphrase {number}", 3)],
        "mutations": [
            {"kind": kind, "text": f"{key} not {word}"}
            for kind, word in zip(("number", "unit", "negation"), words(f"mutation {number}", 3), strict=True)
        ],
        "passages": [
            {"kind": kind, "text": " ".join(words(f"{kind} {number}", 40))}
            for kind in ("older", "conflicting", "related")
        ],
    }


def write_lines(path: Path, items: Sequence[Any]) -> Path:
    """Write JSON lines."""
    path.write_bytes(b"".join(orjson.dumps(item) + b"\n" for item in items))
    return path


@dataclass(frozen=True)
class Workshop:
    """Makes suites of made-up questions in a folder of its own."""

    folder: Path

    def assemble(self, batch: Sequence[dict[str, Any]], *, name: str = "made", seed: int = 7) -> Suite:
        """Assemble a batch, every question read a second time."""
        readings = [
            {
                "question": item["id"],
                "outcome": "agreed",
                "reader": "second",
                "answered_as_marked": True,
                "labels_differing": 3,
            }
            for item in batch
        ]
        return assemble(
            [write_lines(self.folder / f"{name}.batch.jsonl", batch)],
            self.folder / name,
            seed=seed,
            name=name,
            version="0.1.0",
            readings=[write_lines(self.folder / f"{name}.readings.jsonl", readings)],
        )


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Give a workshop for suites that a test breaks."""
    return Workshop(tmp_path)


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Two hundred questions that keep every rule of radsafe200."""
    return Workshop(tmp_path_factory.mktemp("full")).assemble([authored(number) for number in range(200)])


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Forty questions that keep the rules of SMALL."""
    return Workshop(tmp_path_factory.mktemp("small")).assemble([authored(number) for number in range(40)])
