"""How long after the model wrote a token a streaming client reads what waited for it."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field

import orjson

from gatekeeper.claims.sentences import sentences
from tests.load.exchange import ANSWER, TOKENS, request_body, tokens
from tests.load.speaking import PACE_S


def _first_sentence() -> tuple[int, int]:
    """Return its length in characters, and the index of the token from which it is known to have ended."""
    for index, text in enumerate(itertools.accumulate(tokens(ANSWER, TOKENS))):
        found = list(sentences(text))
        if len(found) > 1:
            return found[0].span.end, index
    raise AssertionError("the answer has two sentences")


_LENGTH, _ENDED_BY = _first_sentence()


@dataclass(slots=True)
class Arrivals:
    """When a client had read the first sentence and the end of each answer, by the request's number."""

    sentence: dict[str, float] = field(default_factory=dict)
    end: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds from the token that ended the first sentence, and from the last one, to the client."""

    first_sentence: list[float]
    last_token: list[float]


async def stream(port: int, speaker: int, concurrency: int, requests: int, first: int) -> Delays:
    """Stream `requests` answers over `concurrency` connections; the model's times come from `speaker`."""
    numbers = iter(range(first, first + requests))
    arrivals = Arrivals()

    async def client(place: int) -> None:
        await asyncio.sleep(place * PACE_S * TOKENS / concurrency)  # answers do not all end at one moment
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000_000)
        try:
            for number in numbers:
                await _ask(reader, writer, port, number, arrivals)
        finally:
            writer.close()

    await asyncio.gather(*(client(place) for place in range(concurrency)))
    stamps = await _stamps(speaker)
    return Delays(
        [
            at - stamps[number][_ENDED_BY]
            for number, at in arrivals.sentence.items()
            if len(stamps[number]) > 1
        ],
        [at - stamps[number][-1] for number, at in arrivals.end.items()],
    )


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, number: int, arrivals: Arrivals
) -> None:
    body = orjson.dumps({**orjson.loads(request_body(number)), "stream": True})
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    status = await reader.readuntil(b"\r\n\r\n")
    if not status.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the server answered {status.splitlines()[0].decode()}")
    length = 0
    while (line := await reader.readline()) != b"0\r\n":
        if not line.startswith(b"data: "):
            continue
        at = time.monotonic()
        if line.startswith(b"data: [DONE]"):
            arrivals.end[str(number)] = at
            continue
        for choice in orjson.loads(line[6:])["choices"]:
            length += len(choice["delta"].get("content") or "")
        if length >= _LENGTH:
            arrivals.sentence.setdefault(str(number), at)
    await reader.readline()


async def _stamps(speaker: int) -> dict[str, list[float]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", speaker, limit=64_000_000)
    writer.write(b"GET /v1/stamps HTTP/1.1\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    stamps: dict[str, list[float]] = orjson.loads(await reader.readexactly(int(size.partition(b":")[2])))
    writer.close()
    return stamps
