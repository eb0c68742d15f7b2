"""Telling the application that a decision of its changed: its id and status, nothing else."""

from typing import Final

import aiohttp
import orjson

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)


class Webhook:
    """POSTs `{"decision_id": …, "status": …}` to one URL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def tell(self, decision_id: str, status: str) -> bool:
        """Return whether the application took the news (any 2xx); it may be told again where it did not."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        body = orjson.dumps({"decision_id": decision_id, "status": status})
        headers = {"content-type": "application/json"}
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return 200 <= response.status < 300
        except (TimeoutError, aiohttp.ClientError):
            return False

    async def close(self) -> None:
        """Let go of the connection."""
        if self._session is not None:
            await self._session.close()
