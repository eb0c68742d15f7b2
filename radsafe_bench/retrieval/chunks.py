"""Texts cut into overlapping chunks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CHUNK_TOKENS: Final = 300
OVERLAP_TOKENS: Final = 50

_TOKEN: Final = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class SourceText:
    """One text of a corpus. `id` is unique in it; `title` and `source` go into the evidence."""

    id: str
    text: str
    title: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a text, as long as retrieval returns at once. `origin` is the text's id."""

    id: str
    text: str
    origin: str
    title: str | None = None
    source: str | None = None

    @property
    def document(self) -> dict[str, str]:
        """The chunk in the form of the request's `evidence` field."""
        known = {"id": self.id, "title": self.title, "text": self.text, "source": self.source}
        return {name: value for name, value in known.items() if value is not None}


def chunked(source: SourceText, size: int = CHUNK_TOKENS, overlap: int = OVERLAP_TOKENS) -> Iterator[Chunk]:
    """Yield the chunks of a text in order; whitespace inside them stays as it was.

    A token is a run of characters without whitespace, so that chunks do not depend on any model's
    vocabulary: 300 of them are some 400 tokens of a language model. Every chunk but the last has
    `size` tokens, of which `overlap` are repeated in the next.
    """
    tokens = [match.span() for match in _TOKEN.finditer(source.text)]
    single = len(tokens) <= size
    for number, first in enumerate(range(0, max(len(tokens) - overlap, min(1, len(tokens))), size - overlap)):
        last = min(first + size, len(tokens)) - 1
        yield Chunk(
            id=source.id if single else f"{source.id}#{number + 1}",
            text=source.text[tokens[first][0] : tokens[last][1]],
            origin=source.id,
            title=source.title,
            source=source.source,
        )
