"""Providers that do not speak OpenAI's protocol, through litellm (its SDK, not its proxy).

litellm adds milliseconds to every call and is slow to import, so it is loaded only where it is asked for.
It is kept from fetching anything on import, from reading `.env` files, from logging, and from seeing
request fields that would change where the request goes.
"""

import asyncio
import importlib
import inspect
import logging
import os
import warnings
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from gatekeeper.backends.base import Capabilities
from gatekeeper.backends.openai_http import OPTION_ALTERNATIVES, TEXT_ALTERNATIVES
from gatekeeper.errors import (
    ConfigurationError,
    InvalidRequest,
    NotSupported,
    UpstreamError,
    UpstreamTimeout,
)
from gatekeeper.exchange import Case, Completion, JsonObject, Surface
from gatekeeper.wire.completion import parse_chat_completion
from gatekeeper.wire.request import upstream_body

_PASSED: Final = frozenset(
    {
        *("messages", "temperature", "top_p", "n", "stop", "seed", "max_tokens", "max_completion_tokens"),
        *("presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs"),
        *("response_format", "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call"),
        *("reasoning_effort", "stream", "stream_options"),
    }
)
"""Request fields handed on. Any other could be one of litellm's own, such as `api_base` or `fallbacks`."""

_WITHOUT_EFFECT: Final = frozenset({"model", "user", "metadata", "store", "safety_identifier"})
"""Request fields that are left out without a word, because no answer depends on them."""

_PROBE: Final = {
    "messages": [{"role": "user", "content": "Is water wet? Answer yes or no."}],
    "max_tokens": 8,
}
_PROBE_SECONDS: Final = 20.0


class LiteLLMBackend:
    """A Backend behind litellm. `model` is litellm's name for it, such as `anthropic/claude-sonnet-4-5`.

    Keys are taken from `api_key` or from the environment variables that litellm names for a provider.
    `fingerprint` is what the operator declares; the model id that the provider returns is added to it.
    """

    name: Final = "litellm"

    def __init__(
        self,
        model: str,
        *,
        api_base: str | None = None,
        api_key: str | None = None,
        deadline_s: float = 300.0,
        fingerprint: str | None = None,
    ) -> None:
        self._model = model
        self._where = {"api_base": api_base, "api_key": api_key}
        self._deadline_s = deadline_s
        self._declared = fingerprint
        self._served: str | None = None
        self._alternatives = 0
        self._litellm: Any = None

    @property
    def fingerprint(self) -> str | None:
        """Name the model that answered at start; None where it did not."""
        return self._fingerprint(self._served) if self._served else None

    async def start(self) -> Capabilities:
        """Load litellm and ask the provider a tiny question. One that is away is taken by its description.

        Raises ConfigurationError where litellm is not installed or does not know the provider.
        """
        self._litellm = await asyncio.to_thread(_load)
        known = self._litellm.get_supported_openai_params(self._model)
        if known is None:
            raise ConfigurationError(f"{self._model}: litellm knows no such provider; write PROVIDER/MODEL")
        described = OPTION_ALTERNATIVES if "logprobs" in known else 0
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                self._alternatives = await self._probe(described)
        except (TimeoutError, UpstreamError, InvalidRequest):
            self._alternatives = described
        can = self._alternatives > 0
        return Capabilities(
            logprobs=can,
            top_logprobs=self._alternatives,
            logprobs_with_tools=can,
            logprobs_with_stream=can,
            models=(self._model,),
            notes=() if can else ("gives no token probabilities: confidence will be unavailable",),
        )

    async def close(self) -> None:
        """Close litellm's connections."""
        if self._litellm is not None:
            await _close(self._litellm)

    async def healthy(self) -> bool:
        """Whether litellm is loaded; providers have no check that costs nothing."""
        return self._litellm is not None

    async def complete(self, case: Case) -> Completion:
        """Generate all choices; without token probabilities where the provider refuses them."""
        response = await self._ask(self._options(case, stream=False))
        completion = parse_chat_completion(response.model_dump(), backend=self.name)
        return completion.by(self._fingerprint(completion.model))

    async def stream(self, case: Case) -> AsyncGenerator[JsonObject, None]:
        """Yield the provider's stream in OpenAI's chunks."""
        response = await self._ask(self._options(case, stream=True))
        async with self._mapped():
            try:
                async for chunk in response:
                    yield chunk.model_dump()
            finally:
                await response.aclose()

    async def models(self) -> JsonObject:
        """Return the one model."""
        model = {"id": self._model, "object": "model", "created": 0, "owned_by": "litellm"}
        return {"object": "list", "data": [model]}

    async def embed(self, body: Mapping[str, object]) -> JsonObject:
        """Raise NotSupported."""
        raise NotSupported("No embeddings through litellm; put a server behind --upstream for them.")

    async def _probe(self, described: int) -> int:
        """Return how many alternatives come with a token."""
        wish = {"logprobs": True, "top_logprobs": described} if described else {}
        completion = parse_chat_completion((await self._ask({**_PROBE, **wish})).model_dump())
        self._served = completion.model
        return max((len(token.top) for token in completion.answers[0].tokens), default=0)

    async def _ask(self, options: dict[str, Any]) -> Any:
        """Call litellm; once more without token probabilities where they may be what is refused."""
        if self._litellm is None:
            raise UpstreamError("The backend was not started.")
        try:
            return await self._called(options)
        except (InvalidRequest, UpstreamError) as error:
            if "logprobs" not in options or error.status not in {400, 422}:
                raise
        wishes = {"logprobs", "top_logprobs"}
        return await self._called({key: value for key, value in options.items() if key not in wishes})

    async def _called(self, options: dict[str, Any]) -> Any:
        async with self._mapped():
            return await self._litellm.acompletion(
                model=self._model, timeout=self._deadline_s, num_retries=0, **self._where, **options
            )

    def _options(self, case: Case, *, stream: bool) -> dict[str, Any]:
        if case.conversation.surface is not Surface.CHAT:
            raise NotSupported("Through litellm the gate serves /v1/chat/completions only.")
        wanted = OPTION_ALTERNATIVES if case.query.options else TEXT_ALTERNATIVES
        body = upstream_body(
            case,
            logprobs=self._alternatives > 0,
            top_logprobs=min(wanted, self._alternatives),
            stream=stream,
        )
        for field in body.keys() - _PASSED - _WITHOUT_EFFECT:
            raise InvalidRequest("This field cannot be handed on through litellm.", param=field)
        _refuse_addresses(body["messages"])
        return {field: value for field, value in body.items() if field in _PASSED}

    @asynccontextmanager
    async def _mapped(self) -> AsyncGenerator[None, None]:
        """Turn litellm's errors into ours; of the provider's words none is kept."""
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except Exception as error:
            raise self._ours(error) from None

    def _ours(self, error: Exception) -> Exception:
        status = getattr(error, "status_code", None)
        if isinstance(error, self._litellm.UnsupportedParamsError):
            return InvalidRequest("The provider does not take one of this request's options.")
        if isinstance(error, self._litellm.ContextWindowExceededError):
            message = "The messages are longer than the model's context."
            return UpstreamError(message, status=400, code="context_length_exceeded")
        if isinstance(error, self._litellm.Timeout):
            return UpstreamTimeout("The provider gave no answer before the deadline.")
        if status in {401, 403}:
            return UpstreamError("The provider refused the gatekeeper's API key.", status=status)
        known = isinstance(status, int) and 400 <= status < 600
        return UpstreamError("The provider failed.", status=status if known else None)

    def _fingerprint(self, served: str) -> str:
        return f"litellm:{served}" + (f"#{self._declared}" if self._declared else "")


