"""A model server that costs next to nothing: it reads a request and sends one canned answer."""

import asyncio
import sys
from typing import cast

import uvloop

from tests.load.exchange import response_body


class Canned(asyncio.Protocol):
    """HTTP/1.1 with keep-alive: every complete POST gets the canned body."""

    _reply = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast(asyncio.Transport, transport)
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._buffer += data
        while True:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            length = content_length(head)
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            self._transport.write(MODELS if head.startswith(b"GET") else type(self)._reply)


def content_length(head: bytes) -> int:
    """Return the length that a head announces, 0 without."""
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def http(body: bytes) -> bytes:
    """Return a response with a body."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


MODELS = http(b'{"object":"list","data":[{"id":"rig","object":"model","created":0,"owned_by":"rig"}]}')


async def main(port: int) -> None:
    """Serve until killed."""
    Canned._reply = http(response_body())
    server = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
