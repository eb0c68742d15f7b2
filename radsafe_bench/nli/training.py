"""Fine-tuning the reader on a CPU or GPU, reproducibly: same seed, same machine, same weights."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from gatekeeper.checks.nli.encoding import in_one_form, marked
from radsafe_bench.nli.examples import examples_of, pattern_examples, switched_groups
from radsafe_bench.nli.network import Reader
from radsafe_bench.nli.sources import (
    LABELS,
    Example,
    Label,
    Source,
    held_out_ids,
    read_sources,
    written_examples,
)
from radsafe_bench.nli.switches import Group, Switched, first_variant, read_switched

MAX_TOKENS: Final = 192
_SUPPORTED, _CONTRADICTED = LABELS.index(Label.SUPPORTED), LABELS.index(Label.CONTRADICTED)
HELD_OUT: Final = ("013", "038", "063", "088")
"""Ends of the ids of the sources with slots that training never sees."""
_TYPES: Final = "embeddings.token_type_embeddings.weight"
Batch = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the reader is trained: over sentence patterns, then over what was written, in three rounds.

    The second of them has the claims that were written after a first training, a lower `last_rate`, more
    evidence that stands beside other evidence, and is `balanced`: every label weighs the same in all.
    The third, balanced too, has the sources with slots, and a `share` of the others' pairs; `apart` is the
    weight of telling twins apart.
    `layer_decay` scales the learning rate of each layer below the top; `patterns` is the number of
    sources made from patterns.
    """

    patterns: int = 2200
    epochs: int = 4
    last_epochs: int = 1
    batch: int = 32
    rate: float = 1.5e-4
    last_rate: float = 8e-5
    switched_epochs: int = 4
    switched_rate: float = 1.2e-4
    share: float = 0.12
    apart: float = 0.5
    warmup: float = 0.06
    decay: float = 0.01
    layer_decay: float = 0.9
    smoothing: float = 0.05
    beside: float = 0.25
    last_beside: float = 0.5
    balanced: bool = False
    seed: int = 0

    def last(self) -> "Recipe":
        """Return the recipe of the last round."""
        return replace(
            self, epochs=self.last_epochs, rate=self.last_rate, beside=self.last_beside, balanced=True
        )

    def switched(self) -> "Recipe":
        """Return the recipe of the round over sources with slots."""
        return replace(self.last(), epochs=self.switched_epochs, rate=self.switched_rate)


Report = Callable[[dict[str, float]], None]
"""Gets a row of the learning curve after every epoch."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained reader and the temperature that makes its probabilities fit sources it did not see."""

    reader: Reader
    temperature: float


def train(folder: Path, weights: Path, recipe: Recipe, report: Report) -> Trained:
    """Fine-tune MiniLM weights (a folder with `model.safetensors` and `tokenizer.json`) in four rounds."""
    tokenizer = pair_tokenizer(weights / "tokenizer.json")
    reader = initial_reader(weights)
    train_on_patterns(reader, tokenizer, recipe, report)
    first, _ = split(read_sources(folder, more=False), held_out_ids(folder))
    learned, held_out = split(read_sources(folder), held_out_ids(folder))
    train_on_sources(reader, tokenizer, (first, held_out), recipe, report)
    train_on_sources(reader, tokenizer, (learned, held_out), recipe.last(), report)
    switched, unseen = split_switched(read_switched(folder))
    held_out += map(first_variant, unseen)
    train_on_switched(reader, tokenizer, (switched, learned, held_out), recipe.switched(), report)
    return Trained(reader, fitted_temperature(reader, tokenizer, held_out))


def train_on_patterns(reader: Reader, tokenizer: Tokenizer, recipe: Recipe, report: Report) -> None:
    """Teach what it means to compare two sentences slot by slot, from patterns alone."""
    rng = random.Random(recipe.seed)
    pairs = pattern_examples(recipe.patterns, rng)
    _fit(reader, tokenizer, [_alone(pairs)], recipe, lambda: {}, report)


def train_on_sources(
    reader: Reader,
    tokenizer: Tokenizer,
    sources: tuple[Sequence[Source], Sequence[Source]],
    recipe: Recipe,
    report: Report,
) -> None:
    """Train on written sources, changed anew in every epoch; the second sequence is only measured on."""
    learned, held_out = sources
    rng = random.Random(recipe.seed)
    epochs = [_alone(examples_of(learned, rng, recipe.beside)) for _ in range(recipe.epochs)]
    _fit(reader, tokenizer, epochs, recipe, lambda: held_out_accuracy(reader, tokenizer, held_out), report)