def _refuse_addresses(messages: list[dict[str, Any]]) -> None:
    """Refuse content that litellm would fetch itself, from wherever a client says."""
    for message in messages:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            holder = part.get("image_url")
            url = holder.get("url") if isinstance(holder, dict) else holder
            inline = isinstance(url, str) and url.startswith("data:")
            if part["type"] not in {"text", "refusal"} and not (part["type"] == "image_url" and inline):
                raise InvalidRequest("Through litellm send text and inline images only.", param="messages")


def _load() -> Any:
    """Import litellm with everything off that calls out or writes down."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import litellm  # noqa: PLC0415 - an extra, seconds to import
        except ImportError as error:
            message = "--litellm needs an extra: pip install 'radsafe-gatekeeper[litellm]'"
            raise ConfigurationError(message) from error
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.turn_off_message_logging = True
    for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(logging.CRITICAL + 1)
    # Finished calls, with what was asked and answered, wait there to be logged.
    worker = importlib.import_module("litellm.litellm_core_utils.logging_worker").GLOBAL_LOGGING_WORKER
    worker.ensure_initialized_and_enqueue = _forget
    return litellm


def _forget(async_coroutine: Coroutine[Any, Any, Any]) -> None:
    async_coroutine.close()


async def _close(litellm: Any) -> None:
    """Close what litellm leaves open: its own function for this forgets the clients of OpenAI's library."""
    clients = litellm.in_memory_llm_clients_cache
    for client in tuple(clients.cache_dict.values()):
        close = getattr(client, "close", None)
        if inspect.iscoroutinefunction(close):
            await close()
    await litellm.close_litellm_async_clients()
    clients.flush_cache()
