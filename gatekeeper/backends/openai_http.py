"""Any OpenAI-compatible server: vLLM, llama-server, Ollama, SGLang, TGI, OpenAI itself."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Final

from gatekeeper.backends.base import Capabilities
from gatekeeper.backends.probe import probe_client
from gatekeeper.backends.upstream import LogprobsRefused, UpstreamClient
from gatekeeper.errors import UpstreamError
from gatekeeper.exchange import Case, Completion, JsonObject
from gatekeeper.wire.surfaces import WIRES

OPTION_ALTERNATIVES: Final = 20
"""Alternatives asked for on multiple choice, so that every option's letter is among them."""

TEXT_ALTERNATIVES: Final = 5

_PATH: Final = "/chat/completions"
_ASSUMED: Final = Capabilities(
    logprobs=True,
    top_logprobs=OPTION_ALTERNATIVES,
    logprobs_with_tools=False,
    logprobs_with_stream=True,
    notes=("the server could not be asked what it can do, so usual behaviour is assumed",),
)


class OpenAIBackend:
    """A Backend behind HTTP.

    `model` replaces the client's model name. `fingerprint` is what the operator declares of the weights,
    quantisation, chat template and logprob mode; the model id that the server returns is added to it.
    """

    name: Final = "openai"

    def __init__(
        self, client: UpstreamClient, *, model: str | None = None, fingerprint: str | None = None
    ) -> None:
        self._client = client
        self._model = model
        self._declared = fingerprint
        self._capabilities = _ASSUMED

    @property
    def fingerprint(self) -> str | None:
        """Name the model that will answer, where one is set or the server lists only one."""
        models = self._capabilities.models
        served = self._model or (models[0] if len(models) == 1 else None)
        return self._fingerprint(served) if served else None

    async def start(self) -> Capabilities:
        """Open the pool and ask the server what it can do; one that is still away is assumed able."""
        await self._client.open()
        try:
            self._capabilities = await probe_client(self._client, self._model)
        except UpstreamError:
            self._capabilities = _ASSUMED
        return self._capabilities

    async def close(self) -> None:
        """Close the pool."""
        await self._client.close()

    async def healthy(self) -> bool:
        """Whether the server answers."""
        return await self._client.reachable()

    async def complete(self, case: Case) -> Completion:
        """Generate all choices; without token probabilities where the server refuses them.

        The server is never asked to stream an answer that is held until its end: some servers give no
        token probabilities for streams with tools.
        """
        wire = WIRES[case.conversation.surface]
        asked = self._body(case, stream=False, logprobs=True)
        try:
            body = await self._client.post(wire.path, asked, as_rows=not case.conversation.wants_logprobs)
        except LogprobsRefused:
            body = await self._client.post(wire.path, self._body(case, stream=False, logprobs=False))
        completion = wire.parse_answer(body, backend=self.name)
        return completion.by(self._fingerprint(completion.model))

    async def stream(self, case: Case) -> AsyncIterator[JsonObject]:
        """Yield the server's chunks; without token probabilities where it refuses them."""
        for logprobs in (True, False):
            body = self._body(case, stream=True, logprobs=logprobs)
            try:
                async with aclosing(self._client.events(_PATH, body)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except LogprobsRefused:
                if logprobs:
                    continue
                raise
            return

    async def models(self) -> JsonObject:
        """Return the server's list of models."""
        return await self._client.get("/models")

    async def embed(self, body: Mapping[str, object]) -> JsonObject:
        """Return the server's embeddings."""
        return await self._client.post("/embeddings", body)

    def _body(self, case: Case, *, stream: bool, logprobs: bool) -> dict[str, Any]:
        can = self._capabilities
        if stream:
            logprobs &= can.logprobs_with_tools if case.conversation.has_tools else can.logprobs_with_stream
        wanted = OPTION_ALTERNATIVES if case.query.options else TEXT_ALTERNATIVES
        body = WIRES[case.conversation.surface].upstream_body(
            case,
            logprobs=logprobs and can.logprobs,
            top_logprobs=min(wanted, can.top_logprobs),
            stream=stream,
        )
        model = self._model or case.conversation.model or next(iter(can.models), "")
        return {**body, "model": model}

    def _fingerprint(self, served: str) -> str:
        """Name the model: what the operator declared and, told apart from it, what the server says."""
        return f"openai:{served}" + (f"#{self._declared}" if self._declared else "")
