"""Sentence embeddings without a deep-learning framework."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from scipy.special import erf
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from radsafe_bench.retrieval import CorpusError, SourceText, build_library
from radsafe_bench.retrieval.bert import MAX_TOKENS, BertEncoder
from radsafe_bench.retrieval.dense import WEIGHTS_PACKAGE, installed_weights

SIZE, HEADS, LAYERS = 8, 2, 2
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "clip", "scan", "wait", "weeks", "dose"]

needs_weights = pytest.mark.skipif(find_spec(WEIGHTS_PACKAGE) is None, reason="the weights are not installed")


def _weights() -> dict[str, Any]:
    random = np.random.default_rng(5)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(WORDS), SIZE),
        "embeddings.position_embeddings.weight": (512, SIZE),
        "embeddings.token_type_embeddings.weight": (2, SIZE),
        "embeddings.LayerNorm.weight": (SIZE,),
        "embeddings.LayerNorm.bias": (SIZE,),
    }
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        for part in (
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            "attention.output.dense",
        ):
            shapes |= {f"{name}.{part}.weight": (SIZE, SIZE), f"{name}.{part}.bias": (SIZE,)}
        shapes |= {f"{name}.intermediate.dense.weight": (16, SIZE), f"{name}.intermediate.dense.bias": (16,)}
        shapes |= {f"{name}.output.dense.weight": (SIZE, 16), f"{name}.output.dense.bias": (SIZE,)}
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{name}.{part}.weight": (SIZE,), f"{name}.{part}.bias": (SIZE,)}
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a model folder with a tiny encoder of random weights."""
    header, data = {}, b""
    for name, values in _weights().items():
        header[name] = {
            "dtype": "F32",
            "shape": values.shape,
            "data_offsets": [len(data), len(data) + values.nbytes],
        }
        data += values.tobytes()
    head = orjson.dumps(header)
    head += b" " * (-len(head) % 8)
    (tmp_path / "model.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + data)
    tokenizer = Tokenizer(WordPiece({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    config = {"model_type": "bert", "hidden_act": "gelu", "num_hidden_layers": LAYERS}
    config |= {"num_attention_heads": HEADS, "layer_norm_eps": 1e-12}
    (tmp_path / "config.json").write_bytes(orjson.dumps(config))
    return tmp_path


def _by_hand(ids: list[int]) -> Any:
    """Compute the encoder once more, token by token and head by head in float64."""
    w = {name: values.astype(np.float64) for name, values in _weights().items()}

    def norm(rows: Any, name: str) -> Any:
        mean, variance = rows.mean(1, keepdims=True), rows.var(1, keepdims=True)
        return (rows - mean) / np.sqrt(variance + 1e-12) * w[f"{name}.weight"] + w[f"{name}.bias"]

    def dense(rows: Any, name: str) -> Any:
        return rows @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    states = np.array(
        [
            w["embeddings.word_embeddings.weight"][token]
            + w["embeddings.position_embeddings.weight"][place]
            + w["embeddings.token_type_embeddings.weight"][0]
            for place, token in enumerate(ids)
        ]
    )
    states = norm(states, "embeddings.LayerNorm")
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            dense(states, f"{name}.attention.self.{part}") for part in ("query", "key", "value")
        )
        heads = []
        for head in np.split(np.arange(SIZE), HEADS):
            scores = np.exp(query[:, head] @ key[:, head].T / np.sqrt(SIZE / HEADS))
            heads.append(scores / scores.sum(1, keepdims=True) @ value[:, head])
        attended = dense(np.hstack(heads), f"{name}.attention.output.dense")
        states = norm(states + attended, f"{name}.attention.output.LayerNorm")
        inner = dense(states, f"{name}.intermediate.dense")
        inner = inner * (1 + erf(inner / np.sqrt(2))) / 2
        states = norm(states + dense(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")
    mean = states.mean(0)
    return mean / np.linalg.norm(mean)


def test_vectors_are_those_of_the_formula(folder: Path) -> None:
    """The batched encoder agrees with one written out by hand, whatever else is in the batch."""
    texts = ["clip scan", "wait weeks dose clip scan wait", "dose"]
    expected = [_by_hand([2, *(WORDS.index(word) for word in text.split()), 3]) for text in texts]
    np.testing.assert_allclose(BertEncoder(folder).embed(texts), expected, atol=1e-5)


def test_a_long_text_is_cut_at_the_encoders_length(folder: Path) -> None:
    """A text over the limit is read up to it, as the model was trained."""
    first, second = BertEncoder(folder).embed(["clip " * 600, "clip " * (MAX_TOKENS - 2)])
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_another_architecture_is_refused(folder: Path) -> None:
    """Weights of another kind of model do not give meaningless vectors."""
    (folder / "config.json").write_bytes(
        orjson.dumps(
            {"model_type": "t5", "num_hidden_layers": 1, "num_attention_heads": 1, "layer_norm_eps": 1e-6}
        )
    )
    with pytest.raises(CorpusError, match="only BERT"):
        BertEncoder(folder)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    """The user reads which folder holds no encoder."""
    with pytest.raises(CorpusError, match="holds no BERT encoder"):
        build_library((SourceText("a", "text"),), "dense", tmp_path)


def test_a_library_names_the_encoder_that_ranked_it(folder: Path) -> None:
    """The manifest says which vectors ranked the corpus; a text is nearest to itself."""
    texts = (SourceText("a", "wait weeks"), SourceText("b", "dose scan clip"))
    library = build_library(texts, "dense", folder)
    assert library.retriever.name == f"dense:{folder.name}"
    assert library.search("dose scan clip", 1)[0].id == "b"


@needs_weights
def test_minilm_gives_the_published_similarities() -> None:
    """Its vectors are those of the model's own documentation (sbert.net, quickstart)."""
    sentences = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    vectors = BertEncoder(installed_weights()).embed(sentences)
    published = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]
    np.testing.assert_allclose(vectors @ vectors.T, published, atol=1e-4)


@needs_weights
def test_minilm_finds_a_text_that_shares_no_word() -> None:
    """Dense retrieval finds what is said in other words."""
    texts = (
        SourceText("kidney", "Iodinated contrast may harm patients with poor renal function."),
        SourceText("film", "Cassettes were developed in the dark room."),
    )
    assert build_library(texts, "dense").search("nephropathy", 1)[0].id == "kidney"
