"""How a pair is put to the embedded reader: measures in one form, and marks on what only one text holds.

A small reader that is told which word pieces of the claim the evidence holds, and the other way round, can
spend its layers on the rest. The marks stand where BERT says which text a piece belongs to.
"""

from collections.abc import Sequence
from typing import Final

from gatekeeper.checks.nli.canonical import canonical

EVIDENCE, CLAIM, CLAIM_ONLY, EVIDENCE_ONLY = range(4)
"""Token types: BERT's two for what both texts hold, and two more."""
TOKEN_TYPES: Final = 4


def in_one_form(evidence: str, claim: str) -> tuple[str, str]:
    """Return both texts with their measures in one form each."""
    return canonical(evidence), canonical(claim)


def marked(ids: Sequence[int], types: Sequence[int], texts: Sequence[int | None]) -> list[int]:
    """Return the token types of a pair's word pieces.

    `texts` says of each piece which text it is from, 0 the evidence and 1 the claim; None for separators
    and padding, which keep their types.
    """
    evidence = {piece for piece, text in zip(ids, texts, strict=True) if text == 0}
    claim = {piece for piece, text in zip(ids, texts, strict=True) if text == 1}
    return [
        given
        if text is None
        else (EVIDENCE if piece in claim else EVIDENCE_ONLY)
        if text == 0
        else (CLAIM if piece in evidence else CLAIM_ONLY)
        for piece, given, text in zip(ids, types, texts, strict=True)
    ]
