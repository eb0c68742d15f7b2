"""Where the texts of a corpus come from: the suite's own passages, and folders of text files."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final

import orjson

from gatekeeper.errors import GatekeeperError
from radsafe_bench.retrieval.chunks import SourceText
from radsafe_bench.suites import Suite

SUFFIXES: Final = frozenset({".txt", ".md"})
MAX_FOLDER_BYTES: Final = 512 * 1024 * 1024


class CorpusError(GatekeeperError):
    """A folder or an encoder that retrieval needs cannot be used."""


def suite_texts(suite: Suite) -> tuple[SourceText, ...]:
    """Return the passages of a suite's corpus; nothing of a passage's kind or question is kept."""
    return tuple(SourceText(id=passage.id, text=passage.text) for passage in suite.corpus)


def read_folder(folder: Path) -> tuple[SourceText, ...]:
    """Read every `.txt` and `.md` file below a folder, in order of path; the path is id and source.

    Raises CorpusError where there is none, one is no UTF-8 text, or they exceed MAX_FOLDER_BYTES.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        raise CorpusError(f"{folder}: holds no .txt or .md file")
    if sum(path.stat().st_size for path in files) > MAX_FOLDER_BYTES:
        raise CorpusError(f"{folder}: over {MAX_FOLDER_BYTES >> 20} MiB of text; split it")
    return tuple(_read(path, f"{folder.name}/{path.relative_to(folder).as_posix()}") for path in files)


def _read(path: Path, name: str) -> SourceText:
    try:
        return SourceText(id=name, text=path.read_text(encoding="utf-8"), title=path.stem, source=name)
    except (OSError, UnicodeDecodeError):
        raise CorpusError(f"{path}: cannot be read as UTF-8 text") from None


def corpus_digest(texts: Iterable[SourceText]) -> str:
    """Return `sha256:` over ids and texts, in order."""
    content = [[text.id, text.text] for text in texts]
    return f"sha256:{sha256(orjson.dumps(content)).hexdigest()}"
