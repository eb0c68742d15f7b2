"""The values of a JSON text with the span where each stands in the raw text."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import orjson

from gatekeeper.exchange import Span

MAX_LEAVES: Final = 2_048
"""More than the claims that are read of an answer, so that leaving some out shows there."""

_STRING: Final = r'"(?:[^"\\]|\\.)*"'
_TOKEN: Final = re.compile(rf"(?P<key>{_STRING})\s*:|(?P<string>{_STRING})|(?P<scalar>[^\s\[\]{{}},:\"]+)")
_NAME: Final = re.compile(r"[_\W]+|(?<=[a-z])(?=[A-Z])")


class Leaf(NamedTuple):
    """One value: the words of its key, its own text, its span in the JSON text."""

    name: str
    value: str
    span: Span

    @property
    def statement(self) -> str:
        """The value as something that can be read: `dose mg: 0.3`."""
        return f"{self.name}: {self.value}" if self.name else self.value


def json_leaves(text: str) -> tuple[Leaf, ...] | None:
    """Return strings, numbers and booleans of a JSON object or array, None where it is neither.

    The span of a string leaves its quotes out.
    """
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return tuple(_scan(text))[:MAX_LEAVES]


def _scan(text: str) -> Iterator[Leaf]:
    name = ""
    for token in _TOKEN.finditer(text):
        if token["key"] is not None:
            name = " ".join(filter(None, _NAME.split(orjson.loads(token["key"]))))
        elif token["string"] is not None:
            value = orjson.loads(token["string"])
            if value.strip():
                yield Leaf(name, value, Span(token.start() + 1, token.end() - 1))
        elif token["scalar"] != "null":
            yield Leaf(name, token["scalar"], Span(*token.span()))
