"""What a run needs of whatever answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gatekeeper.exchange import Completion, JsonObject


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose answers a run records.

    `fingerprint` names the weights as calibrations do. `top_logprobs` is the server's cap, 0 where it
    gives no token probabilities. `window` is the context window in tokens, None where it is unknown, and
    `window_from` who says so. `policy` names the policy of a gatekeeper that stands before the model,
    None without one. `engine` holds what the server says of itself, `notes` what was seen of it.
    """

    model: str
    fingerprint: str
    backend: str
    top_logprobs: int
    window: int | None = None
    window_from: str = "the server"
    counts_tokens: bool = False
    policy: Mapping[str, Any] | None = None
    engine: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Target(Protocol):
    """Answers chat bodies, concurrently. Errors are those of `gatekeeper.backends.base.Backend`."""

    async def open(self) -> Identity:
        """Connect and find out who answers. Raises UpstreamError where nobody does."""

    async def close(self) -> None:
        """Let go of everything."""

    async def ask(self, body: JsonObject) -> Completion:
        """Return the answer to a chat body, which may carry `evidence`."""

    async def count_tokens(self, text: str) -> int | None:
        """Return the length of a text in the model's own tokens, None where nobody can say."""
