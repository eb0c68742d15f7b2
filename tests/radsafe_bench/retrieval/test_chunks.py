"""Texts cut into overlapping chunks."""

from hypothesis import given
from hypothesis import strategies as st

from radsafe_bench.retrieval import Chunk, SourceText, chunked


def _numbers(count: int) -> SourceText:
    return SourceText("leaflet", " ".join(str(number) for number in range(count)), "A leaflet", "leaflet.md")


def test_a_long_text_is_cut_every_250_words_with_50_repeated() -> None:
    """What stands at a border is found whole in one of the two chunks."""
    chunks = list(chunked(_numbers(700)))
    assert [chunk.text.split()[0] for chunk in chunks] == ["0", "250", "500"]
    assert [chunk.text.split()[-1] for chunk in chunks] == ["299", "549", "699"]
    assert [chunk.id for chunk in chunks] == ["leaflet#1", "leaflet#2", "leaflet#3"]


def test_a_short_text_is_one_chunk_with_its_own_id() -> None:
    """A passage of the suite keeps its id, title and source in the evidence."""
    assert list(chunked(SourceText("p-1", " one\n two "))) == [Chunk("p-1", "one\n two", "p-1")]
    (chunk,) = chunked(_numbers(300))
    assert chunk.document == {
        "id": "leaflet",
        "title": "A leaflet",
        "text": chunk.text,
        "source": "leaflet.md",
    }


def test_a_text_without_words_has_no_chunks() -> None:
    """An empty file does not turn up as an empty finding."""
    assert list(chunked(SourceText("empty", " \n"))) == []


@given(st.integers(1, 400), st.integers(2, 40), st.data())
def test_no_word_is_lost_and_no_chunk_is_only_repetition(words: int, size: int, data: st.DataObject) -> None:
    """Whatever the sizes, chunks laid over one another give the text back."""
    overlap = data.draw(st.integers(0, size - 1))
    source = _numbers(words)
    chunks = [chunk.text.split() for chunk in chunked(source, size, overlap)]
    joined = chunks[0] + [word for chunk in chunks[1:] for word in chunk[overlap:]]
    assert joined == source.text.split()
    assert all(len(chunk) <= size for chunk in chunks)
    assert all(len(chunk) > overlap for chunk in chunks[1:])
