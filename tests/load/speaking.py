"""A model server that speaks the rig's answer token by token, and notes when it wrote each.

A stream gets every token as it is written; any other request gets the whole answer once the last token
would have been. `GET /v1/stamps` tells the times by the number of the request, in seconds of the clock
that all processes of a machine share.
"""

import asyncio
import re
import sys
import time
from typing import Any

import orjson
import uvloop

from tests.load.exchange import response_body
from tests.load.upstream import MODELS, content_length, http

PACE_S = 0.004
"""Between two tokens: 250 a second, as fast as a small model on a good GPU."""
_NUMBER = re.compile(rb"Case (\d+)\.")
_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


class Speaker:
    """Answers over kept-alive connections."""

    def __init__(self) -> None:
        self._whole = orjson.loads(response_body())
        self._stamps: dict[str, list[float]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after the other, until the client goes."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(content_length(head))
                if head.startswith(b"GET"):
                    stamps = b"/stamps" in head.partition(b"\r\n")[0]
                    writer.write(http(orjson.dumps(self._stamps)) if stamps else MODELS)
                else:
                    await self._answer(body, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, body: bytes, writer: asyncio.StreamWriter) -> None:
        found = _NUMBER.search(body)
        stamps: list[float] = []
        rows = self._whole["choices"][0]["logprobs"]["content"]
        if orjson.loads(body).get("stream"):
            writer.write(_HEAD + _event(self._chunk({"role": "assistant", "content": ""})))
            for row in rows:
                await asyncio.sleep(PACE_S)
                stamps.append(time.monotonic())
                writer.write(_event(self._chunk({"content": row["token"]}, row)))
            writer.write(_event(self._chunk({}, finish="stop")) + _framed(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        else:
            await asyncio.sleep(PACE_S * len(rows) if found else 0)
            stamps.append(time.monotonic())
            writer.write(http(orjson.dumps(self._whole)))
        if found:
            self._stamps[found[1].decode()] = stamps

    def _chunk(self, delta: dict[str, str], row: Any = None, finish: str | None = None) -> dict[str, Any]:
        probabilities = {"content": [row]} if row else None
        choice = {"index": 0, "delta": delta, "logprobs": probabilities, "finish_reason": finish}
        top = {key: self._whole[key] for key in ("id", "created", "model")}
        return {**top, "object": "chat.completion.chunk", "choices": [choice]}


def _event(chunk: dict[str, Any]) -> bytes:
    return _framed(b"data: " + orjson.dumps(chunk) + b"\n\n")


def _framed(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


async def main(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.start_server(Speaker().serve, "127.0.0.1", port, limit=1_000_000)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
