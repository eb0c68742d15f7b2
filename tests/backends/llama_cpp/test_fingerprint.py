"""A model is named by its file, so that nothing fitted on another is taken for it."""

import hashlib
from pathlib import Path

import pytest

from gatekeeper.backends.llama_cpp import LlamaCppBackend
from gatekeeper.backends.llama_cpp.fingerprint import file_digest, fingerprint
from gatekeeper.errors import ConfigurationError
from tests.backends.conftest import case
from tests.tiny_gguf import CHATML


def test_the_digest_is_the_files(gguf: Path) -> None:
    """The digest is what `sha256sum` prints for the file."""
    assert file_digest(gguf) == hashlib.sha256(gguf.read_bytes()).hexdigest()


def test_all_parts_of_a_split_model_count(tmp_path: Path) -> None:
    """A model in several files is named by all of them: a change in the last is another model."""
    for part, data in enumerate((b"first", b"second"), start=1):
        (tmp_path / f"big-{part:05}-of-00002.gguf").write_bytes(data)
    assert file_digest(tmp_path / "big-00001-of-00002.gguf") == hashlib.sha256(b"firstsecond").hexdigest()
    (tmp_path / "big-00002-of-00002.gguf").unlink()
    with pytest.raises(ConfigurationError, match="00002-of-00002"):
        file_digest(tmp_path / "big-00001-of-00002.gguf")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file is an error of configuration."""
    with pytest.raises(ConfigurationError, match="absent"):
        file_digest(tmp_path / "absent")


def test_weights_quantisation_and_template_tell_models_apart() -> None:
    """A change of any of them is another model."""
    names = {
        fingerprint("aa", "Q8_0", CHATML),
        fingerprint("ab", "Q8_0", CHATML),
        fingerprint("aa", "Q4_0", CHATML),
        fingerprint("aa", "Q8_0", CHATML + " "),
    }
    assert len(names) == 4


async def test_answers_are_named_by_it(backend: LlamaCppBackend, gguf: Path) -> None:
    """An answer carries the fingerprint that the backend had before: digest, quantisation, template, mode."""
    named = (await backend.complete(case(max_tokens=1))).fingerprint
    assert named == backend.fingerprint == fingerprint(file_digest(gguf), "F16", CHATML)


def test_it_is_none_before_the_file_is_read(gguf: Path) -> None:
    """Nothing is claimed of a file that was not read."""
    assert LlamaCppBackend(gguf).fingerprint is None
