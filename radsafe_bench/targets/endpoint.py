"""An OpenAI-compatible server: a model server, or the gatekeeper itself."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from gatekeeper.backends.openai_http import OpenAIBackend
from gatekeeper.backends.upstream import UpstreamClient
from gatekeeper.errors import ConfigurationError, GatekeeperError, UpstreamError
from gatekeeper.exchange import Completion, JsonObject
from gatekeeper.wire.completion import parse_chat_completion
from gatekeeper.wire.request import MAX_TOP_LOGPROBS
from radsafe_bench.targets.base import Identity
from radsafe_bench.targets.embedded import case_of

_CHAT: Final = "/chat/completions"
_ABOVE: Final = "/.."
"""vLLM and llama-server serve `/tokenize` and `/props` beside `/v1`, not below it."""

_PROBE_TEXT: Final = "Is this text cut into tokens?"
_SECONDS: Final = 20.0


class EndpointTarget:
    """Sends recorded bodies as they are; only a gatekeeper is sent their `evidence`.

    `model` is the served model's name, by default the first that the server lists. `fingerprint`
    declares what its name does not say (quantisation, chat template), as `gatekeeper serve
    --fingerprint` does. Calls are not retried here: the run's own pacing must see every refusal.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        fingerprint: str | None = None,
        timeout_s: float = 300.0,
    ) -> None:
        self._client = UpstreamClient(
            url, api_key=api_key, deadline_s=timeout_s, retries=0, keeps_bodies=True
        )
        self._backend = OpenAIBackend(self._client, model=model, fingerprint=fingerprint)
        self._model = model
        self._served = ""
        self._fingerprint = ""
        self._gated = False
        self._count_field: str | None = None

    async def open(self) -> Identity:
        """Ask the server who and what it is.

        Raises ConfigurationError where nobody answers, or no model is listed to ask; may be tried again.
        """
        try:
            return await self._introduced()
        except GatekeeperError:
            await self._backend.close()
            raise

    async def _introduced(self) -> Identity:
        capabilities = await self._backend.start()
        if not await self._backend.healthy():
            raise ConfigurationError("no model server answers at this address; start it, or correct --target")
        model = self._model or next(iter(capabilities.models), "")
        if not model:
            await self._backend.models()  # Raises where a refused key is the reason.
            raise ConfigurationError("the server lists no models; name one with --model")
        self._model = model
        greeting = [{"role": "user", "content": "Are you there? Answer yes or no."}]
        body: dict[str, Any] = {"model": model, "messages": greeting, "max_tokens": 1}
        hello = await self._backend.complete(case_of(body))
        self._served, self._fingerprint = hello.model, hello.fingerprint or hello.model
        gate = hello.raw.get("gatekeeper")
        self._gated = isinstance(gate, dict)
        entry = await self._listed(model)
        return Identity(
            model=model,
            fingerprint=self._fingerprint,
            backend=self._backend.name,
            # A gate holds back what it has no evidence for, so the probe says nothing of its model.
            top_logprobs=MAX_TOP_LOGPROBS if self._gated else capabilities.top_logprobs,
            window=await self._find_window(entry),
            counts_tokens=self._count_field is not None,
            policy=gate.get("policy") if isinstance(gate, dict) else None,
            engine={
                "served_model": hello.model,
                "owned_by": entry.get("owned_by"),
                "system_fingerprint": hello.raw.get("system_fingerprint"),
            },
            notes=() if self._gated else capabilities.notes,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._backend.close()

    async def ask(self, body: JsonObject) -> Completion:
        """Return the server's answer.

        Raises ConfigurationError when another model answers than the one that the run began with.
        """
        sent = body if self._gated else {key: value for key, value in body.items() if key != "evidence"}
        completion = parse_chat_completion(await self._client.post(_CHAT, sent), backend=self._backend.name)
        if completion.model != self._served:
            raise ConfigurationError("the server now serves another model; start a new run for it")
        return completion.by(self._fingerprint)

    async def count_tokens(self, text: str) -> int | None:
        """Return the count of the server's `/tokenize`, None where it has none."""
        if self._count_field is None:
            return None
        counted = await self._tokenize(self._count_field, text)
        if counted is None:
            raise UpstreamError("The model server no longer counts tokens.")
        return counted

    async def _find_window(self, entry: Mapping[str, Any]) -> int | None:
        """Return the served context window, finding out on the way how the server counts tokens."""
        window = entry.get("max_model_len")
        for field in ("prompt", "content"):
            if await self._tokenize(field, _PROBE_TEXT):
                self._count_field = field
                break
        if not isinstance(window, int):
            settings = (await self._get_or_nothing(f"{_ABOVE}/props")).get("default_generation_settings")
            window = settings.get("n_ctx") if isinstance(settings, dict) else None
        return window if isinstance(window, int) and window > 0 else None

    async def _tokenize(self, field: str, text: str) -> int | None:
        """Count by vLLM's (`prompt`) or llama-server's (`content`) form of the question."""
        body = {"model": self._model, field: text}
        try:
            counted = await self._client.post(f"{_ABOVE}/tokenize", body, timeout_s=_SECONDS)
        except UpstreamError as error:
            if error.status in {429, 503, 504}:
                raise
            return None
        tokens = counted.get("tokens")
        return len(tokens) if isinstance(tokens, list) else None

    async def _listed(self, model: str) -> dict[str, Any]:
        models = (await self._get_or_nothing("/models")).get("data")
        entries = [entry for entry in models if isinstance(entry, dict)] if isinstance(models, list) else []
        return next((entry for entry in entries if entry.get("id") == model), {})

    async def _get_or_nothing(self, path: str) -> dict[str, Any]:
        with suppress(UpstreamError):
            return await self._client.get(path, timeout_s=_SECONDS)
        return {}
