"""A backend that answers at once with one canned body: what remains is the gate's own time."""

from collections.abc import AsyncIterator, Mapping

import orjson

from gatekeeper.backends.base import Capabilities
from gatekeeper.errors import NotSupported
from gatekeeper.exchange import Case, Completion, JsonObject
from gatekeeper.wire.completion import parse_chat_completion
from gatekeeper.wire.rows import typical


class Replaying:
    """Gives the same answer to every case."""

    name = "replaying"
    fingerprint = "replaying"

    def __init__(self, body: bytes) -> None:
        self._whole = orjson.loads(body)
        self._read = typical(body) or self._whole

    async def start(self) -> Capabilities:
        """Nothing to open."""
        return Capabilities(
            logprobs=True, top_logprobs=5, logprobs_with_tools=True, logprobs_with_stream=True
        )

    async def close(self) -> None:
        """Nothing to let go of."""

    async def healthy(self) -> bool:
        """Return True."""
        return True

    async def complete(self, case: Case) -> Completion:
        """Return the canned answer."""
        body = self._whole if case.conversation.wants_logprobs else self._read
        return parse_chat_completion(body, backend=self.name)

    def stream(self, case: Case) -> AsyncIterator[JsonObject]:
        """Not offered."""
        raise NotSupported("the canned answer does not stream")

    async def models(self) -> JsonObject:
        """Return an empty list."""
        return {"object": "list", "data": []}

    async def embed(self, body: Mapping[str, object]) -> JsonObject:
        """Not offered."""
        raise NotSupported("the canned answer has no embedding")
