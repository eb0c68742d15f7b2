"""What stands before a question, condition by condition."""

from collections.abc import Sequence
from dataclasses import dataclass

from gatekeeper.evidence.extractors import MAX_CHARACTERS, MAX_DOCUMENTS
from radsafe_bench.retrieval import Chunk

Document = dict[str, str]
"""One entry of the request's `evidence` field."""


@dataclass(frozen=True, slots=True)
class Context:
    """The text before the question, and the same as documents, so that a gate sees what the model sees."""

    text: str = ""
    evidence: tuple[Document, ...] = ()


def of_text(name: str, text: str) -> Context:
    """Return a context of one text. `name` becomes its id and must not tell how true the text is."""
    return Context(text, ({"id": name, "text": text},))


def of_chunks(chunks: Sequence[Chunk]) -> Context:
    """Return a context of ranked chunks, best first, a blank line between them.

    Where there are more chunks than a gate reads documents, neighbours are joined into one document.
    """
    size = -(-len(chunks) // MAX_DOCUMENTS) or 1
    groups = (chunks[start : start + size] for start in range(0, len(chunks), size))
    return Context(_joined(chunks), tuple(_document(group) for group in groups))


def padded(best: Chunk, chunks: Sequence[Chunk]) -> Context:
    """Repeat one chunk up to the length in words of `chunks`: longer, and nothing more in it.

    The last repetition is cut off. The evidence holds the chunk once.
    """
    words, length = best.text.split(), len(_joined(chunks).split())
    whole, rest = divmod(length, len(words))
    pieces = [best.text] * whole + ([" ".join(words[:rest])] if rest else [])
    return Context("\n\n".join(pieces), (best.document,))


def fitting(chunks: Sequence[Chunk], tokens: Sequence[int], budget: int) -> tuple[Chunk, ...]:
    """Return the best chunks that fit into `budget` tokens; `tokens` are the chunks' own lengths.

    Not more than a gate reads (MAX_CHARACTERS), so that no part of the context goes unseen.
    """
    taken = characters = 0
    for chunk, length in zip(chunks, tokens, strict=True):
        budget -= length
        characters += len(chunk.text) + len("\n\n")
        if budget < 0 or characters > MAX_CHARACTERS:
            break
        taken += 1
    return tuple(chunks[:taken])


def _joined(chunks: Sequence[Chunk]) -> str:
    return "\n\n".join(chunk.text for chunk in chunks)


def _document(group: Sequence[Chunk]) -> Document:
    if len(group) == 1:
        return group[0].document
    return {"id": f"{group[0].id}..{group[-1].id}", "text": _joined(group)}
