"""Texts of suites and folders."""

from pathlib import Path

import pytest

from radsafe_bench.retrieval import CorpusError, SourceText, corpus_digest, read_folder, suite_texts
from tests.radsafe_bench.runner.small import make_suite


def test_a_folder_gives_its_text_files_in_order_of_path(tmp_path: Path) -> None:
    """Only .txt and .md count, also below the top; their paths become id and source."""
    folder = tmp_path / "leaflets"
    (folder / "mr").mkdir(parents=True)
    (folder / "mr" / "clip.md").write_text("Wait six weeks.", encoding="utf-8")
    (folder / "dose.TXT").write_text("Not over 20 mSv.", encoding="utf-8")
    (folder / "scan.pdf").write_bytes(b"%PDF")
    assert read_folder(folder) == (
        SourceText("leaflets/dose.TXT", "Not over 20 mSv.", "dose", "leaflets/dose.TXT"),
        SourceText("leaflets/mr/clip.md", "Wait six weeks.", "clip", "leaflets/mr/clip.md"),
    )


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    """A Latin-1 file is not read as nonsense."""
    (tmp_path / "alt.txt").write_bytes("Röntgen".encode("latin-1"))
    with pytest.raises(CorpusError, match=r"alt\.txt: cannot be read as UTF-8"):
        read_folder(tmp_path)


def test_a_folder_without_texts_is_refused(tmp_path: Path) -> None:
    """A mistyped folder does not pass for an empty corpus."""
    with pytest.raises(CorpusError, match=r"holds no \.txt or \.md file"):
        read_folder(tmp_path)


def test_a_suites_passages_bring_nothing_that_tells_how_true_they_are(tmp_path: Path) -> None:
    """Neither kind nor question of a passage reaches the model."""
    text = suite_texts(make_suite(tmp_path, 1))[0]
    assert text == SourceText("p-000", text.text)
    assert "clean" not in repr(text)


def test_the_digest_follows_the_texts() -> None:
    """A corpus that was edited is another corpus."""
    first = corpus_digest([SourceText("a", "one")])
    assert first == corpus_digest([SourceText("a", "one", title="t")])
    assert first != corpus_digest([SourceText("a", "two")])
