"""Written sources whose facts can be switched: every claim is as often false as it is true.

Evidence and claims hold slots, `[2:at least 30|at least 45]`, one number for one fact. A claim is supported
where it shows the option of each of its slots that the evidence shows, and contradicted where exactly one
differs. So neither the wording of a claim nor what is true in the world tells its label; only reading does.
"""

import random
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson

from radsafe_bench.nli.sources import DATA, Example, Label, Source

_SLOT: Final = re.compile(r"\[(\d):([^\[\]]*)\]")
_SENTENCE: Final = re.compile(r"(?<=[.!?]) (?=[A-Z(\[])")
TURNED_CLAIM: Final = 0.5
"""Share of twins that differ in the claim; the others differ in the evidence, under the same claim."""
WHOLE: Final = 0.15

Group = tuple[Example, ...]
"""Pairs that are learned together: twins, of which the first is supported and the second is not, or one."""
Picked = Mapping[str, int]
"""Slot → which of its options."""


@dataclass(frozen=True, slots=True)
class Switched:
    """One source: texts with slots, the kind of each slot, and claims that no variant settles."""

    id: str
    topic: str
    evidence: str
    kinds: Mapping[str, str]
    claims: tuple[str, ...]
    open: tuple[str, ...]


def read_switched(folder: Path = DATA) -> list[Switched]:
    """Return all sources with slots in the order of files and lines."""
    lines = [
        line for path in sorted(folder.glob("switched_*.jsonl")) for line in path.read_bytes().splitlines()
    ]
    return [_switched(orjson.loads(line)) for line in lines]


def _switched(row: dict[str, Any]) -> Switched:
    texts = tuple(row["claims"]), tuple(row["open"])
    return Switched(row["id"], row["topic"], row["evidence"], row["kinds"], *texts)


def slots_of(text: str) -> dict[str, int]:
    """Return the slots of a text and how many options each has."""
    return {slot: options.count("|") + 1 for slot, options in _SLOT.findall(text)}


def fill(text: str, picked: Picked) -> str:
    """Return a text with the picked option of every slot."""
    return _SLOT.sub(lambda found: found[2].split("|")[picked[found[1]]], text)


def first_variant(source: Switched) -> Source:
    """Return the source with every first option: each claim once true, and once false in each slot."""
    picked = dict.fromkeys(slots_of(source.evidence), 0)
    return Source(
        source.id,
        source.topic,
        fill(source.evidence, picked),
        tuple(fill(claim, picked) for claim in source.claims),
        tuple(
            (source.kinds[slot], fill(claim, {**picked, slot: 1}))
            for claim in source.claims
            for slot in slots_of(claim)
        ),
        source.open,
    )


def drawn_pairs(source: Switched, rng: random.Random) -> Iterator[Group]:
    """Yield the pairs of one choice of facts: for each claim twins, of which one slot makes one false.

    The slot is turned in the claim or in the evidence, as often. Long evidence is cut to an excerpt.
    """
    picked = draw(source, rng)
    for claim in source.claims:
        options = slots_of(claim)
        slot = rng.choice(list(options))
        turned = {**picked, slot: (picked[slot] + rng.randrange(1, options[slot])) % options[slot]}
        evidence = excerpt(source, options.keys(), rng)
        true = Example(source.id, "paraphrase", fill(evidence, picked), fill(claim, picked), Label.SUPPORTED)
        false = replace(true, kind=source.kinds[slot], label=Label.CONTRADICTED)
        if rng.random() < TURNED_CLAIM:
            yield true, replace(false, claim=fill(claim, turned))
        else:
            yield true, replace(false, evidence=fill(evidence, turned))
    for claim in source.open:
        evidence = fill(excerpt(source, (), rng), picked)
        yield (Example(source.id, "same_topic", evidence, claim, Label.NOT_ADDRESSED),)


def excerpt(source: Switched, slots: Collection[str], rng: random.Random) -> str:
    """Return the sentences that hold some slots and another one, as the check chooses a few to read.

    Evidence of one or two sentences stays whole, and so does a `WHOLE` share of the longer.
    """
    sentences = _SENTENCE.split(source.evidence)
    if len(sentences) < 3 or rng.random() < WHOLE:
        return source.evidence
    kept = [not slots_of(sentence).keys().isdisjoint(slots) for sentence in sentences]
    for place in rng.sample(range(len(sentences)), len(sentences)):
        if sum(kept) >= 2:
            break
        kept[place] = True
    return " ".join(sentence for sentence, keep in zip(sentences, kept, strict=True) if keep)


def silenced(source: Switched, rng: random.Random) -> Example | None:
    """Return a claim beside evidence without the sentence that it rests on; None where that is all of it."""
    picked, claim = draw(source, rng), rng.choice(source.claims)
    slots = slots_of(claim).keys()
    sentences = _SENTENCE.split(source.evidence)
    kept = [sentence for sentence in sentences if slots_of(sentence).keys().isdisjoint(slots)]
    if not kept or len(kept) == len(sentences):
        return None
    evidence = fill(" ".join(kept), picked)
    return Example(source.id, "silenced", evidence, fill(claim, picked), Label.NOT_ADDRESSED)


def draw(source: Switched, rng: random.Random) -> Picked:
    """Return a choice of facts."""
    return {slot: rng.randrange(count) for slot, count in slots_of(source.evidence).items()}
