"""Token probabilities as servers list them, read from a body's bytes straight into rows of known fields.

They are nine tenths of a body, and as dictionaries and lists they would cost as much as a check. Everything
else in a body is read as JSON, whatever its fields are.
"""

from typing import Annotated, Any, Final

import msgspec


class Candidate(msgspec.Struct, gc=False):
    """A token and its log-probability, nats, None where the server gives none."""

    token: str
    logprob: float | None = None


class Row(Candidate, gc=False):
    """The token that was chosen, its bytes where the server lists them, and the alternatives."""

    bytes: Any = None
    top_logprobs: list[Candidate] | None = None


class _SentRow(Row, gc=False, forbid_unknown_fields=True):
    """A row where nothing else could stand that is a list of objects with a `token`."""

    id: Any = None
    """llama-server's number of the token."""


_Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A number that can be written again: orjson reads longer ones as decimals."""
_Plain = str | _Whole | float | bool | None
_Object = dict[str, dict[str, _Plain] | _Plain]
_Part = dict[str, list[_SentRow] | _Object | _Plain]
_Choice = dict[str, _Part | list[_Plain] | _Plain]
_TYPICAL: Final = msgspec.json.Decoder(dict[str, list[_Choice] | _Object | _Plain])
"""A chat completion whose only lists of objects are the rows: neither content parts nor tool calls."""


def typical(data: bytes) -> dict[str, Any] | None:
    """Return the JSON of a typical body, with a Row for each of `choice.logprobs.content`; None of any other.

    But for what servers list as a token's bytes, which is not written again, it is nested six deep at most.
    """
    try:
        return _TYPICAL.decode(data)
    except (ValueError, RecursionError):
        return None


def rows_of(logprobs: object) -> list[Row]:
    """Return the rows of `choice.logprobs`, none where it has none.

    Raises ValueError or RecursionError where one is malformed.
    """
    listed = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(listed, list) or not listed:
        return []
    return listed if isinstance(listed[0], Row) else msgspec.convert(listed, list[Row])
