"""One pooled HTTP client for a model server: deadline, bounded retries, bounded bodies, mapped errors."""

import asyncio
import random
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import nullcontext
from typing import Any, Final, final

import aiohttp
import orjson

from gatekeeper import __version__
from gatekeeper.deadlines import Deadlines
from gatekeeper.errors import ConfigurationError, UpstreamError, UpstreamGarbled, UpstreamTimeout
from gatekeeper.wire.nesting import too_deep
from gatekeeper.wire.rows import typical
from gatekeeper.wire.sse import DONE, SseParser

JUDGE_HEADER: Final = "x-gatekeeper-judge"
"""Marks the calls to a second model that judges: a gate refuses them, or judging would never end."""

LONGEST_WAIT: Final = 5.0
"""Seconds: a server that asks for a longer pause before a retry is not asked again."""

_ROOT: Final = re.compile(r"(?:/chat)?/[a-z]+\Z")
_FIRST_BACKOFF: Final = 0.1
_NOTHING_GENERATED: Final = (
    aiohttp.ClientOSError,
    aiohttp.ServerDisconnectedError,
    aiohttp.ConnectionTimeoutError,
)
_RETRIED: Final = frozenset({429, 502, 503, 504})
_ERROR_BYTES: Final = 65_536
_CODES: Final = frozenset(
    {"context_length_exceeded", "insufficient_quota", "model_not_found", "rate_limit_exceeded"}
)
"""Codes of OpenAI's errors that tell a client what to do; any other may hold text."""

_RANDOM: Final = random.SystemRandom()


class LogprobsRefused(UpstreamError):
    """The server does not give token probabilities for this request."""


