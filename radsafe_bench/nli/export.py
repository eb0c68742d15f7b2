"""Writing the trained reader as an int8 ONNX model with what the check needs beside it."""

import shutil
from pathlib import Path

import orjson
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from radsafe_bench.nli.network import Reader
from radsafe_bench.nli.sources import LABELS

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def export(reader: Reader, tokenizer: Path, folder: Path, temperature: float) -> None:
    """Write `model.onnx` (weights in 8 bits, per channel), `tokenizer.json` and `config.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / "whole.onnx"
    example = tuple(torch.ones(2, 8, dtype=torch.int64) for _ in INPUTS)
    axes = {name: {0: "pairs", 1: "tokens"} for name in INPUTS}
    torch.onnx.export(
        reader.eval(),
        example,
        str(whole),
        input_names=list(INPUTS),
        output_names=["logits"],
        dynamic_axes=axes | {"logits": {0: "pairs"}},
        opset_version=17,
        dynamo=False,
    )
    quantize_dynamic(
        whole,
        folder / "model.onnx",
        op_types_to_quantize=["MatMul", "Gemm", "Gather"],
        per_channel=True,
        reduce_range=True,  # without it, processors without VNNI saturate and read differently
        weight_type=QuantType.QInt8,
    )
    whole.unlink()
    shutil.copy(tokenizer, folder / "tokenizer.json")
    config = {
        "id2label": {str(place): label.value for place, label in enumerate(LABELS)},
        "marked": True,
        "pad_token_id": 0,
        "temperature": temperature,
    }
    (folder / "config.json").write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2))
