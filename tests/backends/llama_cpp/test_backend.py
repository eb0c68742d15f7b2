"""A GGUF file answers chat requests with token probabilities that its own library agrees with."""

from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from llama_cpp import Llama

from gatekeeper.backends.llama_cpp import LlamaCppBackend
from gatekeeper.errors import ConfigurationError, InvalidRequest, NotSupported, UpstreamError
from gatekeeper.exchange import Answer, Case, LogprobQuality
from gatekeeper.wire.chunks import fold
from tests.backends.conftest import case
from tests.backends.llama_cpp.conftest import Reference
from tests.tiny_gguf import Shape, write_gguf

QUESTION = "Which side is the fracture on?"
PROMPT = f"<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n"


def greedy(question: str = QUESTION, **fields: Any) -> Case:
    """Return a case whose answer is the same every time."""
    return case(question, temperature=0, **{"max_tokens": 24, **fields})


def forced(text: str, **fields: Any) -> Case:
    """Return a case that can be answered by one JSON string only."""
    schema = {"name": "one", "schema": {"const": text}}
    return case(response_format={"type": "json_schema", "json_schema": schema}, temperature=0, **fields)


def written(answer: Answer) -> bytes:
    """Return the bytes of an answer's rows."""
    assert answer.raw is not None
    return b"".join(bytes(row["bytes"]) for row in answer.raw["logprobs"]["content"])


async def test_an_answer_carries_its_probabilities(backend: LlamaCppBackend) -> None:
    """Every token has a probability and five alternatives, and all of the text is covered."""
    (answer,) = (await backend.complete(greedy())).answers
    assert answer.quality is LogprobQuality.FULL
    assert written(answer).decode() == answer.content
    assert [len(token.top) for token in answer.tokens] == [5] * 24
    assert all(token.top[0].text == token.text for token in answer.tokens)


async def test_multiple_choice_gets_twenty_alternatives(backend: LlamaCppBackend) -> None:
    """Where options are given, enough alternatives come back to find every letter among them."""
    asked = case(options={"A": "left", "B": "right"}, temperature=0, max_tokens=2)
    (answer,) = (await backend.complete(asked)).answers
    assert [len(token.top) for token in answer.tokens] == [20, 20]


async def test_the_text_is_what_the_library_writes(backend: LlamaCppBackend, llama: Llama) -> None:
    """The chat template and the greedy choice are those of llama-cpp-python."""
    messages = [{"role": "user", "content": QUESTION}]
    theirs = llama.create_chat_completion(messages, temperature=0, max_tokens=24)
    ours = await backend.complete(greedy())
    assert ours.answers[0].content == theirs["choices"][0]["message"]["content"]
    assert ours.answers[0].finish_reason == theirs["choices"][0]["finish_reason"] == "length"


async def test_probabilities_are_those_of_all_logits(
    backend: LlamaCppBackend, llama: Llama, reference: Reference
) -> None:
    """The cheap way gives the values of the dear one, which keeps the scores of every position."""
    (answer,) = (await backend.complete(greedy())).answers
    prompt = llama.tokenize(PROMPT.encode(), add_bos=False, special=True)
    drawn = [llama.tokenize(token.text.encode(), add_bos=False)[0] for token in answer.tokens]
    assert [token.logprob for token in answer.tokens] == pytest.approx(reference(prompt, drawn), abs=0.02)


async def test_a_prompt_that_begins_the_same_is_not_read_again(backend: LlamaCppBackend) -> None:
    """Asked again, all but the last token of the prompt is still there, and the answer is the same."""
    first, again = [await backend.complete(greedy()) for _ in range(2)]
    usage = again.raw["usage"]
    assert first.raw["usage"]["prompt_tokens_details"] == {"cached_tokens": 0}
    assert usage["prompt_tokens_details"]["cached_tokens"] == usage["prompt_tokens"] - 1
    assert again.answers[0].content == first.answers[0].content


async def test_usage_is_counted(backend: LlamaCppBackend, llama: Llama) -> None:
    """Prompt and answer are counted in the model's tokens, over all choices."""
    usage = (await backend.complete(greedy(n=2, max_tokens=3))).raw["usage"]
    prompt = len(llama.tokenize(PROMPT.encode(), add_bos=False, special=True))
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (prompt, 6)
    assert usage["total_tokens"] == prompt + 6


async def test_a_stream_adds_up_to_the_answer(backend: LlamaCppBackend) -> None:
    """The chunks of a stream, folded, are the whole answer's body."""
    whole = dict((await backend.complete(greedy(n=2))).raw)
    async with aclosing(backend.stream(greedy(n=2))) as chunks:
        folded = fold([chunk async for chunk in chunks])
    for body in (whole, folded):
        assert body.pop("id").startswith("chatcmpl-")
        assert body.pop("created") > 0
        body.pop("usage")
    assert folded == whole


async def test_a_seed_repeats_and_choices_differ(backend: LlamaCppBackend) -> None:
    """The same seed gives the same choices; another seed, and each choice, goes its own way."""
    texts = [
        [answer.content for answer in (await backend.complete(case(n=2, seed=seed, max_tokens=12))).answers]
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]
    assert texts[0][0] != texts[0][1]