def train_on_switched(
    reader: Reader,
    tokenizer: Tokenizer,
    sources: tuple[Sequence[Switched], Sequence[Source], Sequence[Source]],
    recipe: Recipe,
    report: Report,
) -> None:
    """Train on sources with slots and a share of the written ones; the last sequence is only measured on."""
    switched, learned, held_out = sources
    rng = random.Random(recipe.seed)
    epochs = []
    for _ in range(recipe.epochs):
        written = examples_of(learned, rng, recipe.beside)
        groups = switched_groups(switched, rng, recipe.beside)
        epochs.append([*groups, *_alone(rng.sample(written, round(recipe.share * len(written))))])
    _fit(reader, tokenizer, epochs, recipe, lambda: held_out_accuracy(reader, tokenizer, held_out), report)


def _alone(pairs: Sequence[Example]) -> list[Group]:
    return [(pair,) for pair in pairs]


def _fit(
    reader: Reader,
    tokenizer: Tokenizer,
    epochs: Sequence[Sequence[Group]],
    recipe: Recipe,
    measure: Callable[[], dict[str, float]],
    report: Report,
) -> None:
    torch.manual_seed(recipe.seed)
    rng = random.Random(recipe.seed)
    optimiser = torch.optim.AdamW(_groups(reader, recipe), betas=(0.9, 0.98))
    steps = sum(-(-_count(groups) // recipe.batch) for groups in epochs)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step / steps, recipe.warmup))
    weights = _weights(epochs) if recipe.balanced else None
    for epoch, groups in enumerate(epochs, start=1):
        began, losses = time.perf_counter(), []
        reader.train()
        for batch in _batches(groups, recipe.batch, rng):
            *inputs, labels = _tensors([pair for group in batch for pair in group], tokenizer)
            with torch.autocast("cpu", torch.bfloat16):
                logits = reader(*inputs).float()
            loss = functional.cross_entropy(logits, labels, weights, label_smoothing=recipe.smoothing)
            loss += recipe.apart * _twins_apart(logits, batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad()
            schedule.step()
            losses.append(loss.item())
        row = {"epoch": epoch, "pairs": _count(groups), "loss": sum(losses) / len(losses)}
        report(row | {"seconds": time.perf_counter() - began} | measure())
    reader.eval()


def _count(groups: Sequence[Group]) -> int:
    return sum(map(len, groups))


def _twins_apart(logits: Tensor, batch: Sequence[Group]) -> Tensor:
    """Return the loss of twins that are not told apart: -log P(the false one is the more contradicted).

    What both share, wording and subject, cancels out (the pairwise logistic loss of Burges et al. 2005).
    """
    ends = list(accumulate(len(group) for group in batch))
    false = [end - 1 for end, group in zip(ends, batch, strict=True) if len(group) == 2]
    if not false:
        return torch.zeros(())
    leaning = logits[:, _CONTRADICTED] - logits[:, _SUPPORTED]
    at = torch.tensor(false)
    return functional.softplus(leaning[at - 1] - leaning[at]).mean()


def _weights(epochs: Sequence[Sequence[Group]]) -> Tensor:
    """Return a weight per label under which all labels weigh the same."""
    counts = Counter(pair.label for groups in epochs for group in groups for pair in group)
    return torch.tensor([counts.total() / len(LABELS) / counts[label] for label in LABELS])


def pair_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer of pairs: evidence is cut before a claim is."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(MAX_TOKENS, strategy="only_first")
    tokenizer.enable_padding()
    return tokenizer


def logits_of(reader: Reader, tokenizer: Tokenizer, pairs: Sequence[Example]) -> Tensor:
    """Return the logits of pairs, (pairs, labels)."""
    rows = []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(pairs), 64):
            *inputs, _ = _tensors(pairs[start : start + 64], tokenizer)
            rows.append(reader(*inputs).float())
    return torch.cat(rows)


def held_out_accuracy(reader: Reader, tokenizer: Tokenizer, sources: Sequence[Source]) -> dict[str, float]:
    """Return how many written pairs of unseen sources are read right, in all and per label."""
    pairs = [pair for source in sources for pair in written_examples(source)]
    if not pairs:
        return {}
    reader.eval()
    found = logits_of(reader, tokenizer, pairs).argmax(1).tolist()
    right = [LABELS[label] is pair.label for label, pair in zip(found, pairs, strict=True)]
    shares = {"held_out": sum(right) / len(right)}
    for label in LABELS:
        of_label = [hit for hit, pair in zip(right, pairs, strict=True) if pair.label is label]
        shares[f"held_out_{label.value}"] = sum(of_label) / max(1, len(of_label))
    return shares


def fitted_temperature(reader: Reader, tokenizer: Tokenizer, sources: Sequence[Source]) -> float:
    """Return the divisor of the logits with the least log loss on the written pairs (Guo et al. 2017)."""
    pairs = [pair for source in sources for pair in written_examples(source)]
    logits = logits_of(reader, tokenizer, pairs)
    labels = torch.tensor([LABELS.index(pair.label) for pair in pairs])
    tried = [0.05 * step for step in range(10, 61)]
    return min(tried, key=lambda divisor: float(functional.cross_entropy(logits / divisor, labels)))


def split(sources: Sequence[Source], held_out: frozenset[str]) -> tuple[list[Source], list[Source]]:
    """Return the sources to learn from, and those held out."""
    learned = [source for source in sources if source.id not in held_out]
    return learned, [source for source in sources if source.id in held_out]


def split_switched(sources: Sequence[Switched]) -> tuple[list[Switched], list[Switched]]:
    """Return the sources with slots to learn from, and those held out."""
    learned = [source for source in sources if not source.id.endswith(HELD_OUT)]
    return learned, [source for source in sources if source.id.endswith(HELD_OUT)]


def initial_reader(weights: Path) -> Reader:
    """Return the network with MiniLM's weights; the outputs are new, and the marks begin as BERT's types."""
    torch.manual_seed(0)
    reader = Reader()
    found = load_file(weights / "model.safetensors")
    own, other = found[_TYPES]
    found[_TYPES] = torch.stack([own, other, other, own])
    missing, unexpected = reader.load_state_dict(found, strict=False)
    foreign = [name for name in unexpected if name != "embeddings.position_ids"]
    if foreign or set(missing) - {"classifier.weight", "classifier.bias"}:
        raise ValueError(f"{weights}: not the weights of this network ({foreign or missing})")
    return reader


def _groups(reader: Reader, recipe: Recipe) -> list[dict[str, object]]:
    """Give lower layers smaller steps, and no weight decay to biases and norms."""
    layers = len(reader.encoder["layer"])
    groups: list[dict[str, object]] = []
    for name, parameter in reader.named_parameters():
        depth = 0 if name.startswith("embeddings") else layers + 1
        if name.startswith("encoder.layer."):
            depth = int(name.split(".")[2]) + 1
        rate = recipe.rate * recipe.layer_decay ** (layers + 1 - depth)
        plain = name.endswith("bias") or "LayerNorm" in name
        groups.append({"params": [parameter], "lr": rate, "weight_decay": 0.0 if plain else recipe.decay})
    return groups


def _rate(done: float, warmup: float) -> float:
    return done / warmup if done < warmup else max(0.0, (1 - done) / (1 - warmup))


def _batches(groups: Sequence[Group], size: int, rng: random.Random) -> Iterator[list[Group]]:
    """Yield batches of `size` pairs or a few more, of similar length, in random order."""
    ordered = sorted(groups, key=lambda group: len(group[0].evidence + group[0].claim) + 20 * rng.random())
    batches: list[list[Group]] = [[]]
    for group in ordered:
        if _count(batches[-1]) >= size:
            batches.append([])
        batches[-1].append(group)
    rng.shuffle(batches)
    yield from batches


def _tensors(pairs: Sequence[Example], tokenizer: Tokenizer) -> Batch:
    encoded = tokenizer.encode_batch([in_one_form(pair.evidence, pair.claim) for pair in pairs])
    return (
        torch.tensor([one.ids for one in encoded]),
        torch.tensor([one.attention_mask for one in encoded]),
        torch.tensor([marked(one.ids, one.type_ids, one.sequence_ids) for one in encoded]),
        torch.tensor([LABELS.index(pair.label) for pair in pairs]),
    )