class UpstreamClient:
    """Speaks JSON and SSE with one server. Open it inside a running event loop.

    `deadline_s` bounds a call with all its retries, `connect_timeout_s` each connection. A call is
    retried only while nothing was generated: no connection, or status 429, 502, 503, 504. Errors never
    carry the server's text. Cancelling a call closes its connection, which stops the generation. Where
    bodies are kept as they came (`keeps_bodies`), token probabilities, too, must be no deeper than can be
    written.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        deadline_s: float = 300.0,
        connect_timeout_s: float = 5.0,
        retries: int = 2,
        max_response_bytes: int = 16_000_000,
        headers: Mapping[str, str] | None = None,
        keeps_bodies: bool = False,
    ) -> None:
        self._url = base_url(url)
        self._headers = {
            "User-Agent": f"radsafe-gatekeeper/{__version__}",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            **(headers or {}),
        }
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._deadline_s = deadline_s
        self._connect_timeout_s = connect_timeout_s
        self._retries = retries
        self._max_bytes = max_response_bytes
        self._keeps_bodies = keeps_bodies
        self._deadlines = Deadlines(deadline_s)
        self._connecting = aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the connection pool; it connects on demand."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60.0),
            # Cookies would tie one patient's request to the next.
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, *, timeout_s: float | None = None) -> dict[str, Any]:
        """Return the JSON object at a path."""
        return await self._whole("GET", path, None, timeout_s)

    async def post(
        self, path: str, body: Mapping[str, object], *, timeout_s: float | None = None, as_rows: bool = False
    ) -> dict[str, Any]:
        """Send a JSON object and return the one that comes back.

        With `as_rows` its token probabilities, which no client is to get, may be a list of
        `gatekeeper.wire.rows.Row`.
        """
        return await self._whole("POST", path, orjson.dumps(body), timeout_s, as_rows=as_rows)

    async def events(
        self, path: str, body: Mapping[str, object], *, timeout_s: float | None = None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Send a JSON object and yield the objects of the stream that comes back, to its end or `[DONE]`.

        The HTTP client watches its deadline: only it can tell waiting for the server from waiting for whoever
        reads the stream.
        """
        with _Failures():
            data = orjson.dumps(body)
            async with await self._connected("POST", path, data, self._ends(timeout_s), own=True) as response:
                parser, received = SseParser(), 0
                async for piece in response.content.iter_any():
                    received += len(piece)
                    if received > self._max_bytes:
                        raise _too_large()
                    for event in parser.feed(piece):
                        if event == DONE:
                            return
                        yield _object(event)
                for event in parser.finish():
                    if event != DONE:
                        yield _object(event)

    async def reachable(self) -> bool:
        """Whether the server answers at all and is not busy loading."""
        try:
            await self.get("/models", timeout_s=self._connect_timeout_s)
        except UpstreamError as error:
            return error.status < 500
        return True

    async def _whole(
        self, method: str, path: str, data: bytes | None, timeout_s: float | None, *, as_rows: bool = False
    ) -> dict[str, Any]:
        """Return the JSON object that answers a request; with the usual time, it ends with the others."""
        own, ends = timeout_s is not None, self._ends(timeout_s)
        with _Failures(), nullcontext() if own else self._deadlines():
            async with await self._connected(method, path, data, ends, own=own) as response:
                found = await _bounded(response, self._max_bytes)
                return _object(found, whole=self._keeps_bodies, as_rows=as_rows)

    def _ends(self, timeout_s: float | None) -> float:
        return asyncio.get_running_loop().time() + (timeout_s or self._deadline_s)

    async def _connected(
        self, method: str, path: str, data: bytes | None, ends: float, *, own: bool
    ) -> aiohttp.ClientResponse:
        """Return a successful response within the tries; with `own`, the HTTP client watches `ends`."""
        loop = asyncio.get_running_loop()
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            try:
                response = await self._sent(method, path, data, ends - loop.time() if own else None)
            except _NOTHING_GENERATED:
                pause = _backoff(attempt)
                if last or loop.time() + pause >= ends:
                    raise
            else:
                if response.status < 300:
                    return response
                async with response:
                    error = await _failure(response)
                pause = max(_backoff(attempt), float(error.retry_after or 0))
                hopeless = response.status not in _RETRIED or pause > LONGEST_WAIT
                if last or hopeless or loop.time() + pause >= ends:
                    raise error
            await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def _sent(
        self, method: str, path: str, data: bytes | None, seconds: float | None
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            raise UpstreamError("The backend was not started.")
        timeout = self._connecting
        if seconds is not None:
            timeout = aiohttp.ClientTimeout(max(seconds, 0.001), sock_connect=self._connect_timeout_s)
        return await self._session.request(
            method,
            self._url + path,
            data=data,
            timeout=timeout,
            allow_redirects=False,
        )


@final
class _Failures:
    """Maps every failure of a request, and of reading its answer, inside its block."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Nothing to begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TimeoutError):
            raise UpstreamTimeout("The model server gave no answer before the deadline.") from error
        if isinstance(error, aiohttp.ClientConnectorError):
            raise UpstreamError("The model server could not be reached.") from error
        if isinstance(error, aiohttp.ClientError):
            raise UpstreamError("The model server broke off its answer.") from error


def base_url(url: str) -> str:
    """Return the address under which `/chat/completions` stands: `/v1` is added to a bare host.

    Raises ConfigurationError for anything but an HTTP address, and for the address of one endpoint.
    """
    if not url.startswith(("http://", "https://")):
        raise ConfigurationError("The model server's address begins with http:// or https://.")
    url = url.rstrip("/")
    if url.endswith(("/completions", "/models", "/responses")):
        raise ConfigurationError(
            f"Give the model server's base URL, such as {_ROOT.sub('', url)}, not {url}."
        )
    return url if url.count("/") > 2 else f"{url}/v1"


def _backoff(attempt: int) -> float:
    """Return the seconds to wait after a failed try, drawn so that clients do not come back together."""
    return _FIRST_BACKOFF * 2.0**attempt * _RANDOM.uniform(0.5, 1.5)


async def _bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    if (response.content_length or 0) > limit:
        raise _too_large()
    pieces, received = [], 0
    while data := await response.content.readany():
        received += len(data)
        if received > limit:
            raise _too_large()
        pieces.append(data)
    return b"".join(pieces)


def _object(data: bytes, *, whole: bool = False, as_rows: bool = False) -> dict[str, Any]:
    if as_rows and (found := typical(data)):
        return found
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict) or too_deep(data, value if whole else _without_probabilities(value)):
        # Raised outside the handler: the decoder's own error holds the text.
        raise UpstreamGarbled("The model server's answer is no JSON object.")
    return value


def _without_probabilities(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out token probabilities: they are most of a body, and what a client gets of them is made anew."""
    choices = body.get("choices")
    if not isinstance(choices, list):
        return body
    kept = [{**one, "logprobs": None} if isinstance(one, dict) else one for one in choices]
    return {**body, "choices": kept}


async def _failure(response: aiohttp.ClientResponse) -> UpstreamError:
    """Return what a refusing answer means; of its text only known codes are kept."""
    status = response.status
    try:
        data = await _bounded(response, _ERROR_BYTES)
    except UpstreamGarbled:
        data = b""
    if status in {400, 422, 501} and b"logprob" in data:
        return LogprobsRefused("The model server gives no token probabilities for this.", status=status)
    if status in {401, 403}:
        message = "The model server refused the gatekeeper's API key."
    elif status == 404:
        message = (
            "The model server answered with status 404. Does it serve the model that the request names? "
            "`gatekeeper probe URL` lists its models, and --upstream-model asks for one of them."
        )
    else:
        message = f"The model server answered with status {status}."
    return UpstreamError(
        message,
        status=status if status >= 400 else None,
        code=_code(data),
        retry_after=_seconds(response.headers.get("Retry-After", "")),
    )


def _code(data: bytes) -> str | None:
    try:
        code = _object(data).get("error", {}).get("code")
    except (UpstreamGarbled, AttributeError):
        return None
    return code if isinstance(code, str) and code in _CODES else None


def _seconds(header: str) -> int | None:
    return int(header) if header.isdecimal() and len(header) < 8 else None


def _too_large() -> UpstreamGarbled:
    return UpstreamGarbled("The model server's answer is over the size that is accepted.")
