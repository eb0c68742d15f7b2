"""How answers are drawn: greedy, samples, and the tokens that reasoning may take."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from radsafe_bench.records import GREEDY

ANSWER_TOKENS: Final = 10
REASONING_TOKENS: Final = 4096
STEP_TOKENS: Final = 512
"""For each intermediate call of `agentic_rag`; REASONING_TOKENS where the model reasons."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling options of a run. `extra` is merged into every body, such as `chat_template_kwargs`."""

    samples: int = 20
    temperature: float = 0.7
    max_tokens: int = ANSWER_TOKENS
    reasoning: bool = False
    top_logprobs: int = 20
    extra: Mapping[str, Any] = field(default_factory=dict)

    def settings(self, model: str, sample: int) -> dict[str, Any]:
        """Return the model and sampling options of a body; a sample's seed is its index."""
        greedy = sample == GREEDY
        drawn = {"temperature": 0.0} if greedy else {"temperature": self.temperature, "seed": sample}
        asked = {"logprobs": True, "top_logprobs": self.top_logprobs} if self.top_logprobs else {}
        return {"model": model, **drawn, "max_tokens": self.max_tokens, **asked, **self.extra}

    def step_settings(self, model: str) -> dict[str, Any]:
        """Return the options of an intermediate call: greedy, longer, without token probabilities."""
        tokens = self.max_tokens if self.reasoning else STEP_TOKENS
        return {"model": model, "temperature": 0.0, "max_tokens": tokens, **self.extra}

    def stated(self) -> dict[str, Any]:
        """Return the options as the manifest states them."""
        return {**asdict(self), "greedy_temperature": 0.0, "seed": "the sample's index"}
