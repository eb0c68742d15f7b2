"""The model that reads: any ONNX cross-encoder for natural language inference, by onnxruntime on a CPU.

A folder holds `model.onnx`, `tokenizer.json` and `config.json`, whose `id2label` names the outputs
(entailment, contradiction, neutral, or this project's own words), whose optional `temperature`
divides the logits, and whose optional `marked` says that it reads pairs as `encoding` puts them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from gatekeeper.assessment import Verdict
from gatekeeper.checks.nli.encoding import in_one_form, marked
from gatekeeper.errors import PolicyError

EMBEDDED: Final = Path(__file__).parent / "model"
FILES: Final = ("model.onnx", "tokenizer.json", "config.json")
OUTPUTS: Final = (Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.NOT_ADDRESSED)
"""What the columns of `Reader.read` stand for."""
MAX_TOKENS: Final = 192
"""Word pieces of a pair that are read; evidence is cut before a claim is."""
LONGEST: Final = 8 * MAX_TOKENS
"""Characters of evidence that are tokenised; of a claim, which is never cut after that, a quarter."""
_WORDS: Final[Mapping[str, Verdict]] = {
    "entailment": Verdict.SUPPORTED,
    "supported": Verdict.SUPPORTED,
    "contradiction": Verdict.CONTRADICTED,
    "contradicted": Verdict.CONTRADICTED,
    "neutral": Verdict.NOT_ADDRESSED,
    "not_addressed": Verdict.NOT_ADDRESSED,
}

Pair = tuple[str, str]
"""Evidence and claim."""
Probabilities = NDArray[np.float64]


class Reader:
    """Reads pairs of evidence and claim. Thread-safe; one call computes on `threads` cores.

    `digest` is the `model_digest` of its folder, None where nobody computed it.
    """

    def __init__(self, folder: Path, threads: int = 1, digest: str | None = None) -> None:
        self.digest = digest
        try:
            import onnxruntime  # noqa: PLC0415  # an extra, and 50 ms: only where a policy asks for it
            from tokenizers import Tokenizer  # noqa: PLC0415  # as above
        except ImportError as error:
            raise PolicyError(
                "checks.nli needs onnxruntime and tokenizers: install radsafe-gatekeeper[nli], or disable it"
            ) from error
        try:
            config: dict[str, Any] = orjson.loads((folder / "config.json").read_bytes())
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
            self._session = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # each library has errors of its own
            raise PolicyError(
                f"{folder}: holds no ONNX model that can be read ({type(error).__name__})"
            ) from error
        self._tokenizer.enable_truncation(MAX_TOKENS, strategy="only_first")
        self._tokenizer.no_padding()
        self._columns = _columns(folder, config)
        self._temperature = float(config.get("temperature", 1.0))
        self._marked = bool(config.get("marked", False))
        self._inputs = {given.name for given in self._session.get_inputs()}

    def read(self, pairs: Sequence[Pair]) -> Probabilities:
        """Return the probability of each of `OUTPUTS` for each pair, (pairs, 3).

        A pair's numbers depend on nothing else that is read: with 8-bit activations a batch would share
        one scale, and on one core it saves no time.
        """
        return np.array([self._probabilities(pair) for pair in pairs]).reshape(len(pairs), len(OUTPUTS))

    def _probabilities(self, pair: Pair) -> Probabilities:
        evidence, claim = pair[0][:LONGEST], pair[1][: LONGEST // 4]
        if self._marked:
            evidence, claim = in_one_form(evidence, claim)
        encoded = self._tokenizer.encode(evidence, claim)
        types = encoded.type_ids
        if self._marked:
            types = marked(encoded.ids, types, encoded.sequence_ids)
        given = {
            "input_ids": np.array([encoded.ids], np.int64),
            "attention_mask": np.array([encoded.attention_mask], np.int64),
            "token_type_ids": np.array([types], np.int64),
        }
        (logits,) = self._session.run(None, {name: given[name] for name in self._inputs})
        scaled = np.asarray(logits[0], np.float64)[self._columns] / self._temperature
        exponentials = np.exp(scaled - scaled.max())
        return np.asarray(exponentials / exponentials.sum())


def load_reader(folder: Path | None = None, sha256: str | None = None) -> Reader:
    """Return the reader of a folder, the embedded one by default; loaded once per process and content.

    Raises PolicyError where the folder holds no such model, or another than `sha256` names.
    """
    folder = (folder or EMBEDDED).resolve()
    digest = model_digest(folder)
    if sha256 is not None and digest != sha256:
        raise PolicyError(
            f"{folder}: its digest is {digest}, but the policy names {sha256}; gate the policy anew "
            "with this model, or restore the other one"
        )
    return _loaded(folder, digest)


@lru_cache(maxsize=2)
def _loaded(folder: Path, digest: str) -> Reader:
    return Reader(folder, digest=digest)


def model_digest(folder: Path) -> str:
    """Return the SHA-256 over a model's files, in hex; raise PolicyError naming the one that is missing."""
    total = hashlib.sha256()
    for name in FILES:
        try:
            with (folder / name).open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise PolicyError(
                f"{folder / name}: cannot be read ({error.strerror}); a model folder holds {', '.join(FILES)}"
            ) from error
    return total.hexdigest()


def _columns(folder: Path, config: Mapping[str, Any]) -> list[int]:
    """Return which output of the model stands for each of `OUTPUTS`, by the label names of its config."""
    named = {
        _WORDS.get(str(label).lower()): int(position)
        for position, label in dict(config.get("id2label") or {}).items()
    }
    if not all(verdict in named for verdict in OUTPUTS):
        raise PolicyError(
            f"{folder / 'config.json'}: id2label must name entailment, contradiction and neutral"
        )
    return [named[verdict] for verdict in OUTPUTS]
