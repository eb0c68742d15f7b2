from collections.abc import Mapping
from pathlib import Path
from shutil import copytree

import orjson
import pytest

from gatekeeper.checks.nli import EMBEDDED, Reader, load_reader, model_digest
from gatekeeper.checks.nli.reader import OUTPUTS
from gatekeeper.errors import PolicyError

EVIDENCE = "Metformin is withheld for 48 hours after intra-arterial contrast when eGFR is below 30."
CLAIMS = (
    "Metformin is withheld for 48 hours after intra-arterial contrast when eGFR is below 30.",
    "Metformin is withheld for 24 hours after intra-arterial contrast when eGFR is below 30.",
    "A rash after gadolinium is treated with cetirizine.",
)
PAIRS = [(EVIDENCE, claim) for claim in CLAIMS]


def _relabelled(tmp_path: Path, labels: Mapping[str, str]) -> Path:
    folder = tmp_path / "model"
    copytree(EMBEDDED, folder)
    config = orjson.loads((folder / "config.json").read_bytes())
    (folder / "config.json").write_bytes(orjson.dumps({**config, "id2label": labels}))
    return folder


def test_rows_are_probabilities_of_each_pair() -> None:
    """Every pair gets three probabilities, whatever else is read with it and in whatever order."""
    reader = load_reader()

    together = reader.read(PAIRS)
    alone = [reader.read([pair])[0] for pair in PAIRS]

    assert together.shape == (3, len(OUTPUTS))
    assert together.sum(axis=1) == pytest.approx([1.0, 1.0, 1.0])
    assert together.tolist() == [row.tolist() for row in alone]


def test_the_embedded_model_reads_plain_cases() -> None:
    """A repeated statement is supported, a changed number contradicted, another subject not addressed."""
    found = load_reader().read(PAIRS).argmax(axis=1)

    assert [OUTPUTS[place].value for place in found] == ["supported", "contradicted", "not_addressed"]


def test_the_same_pairs_give_the_same_numbers() -> None:
    """A replay reads what the proxy read, to the last digit."""
    first, second = Reader(EMBEDDED), Reader(EMBEDDED)

    assert (first.read(PAIRS * 9) == second.read(PAIRS * 9)).all()


def test_outputs_are_found_by_the_names_in_the_config(tmp_path: Path) -> None:
    """A model with its outputs in another order, and the field's usual names, is read right."""
    labels = {"0": "ENTAILMENT", "1": "neutral", "2": "contradiction"}

    moved = Reader(_relabelled(tmp_path, labels)).read(PAIRS)

    assert (moved[:, [0, 2, 1]] == load_reader().read(PAIRS)).all()


def test_a_model_without_usable_names_is_refused(tmp_path: Path) -> None:
    """Outputs called LABEL_0 … could mean anything, so such a model does not start."""
    folder = _relabelled(tmp_path, {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"})

    with pytest.raises(PolicyError, match="id2label must name entailment"):
        Reader(folder)


def test_another_model_than_the_policy_names_is_refused(tmp_path: Path) -> None:
    """A policy was gated with one model: a changed file is noticed before anything is served."""
    folder = _relabelled(tmp_path, {"0": "supported", "1": "not_addressed", "2": "contradicted"})

    assert load_reader(folder, model_digest(folder)).read(PAIRS).shape == (3, 3)
    with pytest.raises(PolicyError, match="gate the policy anew"):
        load_reader(folder, model_digest(EMBEDDED))


@pytest.mark.parametrize("missing", ["model.onnx", "tokenizer.json", "config.json"])
def test_a_folder_that_lacks_a_file_is_named(tmp_path: Path, missing: str) -> None:
    """The message says which file of the model is not there."""
    folder = tmp_path / "model"
    copytree(EMBEDDED, folder)
    (folder / missing).unlink()

    with pytest.raises(PolicyError, match=missing):
        load_reader(folder)


def test_a_broken_model_is_refused(tmp_path: Path) -> None:
    """A file that is no ONNX model ends in one line and not in a traceback of a library."""
    folder = tmp_path / "model"
    copytree(EMBEDDED, folder)
    (folder / "model.onnx").write_bytes(b"no model")

    with pytest.raises(PolicyError, match="holds no ONNX model"):
        load_reader(folder)


def test_very_long_texts_are_cut() -> None:
    """A megabyte of evidence costs no more than what is read of it, and leaves the claim whole."""
    row = load_reader().read([(EVIDENCE + " word" * 200_000, CLAIMS[0])])

    assert row.shape == (1, 3)
