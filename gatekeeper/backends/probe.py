"""Asking a live server what it can do, with a few tiny requests."""

from collections.abc import Iterable
from contextlib import aclosing
from typing import Any, Final

from gatekeeper.backends.base import Capabilities
from gatekeeper.backends.upstream import LogprobsRefused, UpstreamClient
from gatekeeper.errors import UpstreamError
from gatekeeper.wire.chunks import Fold
from gatekeeper.wire.completion import raise_for_error

_PATH: Final = "/chat/completions"
_SECONDS: Final = 20.0
"""For each request."""

_CAPS: Final = (20, 5, 1)
_MOST_MODELS: Final = 64
_MESSAGES: Final = [{"role": "user", "content": "Is water wet? Answer yes or no."}]
_TOOL: Final = {
    "type": "function",
    "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}},
}


async def probe(url: str, api_key: str | None = None, model: str | None = None) -> Capabilities:
    """Ask the server at `url`. Raises UpstreamError if it does not answer at all."""
    client = UpstreamClient(url, api_key=api_key, deadline_s=_SECONDS, retries=0)
    await client.open()
    try:
        return await probe_client(client, model)
    finally:
        await client.close()


async def probe_client(client: UpstreamClient, model: str | None = None) -> Capabilities:
    """Ask through a client that is open. `model` is by default the first that the server names."""
    models = await _models(client)
    request: dict[str, Any] = {"messages": _MESSAGES, "max_tokens": 8, "temperature": 0}
    request["model"] = model or next(iter(models), "")
    cap, rows = await _plain(client, request)
    asking = {**request, "logprobs": True, "top_logprobs": cap}
    with_stream = bool(rows) and bool(await _streamed(client, asking))
    with_tools = bool(rows) and await _streamed(client, {**asking, "tools": [_TOOL]}) is not None
    return Capabilities(
        logprobs=bool(rows),
        top_logprobs=min(cap, max((len(row.get("top_logprobs") or ()) for row in rows), default=0)),
        logprobs_with_tools=with_tools,
        logprobs_with_stream=with_stream,
        models=models,
        notes=tuple(_notes(rows, with_stream=with_stream, with_tools=with_tools)),
    )


async def _models(client: UpstreamClient) -> tuple[str, ...]:
    """Return the served model ids; none for a server without such a list."""
    try:
        listed = (await client.get("/models", timeout_s=_SECONDS)).get("data")
    except UpstreamError as error:
        if error.status in {404, 405, 501}:
            return ()
        raise
    ids = [item.get("id") for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return tuple(name for name in ids if isinstance(name, str))[:_MOST_MODELS]


async def _plain(client: UpstreamClient, request: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    """Return the most alternatives that may be asked for and the rows that came."""
    for cap in _CAPS:
        try:
            asking = {**request, "logprobs": True, "top_logprobs": cap}
            return cap, _rows(await client.post(_PATH, asking, timeout_s=_SECONDS))
        except LogprobsRefused:
            continue
        except UpstreamError as error:
            if error.status not in {400, 422}:
                raise
    raise_for_error(await client.post(_PATH, request, timeout_s=_SECONDS))
    return 0, []


async def _streamed(client: UpstreamClient, request: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of this request's stream, None where the server does not serve it."""
    fold = Fold()
    try:
        async with aclosing(client.events(_PATH, {**request, "stream": True}, timeout_s=_SECONDS)) as chunks:
            async for chunk in chunks:
                fold.add(chunk)
        return _rows(fold.body())
    except UpstreamError:
        return None


def _rows(body: dict[str, Any]) -> list[dict[str, Any]]:
    raise_for_error(body)
    try:
        rows = body["choices"][0]["logprobs"]["content"]
        return [row for row in rows if isinstance(row["token"], str)]
    except (KeyError, IndexError, TypeError):
        return []


def _notes(rows: list[dict[str, Any]], *, with_stream: bool, with_tools: bool) -> Iterable[str]:
    if not rows:
        yield "gives no token probabilities: confidence will be unavailable"
        return
    values = [row.get("logprob") for row in rows]
    if len(values) > 1 and not any(values):
        yield "gives zeros in place of token probabilities (speculative decoding?)"
    if any(isinstance(value, float | int) and value <= -9999 for value in values):
        yield "gives sentinels in place of some token probabilities"
    if any(row["token"].startswith("token_id:") for row in rows):
        yield "gives token ids in place of text: turn off return_tokens_as_token_ids"
    if not any(row.get("top_logprobs") for row in rows):
        yield "gives no alternatives"
    if not with_stream:
        yield "gives no token probabilities in streams"
    if not with_tools:
        yield "refuses token probabilities in streams with tools"
