"""What the gate asks of whatever generates answers."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from gatekeeper.exchange import Case, Completion, JsonObject


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model server was seen to do. `top_logprobs` is its cap, 0 where it gives none.

    `notes` are one-line remarks for people (such as zeros in place of token probabilities).
    """

    logprobs: bool
    top_logprobs: int
    logprobs_with_tools: bool
    logprobs_with_stream: bool
    models: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Backend(Protocol):
    """Generates answers. One instance serves all requests of a process, concurrently.

    Implementations raise only the `UpstreamError` family, `InvalidRequest` (what was asked cannot be
    done by this backend) and `Overloaded`. Cancelling a call must stop the generation behind it.
    """

    @property
    def name(self) -> str:
        """The kind of backend: `openai`, `extractive`, `scripted` and so on."""

    @property
    def fingerprint(self) -> str | None:
        """What names the model before it has answered; None where nothing does."""

    async def start(self) -> Capabilities:
        """Open connections and find out what the server can do; called once before any request."""

    async def close(self) -> None:
        """Let go of everything; running calls have ended before."""

    async def healthy(self) -> bool:
        """Whether a request would probably be served now; cheap, asked by `/readyz`."""

    async def complete(self, case: Case) -> Completion:
        """Generate all choices of a case, whole: where the client streams, the stream is read to its end."""

    def stream(self, case: Case) -> AsyncIterator[JsonObject]:
        """Generate a case as the chunk objects of an OpenAI stream, in order, without `[DONE]`."""

    async def models(self) -> JsonObject:
        """Return the body of `/v1/models`."""

    async def embed(self, body: Mapping[str, object]) -> JsonObject:
        """Return the body of `/v1/embeddings`; `NotSupported` where the backend has none."""


@runtime_checkable
class Scorer(Protocol):
    """A Backend that can say how probable given texts are, at the price of reading their prefix once."""

    async def score(self, prefix: str | Sequence[JsonObject], candidates: Sequence[str]) -> list[float]:
        """Return log P(candidate | prefix) in nats, the sum over its tokens, for each candidate.

        `prefix` is text, or messages that are written as the model's prompt up to where its answer
        begins. Raises as `Backend` does.
        """

    async def score_labels(
        self, asked: Sequence[tuple[Sequence[JsonObject], Sequence[str]]]
    ) -> list[list[float]]:
        """Return log P(label | messages) in nats for each label of each pair of messages and labels.

        What the messages begin with in common is read once. Raises as `Backend` does.
        """
