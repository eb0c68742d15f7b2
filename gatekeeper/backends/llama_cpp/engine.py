"""Prompts read once, answers drawn token by token, continuations scored side by side."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from gatekeeper.backends.llama_cpp.drawing import drawing
from gatekeeper.backends.llama_cpp.native import BATCH, OUTPUTS, SEQUENCES, Context, Model, Tokens
from gatekeeper.backends.llama_cpp.probabilities import Ranked, Ranking
from gatekeeper.backends.llama_cpp.sampling import Sampling
from gatekeeper.errors import InvalidRequest

Interrupted = Callable[[], bool]
"""Asked between two decodes; True ends the work there."""

_COPIES: Final = SEQUENCES - 1
_LONGEST_TOKEN: Final = 64
"""Characters: text of more than so many per token of the context is not even cut into tokens."""


class Interruption(Exception):
    """The work was no longer wanted."""


class Drawn(NamedTuple):
    """One token of an answer, its log-probability before sampling (nats), the likeliest in its place."""

    token: int
    logprob: float
    top: Ranked


class Engine:
    """One model with one context, for one thread.

    The context keeps what was read last; the next prompt is decoded from where it differs.
    """

    def __init__(self, model: Model, context: Context) -> None:
        self.model = model
        self.context = context
        self._kept = np.empty(context.size, np.int32)
        self._length = 0
        self._ranking = Ranking(model.size)

    def close(self) -> None:
        """Free the context and the weights."""
        self.context.close()
        self.model.close()

    def tokenise(self, text: str) -> Tokens:
        """Return the tokens of a whole prompt. Raises InvalidRequest for one that cannot fit."""
        if len(text) > self.context.size * _LONGEST_TOKEN:
            raise too_long(self.context.size)
        return self.model.tokenise(text)

    def read(self, prompt: Tokens, interrupted: Interrupted) -> int:
        """Decode a prompt and return how many of its tokens were still there from the one before.

        After it the scores of the next token can be read. Raises InvalidRequest where the prompt does not
        fit, Interruption if it is no longer wanted.
        """
        if len(prompt) >= self.context.size:
            raise too_long(self.context.size)
        # The last token is always decoded again: its scores are wanted.
        reused = self._keep(_shared(self._kept[: self._length], prompt[:-1]))
        for begin in range(reused, len(prompt), BATCH):
            if interrupted():
                raise Interruption
            self._append(prompt[begin : begin + BATCH])
        return reused

    def room(self, sampling: Sampling) -> int:
        """Return how many tokens an answer to the prompt that was read may have."""
        free = self.context.size - self._length
        return free if sampling.max_tokens is None else min(free, sampling.max_tokens)

    def draw(
        self, sampling: Sampling, choice: int, alternatives: int, interrupted: Interrupted
    ) -> Iterator[Drawn]:
        """Yield the tokens of one choice after the prompt that was read, to its end or to `room`."""
        last = self.room(sampling) - 1
        with drawing(sampling, choice, self.model, self.context, self._ranking) as draw:
            for count in range(last + 1):
                if interrupted():
                    raise Interruption
                scores = self.context.scores()
                normaliser, top = self._ranking.rank(scores, alternatives)
                token = draw(scores, top)
                if self.model.ends(token):
                    return
                yield Drawn(token, float(scores[token] - normaliser), top)
                if count < last:
                    self._append(np.array([token], np.int32))

    def score(self, prefix: Tokens, prompts: Sequence[Tokens], interrupted: Interrupted) -> list[float]:
        """Return for each prompt the log-probability (nats) of what it adds to their common beginning.

        The beginning, at most `prefix`, is decoded once and its sequence copied; what follows is decoded
        for up to eight prompts at a time.
        """
        shared = min((_shared(prefix, prompt) for prompt in prompts), default=0)
        if not shared:
            raise InvalidRequest("Continuations are scored after a prefix; this one has no token.")
        endings = [prompt[shared:] for prompt in prompts]
        self.read(prefix[:shared], interrupted)
        scores = self.context.scores()
        normaliser = self._ranking.normaliser(scores)
        totals = [float(scores[ending[0]] - normaliser) if len(ending) else 0.0 for ending in endings]
        try:
            for wave in _waves(endings, self.context.size - shared):
                for index, logprob in self._score_copies(endings, wave, interrupted):
                    totals[index] += logprob
                for sequence in range(1, SEQUENCES):
                    self.context.forget(sequence)
        except BaseException:
            self._clear()
            raise
        return totals

    def _score_copies(
        self, endings: Sequence[Tokens], wave: Sequence[int], interrupted: Interrupted
    ) -> Iterator[tuple[int, float]]:
        """Yield the log-probability of every token after the first, with the ending that it belongs to."""
        fed = np.concatenate([endings[index][:-1] for index in wave])
        targets = np.concatenate([endings[index][1:] for index in wave])
        lengths = [len(endings[index]) - 1 for index in wave]
        owners = np.repeat(wave, lengths)
        sequences = np.repeat(np.arange(1, len(wave) + 1, dtype=np.int32), lengths)
        steps = np.concatenate([np.arange(length, dtype=np.int32) for length in lengths])
        for sequence in range(1, len(wave) + 1):
            self.context.copy(sequence)
        for begin in range(0, len(fed), OUTPUTS):
            if interrupted():
                raise Interruption
            part = slice(begin, begin + OUTPUTS)
            self.context.decode_copies(fed[part], steps[part] + np.int32(self._length), sequences[part])
            for row, (owner, target) in enumerate(zip(owners[part], targets[part], strict=True)):
                scores = self.context.scores(row)
                yield int(owner), float(scores[target] - self._ranking.normaliser(scores))

    def _append(self, tokens: Tokens) -> None:
        try:
            self.context.decode(tokens, self._length)
        except BaseException:
            self._clear()
            raise
        self._kept[self._length : self._length + len(tokens)] = tokens
        self._length += len(tokens)

    def _keep(self, count: int) -> int:
        """Forget all but the first tokens and return how many could be kept.

        Models with a running state keep all or nothing.
        """
        if count < self._length and not self.context.forget(0, count):
            self._clear()
        self._length = min(count, self._length)
        return self._length

    def _clear(self) -> None:
        self.context.clear()
        self._length = 0


def too_long(size: int) -> InvalidRequest:
    """Return the error for what does not fit into the context."""
    return InvalidRequest(
        f"The messages are longer than the model's context of {size} tokens.",
        code="context_length_exceeded",
        param="messages",
    )


def _shared(first: Tokens, second: Tokens) -> int:
    """Return the length of the common beginning."""
    length = min(len(first), len(second))
    different = first[:length] != second[:length]
    return int(different.argmax()) if different.any() else length


def _waves(endings: Iterable[Tokens], room: int) -> Iterator[list[int]]:
    """Yield the indices of endings that are decoded together: as many as there are copies and cells for.

    An ending of one token needs no decode. Raises InvalidRequest for one that does not fit.
    """
    wave: list[int] = []
    free = room
    for index, ending in enumerate(endings):
        needed = len(ending) - 1
        if needed > room:
            raise too_long(room)
        if needed < 1:
            continue
        if needed > free or len(wave) == _COPIES:
            yield wave
            wave, free = [], room
        wave.append(index)
        free -= needed
    if wave:
        yield wave
