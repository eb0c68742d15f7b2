"""Pairs that slots can tell apart, a check of one's own, and what checks said of made-up items."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from gatekeeper.assessment import Assessment, Confidence, Finding, Risk, Subject, Verdict
from gatekeeper.exchange import Answer
from radsafe_bench.detecting import Examined, Item
from radsafe_bench.detecting.examining import Read

EVIDENCE = "The follow-up interval is 6 months. The catheter is placed in the left kidney."
CLAIMS = (
    ("number", "The follow-up interval is 12 months.", "contradicted"),
    ("laterality", "The catheter is placed in the right kidney.", "contradicted"),
    ("key_statement", "The follow-up interval is 6 months.", "supported"),
    ("other_question", "Never eat before an abdominal ultrasound.", "not_addressed"),
)


def pair_lines(sources: int = 3) -> list[dict[str, Any]]:
    """Return pairs of some sources, four of each."""
    return [
        {
            "id": f"{source}-{kind}",
            "source": f"s{source}",
            "kind": kind,
            "evidence": EVIDENCE,
            "claim": claim,
            "label": label,
        }
        for source in range(sources)
        for kind, claim, label in CLAIMS
    ]


def write_pairs(path: Path, lines: Sequence[dict[str, Any]]) -> Path:
    """Write JSON lines."""
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path


class Never:
    """A check that calls every claim with "never" contradicted and gives no probability."""

    name = "never"
    inline = True

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Return one finding for every claim."""
        return [
            Finding("never", "never", self._verdict(claim.text.lower()), place)
            for place, claim in enumerate(subject.claims)
        ]

    def _verdict(self, text: str) -> Verdict:
        return Verdict.CONTRADICTED if "never" in text else Verdict.NOT_ADDRESSED


def examined(
    verdict: Verdict | None,
    *,
    positive: bool,
    question: str,
    score: float | None = None,
    kind: str = "kind",
    condition: str = "",
    p_wrong: float | None = None,
    high_risk: bool = False,
    seconds: float = 0.001,
) -> Examined:
    """Return what one check, `slots`, said of an item; with `p_wrong` a fused risk too."""
    item = Item(
        f"{question}/{kind}",
        question,
        kind,
        positive,
        "text",
        {},
        Answer(0, "text"),
        condition,
        correct=not positive,
        high_risk=high_risk,
    )
    risk = None if p_wrong is None else Risk(0.0, {})
    assessment = Assessment((), (), p_wrong, score, Confidence(), risk=risk)
    return Examined(item, {"slots": Read(verdict, score, "slots.number", "", seconds, 0.002)}, 2, assessment)