async def test_sampling_can_be_narrowed(backend: LlamaCppBackend) -> None:
    """With one candidate left, however that is said, a sample is the greedy answer."""
    whole = (await backend.complete(greedy())).answers[0].content
    for narrow in ({"top_k": 1}, {"top_p": 0.0}, {"min_p": 1.0}, {"temperature": 0.01, "seed": 3}):
        wish: dict[str, Any] = {"max_tokens": 24, **narrow}
        assert (await backend.complete(case(QUESTION, **wish))).answers[0].content == whole


async def test_repetition_can_be_penalised(backend: LlamaCppBackend) -> None:
    """A penalty on what was said before makes an answer of more different characters."""
    plain, varied = [
        (await backend.complete(greedy(max_tokens=200, frequency_penalty=penalty))).answers[0].content
        for penalty in (0, 2)
    ]
    assert len(set(varied)) > len(set(plain))


async def test_a_stop_sequence_ends_the_answer(backend: LlamaCppBackend) -> None:
    """Text and rows end before the stop sequence, even one that several tokens make up."""
    whole = (await backend.complete(greedy())).answers[0].content
    (answer,) = (await backend.complete(greedy(stop=["never", whole[10:13]]))).answers
    assert answer.content == whole[: whole.index(whole[10:13])]
    assert answer.finish_reason == "stop"
    assert written(answer).decode() == answer.content


async def test_a_half_seen_stop_sequence_is_given_back(backend: LlamaCppBackend) -> None:
    """What only began like a stop sequence belongs to the answer."""
    whole = (await backend.complete(greedy())).answers[0].content
    (answer,) = (await backend.complete(greedy(stop=whole[-2:] + "never"))).answers
    assert (answer.content, answer.finish_reason) == (whole, "length")
    assert answer.quality is LogprobQuality.FULL


async def test_characters_of_several_tokens_stay_whole(backend: LlamaCppBackend) -> None:
    """A character that the model writes byte by byte never leaves in halves."""
    async with aclosing(backend.stream(forced("3 µg – ≥ 2 ml"))) as stream:
        chunks = [chunk async for chunk in stream]
    said = [choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]]
    assert "".join(said) == '"3 µg – ≥ 2 ml"'
    assert not any("\ufffd" in text for text in said)
    (answer,) = (await backend.complete(forced("3 µg – ≥ 2 ml"))).answers
    assert (answer.quality, answer.finish_reason) == (LogprobQuality.FULL, "stop")


async def test_json_is_kept_to(backend: LlamaCppBackend) -> None:
    """With `json_object` the answer begins as an object whatever the model would have said."""
    (answer,) = (await backend.complete(greedy(response_format={"type": "json_object"}))).answers
    assert answer.content.startswith("{")


async def test_an_answer_ends_where_the_context_does(gguf: Path) -> None:
    """Without a limit the model writes until its context is full, and says that it was cut."""
    small = LlamaCppBackend(gguf, context=256)
    await small.start()
    completion = await small.complete(greedy("x", max_tokens=None))
    await small.close()
    assert completion.raw["usage"]["total_tokens"] == 256
    assert completion.answers[0].finish_reason == "length"


async def test_a_prompt_that_does_not_fit_is_refused(backend: LlamaCppBackend) -> None:
    """A prompt over the context is the client's error, by the code that clients know."""
    for question in ("x" * 2048, "x" * 200_000):
        with pytest.raises(InvalidRequest) as raised:
            await backend.complete(greedy(question))
        assert raised.value.code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"top_k": 1.5}, "top_k"),
        ({"seed": "x"}, "seed"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": "many"}, "max_completion_tokens"),
        ({"stop": [1]}, "stop"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"chat_template_kwargs": {"messages": []}}, "chat_template_kwargs"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, "messages"),
    ],
)
async def test_what_cannot_be_done_is_refused(
    backend: LlamaCppBackend, fields: dict[str, Any], param: str
) -> None:
    """An option that would be ignored or is out of range is an error that names it."""
    with pytest.raises(InvalidRequest) as raised:
        await backend.complete(case(**fields))
    assert raised.value.param == param


async def test_the_model_is_described(gguf: Path) -> None:
    """Before it is loaded the backend is not ready; then it names its model and what it can do."""
    backend = LlamaCppBackend(gguf)
    assert not await backend.healthy()
    with pytest.raises(UpstreamError):
        await backend.complete(greedy())
    found = await backend.start()
    assert await backend.healthy()
    assert (found.models, found.top_logprobs, found.logprobs_with_tools) == (("tiny",), 20, False)
    assert [model["id"] for model in (await backend.models())["data"]] == ["tiny"]
    with pytest.raises(NotSupported):
        await backend.embed({})
    await backend.close()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A wrong path is an error of configuration before anything is served."""
    with pytest.raises(ConfigurationError, match="--gguf"):
        LlamaCppBackend(tmp_path / "model.gguf")


async def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    """A wrong file is an error of configuration that names the file."""
    path = tmp_path / "model.gguf"
    path.write_bytes(b"no model at all")
    backend = LlamaCppBackend(path)
    with pytest.raises(ConfigurationError, match=r"model\.gguf"):
        await backend.start()
    await backend.close()


async def test_the_context_is_no_larger_than_the_models(tmp_path: Path) -> None:
    """A context beyond what the model was trained for is cut to that, and said."""
    backend = LlamaCppBackend(write_gguf(tmp_path / "short.gguf", shape=Shape(context=256)))
    assert "context of 256 tokens" in (await backend.start()).notes[0]
    await backend.close()
