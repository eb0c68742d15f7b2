"""Continuations are scored as if each had been read alone; work that is not wanted ends."""

from collections.abc import Callable
from itertools import count

import numpy as np
import pytest
from llama_cpp import Llama

from gatekeeper.backends.llama_cpp import LlamaCppBackend
from gatekeeper.backends.llama_cpp.engine import Engine, Interruption
from gatekeeper.backends.llama_cpp.native import Context
from gatekeeper.backends.llama_cpp.sampling import Sampling
from gatekeeper.errors import InvalidRequest, UpstreamError
from tests.backends.conftest import case
from tests.backends.llama_cpp.conftest import Reference

EVIDENCE = "Contrast is safe at an eGFR of 45. " * 6
CANDIDATES = [f" Claim {number}: metformin is held for {number * 12} h." for number in range(11)]


def never() -> bool:
    """Return what says that work is still wanted."""
    return False


def after(asked: int) -> Callable[[], bool]:
    """Return what says that work is unwanted once it was asked a number of times."""
    times = count()
    return lambda: next(times) >= asked


def tokens_of(llama: Llama, text: str) -> list[int]:
    """Return the tokens of a text as llama-cpp-python cuts it."""
    tokens: list[int] = llama.tokenize(text.encode(), add_bos=False, special=True)
    return tokens


async def test_scores_are_those_of_reading_each_alone(
    backend: LlamaCppBackend, llama: Llama, reference: Reference
) -> None:
    """More candidates than copies, side by side, get the values of one prompt each."""
    prefix = tokens_of(llama, EVIDENCE)
    alone = [
        sum(reference(prefix, tokens_of(llama, EVIDENCE + candidate)[len(prefix) :]))
        for candidate in CANDIDATES
    ]
    assert await backend.score(EVIDENCE, CANDIDATES) == pytest.approx(alone, abs=0.05)


async def test_a_border_within_a_token_is_scored_from_before_it(
    backend: LlamaCppBackend, llama: Llama, reference: Reference
) -> None:
    """`h` + `e` is not how the model reads `he`: candidates are compared from where all still agree."""
    shared = tokens_of(llama, "of h")[:-1]
    alone = [sum(reference(shared, tokens_of(llama, text)[len(shared) :])) for text in ("of he", "of hi")]
    assert await backend.score("of h", ["e", "i"]) == pytest.approx(alone, abs=0.05)


async def test_messages_are_written_by_the_template(backend: LlamaCppBackend) -> None:
    """A list of messages is the prompt up to where the answer begins."""
    written = "<|im_start|>user\nA or B?<|im_end|>\n<|im_start|>assistant\n"
    messages = [{"role": "user", "content": "A or B?"}]
    assert await backend.score(messages, ["A", "B"]) == await backend.score(written, ["A", "B"])


async def test_nothing_is_certain_to_follow(backend: LlamaCppBackend) -> None:
    """An empty candidate adds nothing, so its log-probability is 0; no candidates have no scores."""
    assert await backend.score(EVIDENCE, [""]) == [0.0]
    assert (await backend.score(EVIDENCE, ["", " x"]))[0] == 0.0


async def test_answers_are_the_same_after_scoring(backend: LlamaCppBackend) -> None:
    """Copies leave nothing behind: the next answer is as it was."""
    asked = case("Left?", temperature=0, max_tokens=16)
    before = await backend.complete(asked)
    await backend.score(EVIDENCE, CANDIDATES)
    assert (await backend.complete(asked)).answers[0].content == before.answers[0].content


async def test_candidates_cannot_spell_control_tokens(backend: LlamaCppBackend) -> None:
    """A claim that quotes the end of a turn is scored as text, not as the end."""
    forged, plain = await backend.score(EVIDENCE, ["<|im_end|>", "< |im_end|>"])
    assert forged == plain


@pytest.mark.parametrize(("prefix", "candidate"), [("", "x"), ("x" * 300, "y"), ("x", "y" * 300)])
def test_what_cannot_be_scored_is_refused(engine: Engine, prefix: str, candidate: str) -> None:
    """No prefix at all, and texts over the context, are the caller's errors."""
    with pytest.raises(InvalidRequest):
        engine.score(engine.tokenise(prefix), [engine.tokenise(prefix + candidate)], never)


def test_control_tokens_add_nothing_to_an_answer(engine: Engine) -> None:
    """A control token is shown by its name and has no bytes; half a character is shown by its bytes."""
    (control,) = engine.tokenise("<|im_end|>").tolist()
    assert engine.model.spelling(control) == ("<|im_end|>", [])
    first, _ = engine.tokenise("ä").tolist()
    assert engine.model.spelling(first) == (r"\xc3", [0xC3])


def test_reading_stops_when_it_is_not_wanted(engine: Engine) -> None:
    """A cancelled request is not read to its end, and what was read of it is kept."""
    with pytest.raises(Interruption):
        engine.read(engine.tokenise("hello"), after(0))
    assert engine.read(engine.tokenise("hello"), never) == 0
    assert engine.read(engine.tokenise("hello there"), never) == len(engine.tokenise("hello"))


def test_drawing_stops_when_it_is_not_wanted(engine: Engine) -> None:
    """A cancelled answer ends between two tokens."""
    engine.read(engine.tokenise("hello"), never)
    drawn = []
    with pytest.raises(Interruption):
        for token in engine.draw(Sampling(temperature=0), 0, 5, after(3)):
            drawn.append(token)  # noqa: PERF402 - the tokens before the interruption are what is counted
    assert len(drawn) == 3


def test_scoring_stops_when_it_is_not_wanted(engine: Engine) -> None:
    """A cancelled scoring ends between two decodes, and the next one starts afresh."""
    prefix, whole = engine.tokenise("hello"), [engine.tokenise("hello" + text) for text in (" you", " me")]
    fresh = engine.score(prefix, whole, never)
    with pytest.raises(Interruption):
        engine.score(prefix, whole, after(1))
    assert engine.score(prefix, whole, never) == pytest.approx(fresh, abs=0.05)


def test_a_failed_decode_leaves_nothing_behind(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a decode that failed the whole prompt is read again: what the cache holds is not known."""
    engine.read(engine.tokenise("hello"), never)

    def fail(*_: object) -> None:
        raise UpstreamError("llama.cpp could not decode (code -1).")

    with monkeypatch.context() as broken:
        broken.setattr(Context, "decode", fail)
        with pytest.raises(UpstreamError):
            engine.read(engine.tokenise("hello there"), never)
    assert engine.read(engine.tokenise("hello there"), never) == 0


def test_a_model_that_keeps_all_or_nothing_is_read_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where part of the cache cannot be dropped (recurrent models) the prompt is read from its start."""
    plain = engine.tokenise("hello there")
    engine.read(plain, never)
    scores = np.array(engine.context.scores())
    engine.read(engine.tokenise("hello you"), never)
    monkeypatch.setattr(Context, "forget", lambda *_: False)
    assert engine.read(plain, never) == 0
    assert engine.context.scores() == pytest.approx(scores, abs=0.02)
