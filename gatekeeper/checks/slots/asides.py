"""What a claim says beside its point: the case it opens with, the reason or purpose it ends with.

An answer repeats the case that was asked about ("For a 65-year-old man with these findings, …") and says
why ("…, to reduce the risk of complications"), the evidence does not. Counted as part of the point, such
words hide that both speak of the same.
"""

from typing import Final

from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.tokens import Tokens

LIGHT: Final = 0.25
"""What a word of the opening counts, next to 1 in the point."""
_FRONTING: Final = wordset(
    "after among as at because before considering during following for given if in on once since under when"
    " while with within without"
)
_SHORTEST: Final = 3
"""Words that a point has at least."""
_REASONS: Final = wordset("because thereby")
_PAIRS: Final = frozenset(
    [
        *(("in", "order"), ("so", "that"), ("so", "as"), ("as", "this"), ("since", "this")),
        *(("unless", generally) for generally in ("clinical", "clinically", "otherwise", "contraindicated")),
    ]
)
_AFTER_COMMA: Final = wordset(
    "which to as since allowing avoiding enabling ensuring giving helping improving making minimising"
    " minimizing preventing providing reducing"
)
_NOT_AFTER: Final = wordset("well needed required appropriate necessary")
"""", as well as" goes on with a list, ", as needed" with the point."""


def opening_of(tokens: Tokens) -> int:
    """Return the comma that ends an opening, 0 without one."""
    lower = tokens.lower
    if not lower or lower[0] not in _FRONTING or "," not in lower:
        return 0
    comma = lower.index(",")
    return comma if len(lower) - comma > _SHORTEST else 0


def closing_of(tokens: Tokens, opening: int) -> int:
    """Return where the reason, purpose or remark begins that ends a claim; its length without one."""
    lower = tokens.lower
    for at in range(opening + _SHORTEST, len(lower) - 1):
        word = lower[at]
        if (word in _REASONS and lower[at + 1] != "of") or (word, lower[at + 1]) in _PAIRS:
            return at
        if lower[at - 1] == "," and word in _AFTER_COMMA and lower[at + 1] not in _NOT_AFTER:
            return at
    return len(lower)
