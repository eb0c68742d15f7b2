"""From sources to the pairs of one epoch: as written, changed in one slot, reworded, beside others."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from radsafe_bench.nli.mutation import CHANGES, apply
from radsafe_bench.nli.rewording import reword
from radsafe_bench.nli.sources import Example, Label, Source, written_examples
from radsafe_bench.nli.switches import Group, Switched, draw, drawn_pairs, excerpt, fill, silenced
from radsafe_bench.nli.templates import template_sources

CHANGED_EACH: Final = 6
"""Single-slot changes tried for each written source and epoch."""
MOST_BESIDE: Final = 2
"""Other statements that evidence may stand beside."""
TEMPLATES: Final = 0.25
"""Sources made from patterns for each written one, and epoch."""
SILENCED: Final = 0.6
"""Share of sources with slots of which a claim meets evidence that lost the sentence it rests on."""
LONGEST_BESIDE: Final = 260
"""Characters: longer evidence is a passage by itself and fills what the reader reads."""


def examples_of(sources: Sequence[Source], rng: random.Random, beside: float) -> list[Example]:
    """Return one epoch's pairs in random order: new changes every time, the written ones always.

    `beside` is the share of pairs whose evidence stands among other statements, as in a passage.
    """
    made = list(template_sources(round(TEMPLATES * len(sources)), rng))
    pairs = [pair for source in (*sources, *made) for pair in written_examples(source)]
    pairs += [pair for source in sources for pair in _changed(source, rng)]
    pairs += [pair for source in made for pair in _equalled(source, rng)]
    pairs += _foreign(sources, rng)
    by_topic = _by_topic(sources)
    home = {source.id: by_topic[source.topic] for source in sources}
    pairs = [
        _beside(pair, home.get(pair.source, sources) if rng.random() < 0.5 else sources, rng)
        if rng.random() < beside
        else pair
        for pair in pairs
    ]
    rng.shuffle(pairs)
    return pairs


def switched_groups(sources: Sequence[Switched], rng: random.Random, beside: float) -> list[Group]:
    """Return one epoch's pairs of sources with slots, in random order: other facts every time.

    `beside` is the share of shorter evidence that stands beside another statement.
    """
    groups = [group for source in sources for group in drawn_pairs(source, rng)]
    groups += [(pair,) for source in sources if rng.random() < SILENCED and (pair := silenced(source, rng))]
    groups += _foreign_groups(sources, rng)
    short = [source for source in sources if len(source.evidence) <= LONGEST_BESIDE]
    groups = [_together(group, short, rng) if rng.random() < beside else group for group in groups]
    rng.shuffle(groups)
    return groups


def _foreign_groups(sources: Sequence[Switched], rng: random.Random) -> Iterator[Group]:
    """Yield one claim for each source with slots that another one's evidence is silent about."""
    near: dict[str, list[Switched]] = defaultdict(list)
    for source in sources:
        near[source.topic].append(source)
    for source in sources:
        other = rng.choice(near[source.topic] if rng.random() < 0.5 else sources)
        if other.id != source.id:
            evidence = fill(excerpt(source, (), rng), draw(source, rng))
            claim = fill(rng.choice(other.claims), draw(other, rng))
            yield (Example(source.id, "other_topic", evidence, claim, Label.NOT_ADDRESSED),)


def _together(group: Group, short: Sequence[Switched], rng: random.Random) -> Group:
    """Put the same other statement before or after the evidence of a group's pairs."""
    other = rng.choice(short)
    if other.id == group[0].source or len(group[0].evidence) > LONGEST_BESIDE:
        return group
    text, first = fill(other.evidence, draw(other, rng)), rng.random() < 0.5
    return tuple(
        replace(pair, evidence=f"{text} {pair.evidence}" if first else f"{pair.evidence} {text}")
        for pair in group
    )


def pattern_examples(count: int, rng: random.Random) -> list[Example]:
    """Return the pairs of `count` sources made from patterns, changed as the written ones are."""
    sources = list(template_sources(count, rng))
    pairs = [pair for source in sources for pair in written_examples(source)]
    pairs += [pair for source in sources for pair in _changed(source, rng)]
    pairs += _foreign(sources, rng)
    rng.shuffle(pairs)
    return pairs


def _changed(source: Source, rng: random.Random) -> Iterator[Example]:
    """Yield pairs with one slot changed in the claim, in the evidence, or in both alike."""
    for _ in range(CHANGED_EACH):
        claim = rng.choice((source.evidence, *source.supported, *source.supported))
        kind = rng.choice(list(CHANGES))
        change = CHANGES[kind](claim, rng)
        if change is None:
            continue
        changed_claim, changed_evidence = apply(claim, change), apply(source.evidence, change)
        if changed_claim is None or changed_claim == claim:
            continue
        if changed_evidence is None or rng.random() < 0.5:
            yield Example(source.id, kind, source.evidence, changed_claim, Label.CONTRADICTED)
        else:
            yield Example(source.id, kind, changed_evidence, claim, Label.CONTRADICTED)
        if changed_evidence is not None:
            yield Example(source.id, "changed_alike", changed_evidence, changed_claim, Label.SUPPORTED)
    yield from _equalled(source, rng)


def _equalled(source: Source, rng: random.Random) -> Iterator[Example]:
    """Yield pairs that say the same in another form."""
    for claim in rng.sample((source.evidence, *source.supported), 2):
        other = reword(claim, rng)
        if other is not None and other != claim:
            yield Example(source.id, "equal_value", source.evidence, other, Label.SUPPORTED)


def _foreign(sources: Sequence[Source], rng: random.Random) -> Iterator[Example]:
    """Yield one claim for each source that another source's evidence is silent about."""
    by_topic = _by_topic(sources)
    for source in sources:
        near = [other for other in by_topic[source.topic] if other.id != source.id]
        other = rng.choice(near) if near and rng.random() < 0.6 else rng.choice(sources)
        if other.id == source.id:
            continue
        claims = (*other.supported, *(claim for _, claim in other.contradicted))
        yield Example(source.id, "other_topic", source.evidence, rng.choice(claims), Label.NOT_ADDRESSED)


def _beside(pair: Example, near: Sequence[Source], rng: random.Random) -> Example:
    """Put the evidence of other sources before and after the pair's own."""
    others = [source.evidence for source in near if source.id != pair.source]
    texts = rng.sample(others, min(len(others), rng.randint(1, MOST_BESIDE)))
    texts.insert(rng.randint(0, len(texts)), pair.evidence)
    return replace(pair, evidence=" ".join(texts))


def _by_topic(sources: Sequence[Source]) -> dict[str, list[Source]]:
    found: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        found[source.topic].append(source)
    return found
