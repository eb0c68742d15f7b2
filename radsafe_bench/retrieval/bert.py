"""Sentence embeddings by a BERT encoder in numpy: offline, on a CPU, without a deep-learning framework.

Reads a folder in the form of sentence-transformers (`config.json`, `tokenizer.json`,
`model.safetensors`) whose pooling is the mean over tokens, such as all-MiniLM-L6-v2.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray
from scipy.special import erf
from tokenizers import Tokenizer

from radsafe_bench.retrieval.corpus import CorpusError

Floats = NDArray[np.float32]

MAX_TOKENS: Final = 256
"""Word pieces of a text that are read, as in all-MiniLM-L6-v2's own settings; the rest is cut off."""

_BATCH: Final = 32
_MASKED: Final = np.float32(-1e9)


class BertEncoder:
    """Maps texts to unit vectors. The forward pass is that of Devlin et al. (2019), in float32."""

    def __init__(self, folder: Path) -> None:
        try:
            config = orjson.loads((folder / "config.json").read_bytes())
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._weights = _read_safetensors(folder / "model.safetensors")
            self._layers, self._heads = int(config["num_hidden_layers"]), int(config["num_attention_heads"])
            self._epsilon = np.float32(config["layer_norm_eps"])
        except (OSError, KeyError, ValueError) as error:
            raise CorpusError(f"{folder}: holds no BERT encoder that can be read") from error
        if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
            raise CorpusError(f"{folder}: only BERT encoders with GELU are supported")
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return one unit vector per text, (texts, dimensions)."""
        encodings = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.empty(
            (len(texts), self._weights["embeddings.word_embeddings.weight"].shape[1]), np.float32
        )
        for positions in _by_length(encodings):
            vectors[positions] = self._forward([encodings[position] for position in positions])
        return vectors

    def _forward(self, rows: Sequence[Sequence[int]]) -> Floats:
        """Encode token ids of similar length and return the normalised mean of their states."""
        longest = max(map(len, rows))
        ids = np.array([[*row, *[0] * (longest - len(row))] for row in rows])
        mask = np.array([[1.0] * len(row) + [0.0] * (longest - len(row)) for row in rows], np.float32)
        weights = self._weights
        states = (
            weights["embeddings.word_embeddings.weight"][ids]
            + weights["embeddings.position_embeddings.weight"][:longest]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        states = self._normalised(states, "embeddings.LayerNorm")
        for layer in range(self._layers):
            states = self._layer(states, (1 - mask)[:, None, None, :] * _MASKED, f"encoder.layer.{layer}")
        mean = (states * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), np.float32)

    def _layer(self, states: Floats, bias: Floats, name: str) -> Floats:
        attended = self._dense(
            self._attention(states, bias, f"{name}.attention.self"), f"{name}.attention.output.dense"
        )
        states = self._normalised(states + attended, f"{name}.attention.output.LayerNorm")
        inner = self._dense(states, f"{name}.intermediate.dense")
        inner *= 0.5 * (1 + erf(inner / np.float32(np.sqrt(2))))
        return self._normalised(
            states + self._dense(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm"
        )

    def _attention(self, states: Floats, bias: Floats, name: str) -> Floats:
        batch, length, size = states.shape
        query, key, value = (
            self._dense(states, f"{name}.{part}")
            .reshape(batch, length, self._heads, size // self._heads)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(size // self._heads)) + bias
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = (scores / scores.sum(axis=-1, keepdims=True)) @ value
        return np.asarray(mixed.transpose(0, 2, 1, 3).reshape(batch, length, size), np.float32)

    def _dense(self, states: Floats, name: str) -> Floats:
        # One product of two matrices: a stack of small ones is several times slower.
        flat = states.reshape(-1, states.shape[-1]) @ self._weights[f"{name}.weight"].T
        flat += self._weights[f"{name}.bias"]
        return flat.reshape(*states.shape[:-1], -1)

    def _normalised(self, states: Floats, name: str) -> Floats:
        centred = states - states.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self._epsilon)
        return np.asarray(
            centred / deviation * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"], np.float32
        )


def _by_length(encodings: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Yield batches of positions, texts of similar length together, so that little padding is computed."""
    order = sorted(range(len(encodings)), key=lambda position: len(encodings[position]))
    for start in range(0, len(order), _BATCH):
        yield order[start : start + _BATCH]


def _read_safetensors(path: Path) -> dict[str, Floats]:
    """Map the float32 tensors of a safetensors file: 8 bytes of length, a JSON header, then raw values."""
    data = np.memmap(path, np.uint8, mode="r")
    size = int.from_bytes(data[:8].tobytes(), "little")
    header: dict[str, dict[str, Any]] = orjson.loads(data[8 : 8 + size].tobytes())
    body = data[8 + size :]
    return {
        name: body[slice(*entry["data_offsets"])].view(np.float32).reshape(entry["shape"])
        for name, entry in header.items()
        if entry.get("dtype") == "F32"
    }
