"""Contexts made of chunks."""

from gatekeeper.evidence.extractors import MAX_CHARACTERS, MAX_DOCUMENTS
from radsafe_bench.conditions.context import fitting, of_chunks, padded
from radsafe_bench.retrieval import Chunk


def _chunks(count: int, words: int = 3) -> list[Chunk]:
    return [Chunk(f"c-{number}", " ".join([f"w{number}"] * words), f"c-{number}") for number in range(count)]


def test_retrieved_chunks_stand_best_first_with_a_blank_line_between() -> None:
    """Prompt and evidence hold the same texts in the same order."""
    context = of_chunks(_chunks(3, words=1))
    assert context.text == "w0\n\nw1\n\nw2"
    assert context.evidence == tuple({"id": f"c-{number}", "text": f"w{number}"} for number in range(3))


def test_more_chunks_than_a_gate_reads_documents_are_joined() -> None:
    """However many chunks there are, the gate takes the request and reads all of them."""
    context = of_chunks(_chunks(2 * MAX_DOCUMENTS + 1))
    assert len(context.evidence) <= MAX_DOCUMENTS
    assert "\n\n".join(document["text"] for document in context.evidence) == context.text
    assert context.evidence[0]["id"] == "c-0..c-2"


def test_padding_repeats_the_best_chunk_to_the_length_of_all() -> None:
    """The control is as long as ten chunks and says what one says."""
    best, *_ = chunks = [Chunk("a", "one two three", "a"), Chunk("b", "four five six seven", "b")]
    context = padded(best, chunks)
    assert context.text.split() == ["one", "two", "three", "one", "two", "three", "one"]
    assert context.evidence == (best.document,)


def test_chunks_are_taken_while_they_fit() -> None:
    """The first chunk that does not fit ends the context, so that the ranking is kept."""
    chunks = _chunks(4)
    assert fitting(chunks, [10, 10, 50, 1], 30) == tuple(chunks[:2])
    assert fitting(chunks, [10, 10, 10, 10], 40) == tuple(chunks)


def test_a_context_never_exceeds_what_a_gate_reads() -> None:
    """A window of a million tokens does not make a request that the gate refuses."""
    chunks = [Chunk(str(number), "x" * 100_000, str(number)) for number in range(6)]
    taken = fitting(chunks, [1] * 6, 1_000_000)
    assert len(taken) == 3
    assert sum(len(document["text"]) for document in of_chunks(taken).evidence) <= MAX_CHARACTERS
