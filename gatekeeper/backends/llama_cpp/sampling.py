"""How the tokens of an answer are to be chosen, as a request says."""

from dataclasses import dataclass
from typing import Final, Self

from gatekeeper.backends.llama_cpp.grammar import read_grammar
from gatekeeper.errors import InvalidRequest
from gatekeeper.exchange import JsonObject

_LIMITS: Final = ("max_completion_tokens", "max_tokens", "max_output_tokens")
"""What the surfaces call the most tokens of an answer."""

_MOST_STOPS: Final = 16


@dataclass(frozen=True, slots=True)
class Sampling:
    """Options of one request; OpenAI's defaults. `max_tokens` None means as many as there is room for."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int | None = None
    max_tokens: int | None = None
    stops: tuple[str, ...] = ()
    grammar: str | None = None

    @classmethod
    def read(cls, body: JsonObject) -> Self:
        """Read a request's options; raises InvalidRequest, naming the one that is wrong."""
        _refuse_what_is_not_done(body)
        limit = next((name for name in _LIMITS if body.get(name) is not None), _LIMITS[0])
        return cls(
            temperature=_number(body, "temperature", 1.0, 0.0, 2.0),
            top_p=_number(body, "top_p", 1.0, 0.0, 1.0),
            top_k=_whole(body, "top_k", 0, 2**31 - 1) or 0,
            min_p=_number(body, "min_p", 0.0, 0.0, 1.0),
            presence_penalty=_number(body, "presence_penalty", 0.0, -2.0, 2.0),
            frequency_penalty=_number(body, "frequency_penalty", 0.0, -2.0, 2.0),
            seed=_whole(body, "seed", -(2**63), 2**63 - 1),
            max_tokens=_whole(body, limit, 1, 2**31 - 1),
            stops=_stops(body.get("stop")),
            grammar=read_grammar(body),
        )


def _refuse_what_is_not_done(body: JsonObject) -> None:
    """Refuse what would change the answer and would be left undone without a word."""
    if (body.get("tools") or body.get("functions")) and body.get("tool_choice") != "none":
        raise InvalidRequest(
            "The in-process model calls no tools; put llama-server or vLLM behind --upstream for them.",
            param="tools",
        )
    if body.get("logit_bias"):
        raise InvalidRequest("The in-process model takes no logit_bias.", param="logit_bias")


def _number(body: JsonObject, key: str, default: float, low: float, high: float) -> float:
    value = body.get(key)
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidRequest(f"{key} is a number from {low:g} to {high:g}.", param=key)
    return float(value)


def _whole(body: JsonObject, key: str, low: int, high: int) -> int | None:
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidRequest(f"{key} is a whole number from {low} to {high}.", param=key)
    return value


def _stops(value: object) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value or []
    if not isinstance(given, list) or len(given) > _MOST_STOPS or not all(isinstance(s, str) for s in given):
        raise InvalidRequest(f"stop is a string or a list of at most {_MOST_STOPS}.", param="stop")
    return tuple(given)
