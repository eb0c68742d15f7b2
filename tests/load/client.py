"""A load generator over plain sockets: its own cost must not hide what it measures."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.load.exchange import request_body


@dataclass(frozen=True, slots=True)
class Load:
    """What one load gave: seconds per request in order of completion, and seconds in all."""

    latencies: list[float]
    seconds: float

    @property
    def throughput(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Return a percentile of the latencies in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def load(
    port: int,
    concurrency: int,
    requests: int,
    first: int = 0,
    body_of: Callable[[int], bytes] = request_body,
) -> Load:
    """Send `requests` distinct requests over `concurrency` kept-alive connections."""
    numbers = iter(range(first, first + requests))
    latencies: list[float] = []

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000_000)
        try:
            for number in numbers:
                body = body_of(number)
                head = (
                    f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
                    f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
                )
                began = time.perf_counter()
                writer.write(head.encode() + body)
                await _response(reader)
                latencies.append(time.perf_counter() - began)
        finally:
            writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return Load(latencies, time.perf_counter() - began)


async def _response(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the server answered {head.splitlines()[0].decode()}")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return await reader.readexactly(int(line.partition(b":")[2]))
    raise RuntimeError("the server sent no content-length")
