"""Choosing the next token from the scores of the last decode.

By temperature alone, tokens are drawn from the array that was made for their probabilities. llama.cpp's own
chain of samplers, which makes a list of the whole vocabulary first, does what changes or cuts the scores.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import llama_cpp.llama_cpp as native
import numpy as np

from gatekeeper.backends.llama_cpp.grammar import grammar_sampler
from gatekeeper.backends.llama_cpp.native import Context, Model, Scores
from gatekeeper.backends.llama_cpp.probabilities import Ranked, Ranking
from gatekeeper.backends.llama_cpp.sampling import Sampling

Draw = Callable[[Scores, Ranked], int]
"""Returns the next token, given all scores and the likeliest tokens."""

_SEEDS: Final = 2**32


@contextmanager
def drawing(
    sampling: Sampling, choice: int, model: Model, context: Context, ranking: Ranking
) -> Iterator[Draw]:
    """Yield what draws the tokens of a choice; with a seed, choices differ by their index alone.

    Raises InvalidRequest where llama.cpp cannot read the grammar.
    """
    seed = secrets.randbelow(_SEEDS) if sampling.seed is None else (sampling.seed + choice) % _SEEDS
    changes = list(_changes(sampling, model, context))
    if changes:
        with _chain([*changes, *_choices(sampling, seed)]) as chain:
            yield lambda _, __: int(native.llama_sampler_sample(chain, context.handle, -1))
    elif sampling.temperature:
        chance = np.random.default_rng(seed)
        yield lambda scores, _: ranking.at(chance.random(), scores, sampling.temperature)
    else:
        yield lambda _, top: int(top.tokens[0])


@contextmanager
def _chain(links: list[Any]) -> Iterator[Any]:
    chain = native.llama_sampler_chain_init(native.llama_sampler_chain_default_params())
    try:
        for link in links:
            native.llama_sampler_chain_add(chain, link)
        yield chain
    finally:
        native.llama_sampler_free(chain)


def _changes(sampling: Sampling, model: Model, context: Context) -> Iterator[Any]:
    """Yield the samplers that change or cut the scores, in llama.cpp's usual order."""
    if sampling.grammar is not None:
        yield grammar_sampler(model.vocabulary, sampling.grammar)
    if sampling.presence_penalty or sampling.frequency_penalty:
        yield native.llama_sampler_init_penalties(
            model.size, context.size, 1.0, sampling.frequency_penalty, sampling.presence_penalty
        )
    if sampling.temperature:
        if sampling.top_k:
            yield native.llama_sampler_init_top_k(sampling.top_k)
        if sampling.top_p < 1.0:
            yield native.llama_sampler_init_top_p(sampling.top_p, 1)
        if sampling.min_p:
            yield native.llama_sampler_init_min_p(sampling.min_p, 1)


def _choices(sampling: Sampling, seed: int) -> Iterator[Any]:
    if sampling.temperature:
        yield native.llama_sampler_init_temp(sampling.temperature)
        yield native.llama_sampler_init_dist(seed)
    else:
        yield native.llama_sampler_init_greedy()
