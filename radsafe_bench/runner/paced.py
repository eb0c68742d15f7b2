"""The target as a run asks it: within the run's pacing, with the seconds each answer took."""

import time
from dataclasses import dataclass

from gatekeeper.exchange import JsonObject
from radsafe_bench.conditions import Reply
from radsafe_bench.runner.pacing import Pacing
from radsafe_bench.targets import Identity, Target


@dataclass(frozen=True, slots=True)
class PacedTarget:
    """A target that was opened, so that it is known who answers."""

    target: Target
    identity: Identity
    pacing: Pacing

    async def ask(self, body: JsonObject) -> Reply:
        """Return the answer; its latency is that of the try that was answered."""

        async def timed() -> Reply:
            began = time.perf_counter()
            completion = await self.target.ask(body)
            return Reply(completion, time.perf_counter() - began)

        return await self.pacing.call(timed)

    async def count_tokens(self, text: str) -> int | None:
        """Return the length of a text in the model's own tokens, None where nobody can say."""
        return await self.pacing.call(lambda: self.target.count_tokens(text))
