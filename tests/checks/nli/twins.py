"""How many twins a reader tells apart: of two pairs that differ in one fact, the false one looks the worse.

    python -m tests.checks.nli.twins [MODEL]

MODEL is a folder as the `nli` check takes it, the embedded one unless given. Wording tells nothing here, so
chance is 50 %.
"""

import sys
from itertools import pairwise
from pathlib import Path

import orjson

from gatekeeper.assessment import Claim
from gatekeeper.checks.nli import EMBEDDED, Reader
from gatekeeper.checks.nli.check import select
from gatekeeper.checks.slots.alignment import Rarity
from gatekeeper.evidence.statements import read_statements
from gatekeeper.exchange import Document, Span

TWINS = Path(__file__).parents[2] / "data" / "reading_twins.jsonl"


def main(folder: Path) -> None:
    """Read all pairs as the check does, and print the share."""
    rows = [orjson.loads(line) for line in TWINS.read_bytes().splitlines()]
    found = Reader(folder).read([_pair(row["evidence"], row["claim"]) for row in rows])
    leaning = (found[:, 1] - found[:, 0]).tolist()
    told = [
        second > first
        for (one, first), (other, second) in pairwise(zip(rows, leaning, strict=True))
        if (one["source"], one["label"]) == (other["source"], "supported")
        and other["label"] == "contradicted"
    ]
    sys.stdout.write(f"{sum(told)} of {len(told)} twins told apart: {sum(told) / len(told):.1%}\n")


def _pair(evidence: str, claim: str) -> tuple[str, str]:
    whole = Document("twins", evidence, "twins", "", Span(0, len(evidence)))
    statements = tuple(read_statements(whole))
    return select(Claim(claim, Span(0, len(claim))), statements, Rarity(statements), most=2).pair


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else EMBEDDED)
