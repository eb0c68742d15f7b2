"""A language model of random weights in one small GGUF file, so that the whole path runs without a download.

`python -m tests.tiny_gguf FILE` writes the same one. Its answers mean nothing.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CONTROLS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MERGES = (("Ġ", "t"), ("h", "e"), ("i", "n"))


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a model; `words` is how many made-up words its vocabulary has beside the 256 bytes."""

    width: int = 64
    layers: int = 2
    heads: int = 4
    words: int = 0
    context: int = 2048
    spread: float = 0.25
    """Standard deviation of the weights; the larger, the surer of itself the model is."""


def write_gguf(path: Path, *, seed: int = 0, shape: Shape = Shape(), template: str | None = CHATML) -> Path:
    """Write a Llama of byte tokens with random weights, the same for the same seed, and return its path.

    At temperature 0 it writes printable characters and no end: anything else has a score of zero.
    """
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(2 * shape.width)
    writer.add_head_count(shape.heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    size = _add_vocabulary(writer, shape.words)
    if template is not None:
        writer.add_chat_template(template)
    random = np.random.default_rng(seed)
    for name, dimensions in _tensors(shape, size):
        weights = random.standard_normal(dimensions, dtype=np.float32) * shape.spread
        if name == "output.weight":
            weights[:32] = weights[127:256] = weights[-len(CONTROLS) :] = 0.0
        # Norms are read as 32 bits wide, and near one they leave the scale alone.
        writer.add_tensor(name, weights.astype(np.float16) if len(dimensions) == 2 else 1.0 + weights / 10)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_vocabulary(writer: gguf.GGUFWriter, words: int) -> int:
    """Add one token per byte in GPT-2's spelling, made-up words and the control tokens; return how many."""
    merged = ["".join(pair) for pair in MERGES]
    plain = [*_byte_spellings(), *merged, *(f"Ġ{number:x}w" for number in range(words))]
    tokens = [*plain, *CONTROLS]
    kinds = [gguf.TokenType.NORMAL] * len(plain) + [gguf.TokenType.CONTROL] * len(CONTROLS)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in MERGES])
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_add_bos_token(False)
    return len(tokens)


def _byte_spellings() -> Iterator[str]:
    """Yield GPT-2's visible character for every byte: itself, or one from beyond Latin-1."""
    beyond = 256
    for byte in range(256):
        if 33 <= byte <= 126 or 161 <= byte <= 172 or byte >= 174:
            yield chr(byte)
        else:
            yield chr(beyond)
            beyond += 1


def _tensors(shape: Shape, vocabulary: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    width, inner = shape.width, 2 * shape.width
    yield "token_embd.weight", (vocabulary, width)
    yield "output_norm.weight", (width,)
    yield "output.weight", (vocabulary, width)
    for layer in range(shape.layers):
        yield f"blk.{layer}.attn_norm.weight", (width,)
        yield f"blk.{layer}.ffn_norm.weight", (width,)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"blk.{layer}.{name}.weight", (width, width)
        yield f"blk.{layer}.ffn_gate.weight", (inner, width)
        yield f"blk.{layer}.ffn_up.weight", (inner, width)
        yield f"blk.{layer}.ffn_down.weight", (width, inner)


def main() -> None:
    """Write the default model."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("path", type=Path)
    write_gguf(parser.parse_args().path)


if __name__ == "__main__":
    main()
