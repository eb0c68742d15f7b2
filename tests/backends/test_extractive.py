"""The embedded baseline answers from evidence, guesses openly without it, and samples by seed."""

from math import exp, log
from typing import Any

import pytest

from gatekeeper.backends.extractive import FINGERPRINT, MODEL, ExtractiveBackend
from gatekeeper.errors import InvalidRequest, NotSupported
from gatekeeper.exchange import Answer, LogprobQuality
from gatekeeper.wire.chunks import fold
from gatekeeper.wire.completion import parse_chat_completion
from tests.backends.conftest import case

FIRST = "Metformin is withheld at eGFR below 30."
SECOND = "Kidney function is checked at 48 h before metformin is restarted."
EVIDENCE = (
    f"{FIRST} {SECOND}",
    "Shellfish allergy does not call for premedication.",
)
QUESTION = "When is metformin withheld?"
OPTIONS = {"A": "eGFR below 45", "B": "eGFR below 30", "C": "before every scan"}


async def _answer(*args: Any, **fields: Any) -> Answer:
    return (await ExtractiveBackend().complete(case(*args, **fields))).answers[0]


async def test_the_best_sentence_is_quoted_verbatim() -> None:
    """A free question is answered in the evidence's own words."""
    answer = await _answer("Is premedication needed with shellfish allergy?", EVIDENCE)
    assert answer.content == "Shellfish allergy does not call for premedication."
    assert answer.quality is LogprobQuality.FULL


async def test_two_sentences_that_match_alike_are_both_quoted() -> None:
    """Where two sentences speak of the question, neither is left out."""
    answer = await _answer("metformin", EVIDENCE)
    assert answer.content in {f"{FIRST} {SECOND}", f"{SECOND} {FIRST}"}


async def test_the_supported_option_is_named() -> None:
    """Multiple choice is answered by the letter, whose alternatives are the other letters."""
    answer = await _answer(QUESTION, EVIDENCE, OPTIONS)
    assert answer.content == "B"
    (token,) = answer.tokens
    assert sorted(text for text, _ in token.top) == ["A", "B", "C"]
    assert sum(exp(value) for _, value in token.top) == pytest.approx(1.0)
    assert token.logprob == max(value for _, value in token.top)


async def test_a_negated_stem_asks_for_the_least_supported() -> None:
    """A stem with EXCEPT is answered by the option that the evidence does not hold."""
    options = {"A": "withheld at eGFR below 30", "B": "given with orange juice", "C": "checked at 48 h"}
    answer = await _answer("All are true of metformin EXCEPT", EVIDENCE, options, negated=True)
    assert answer.content == "B"


async def test_without_evidence_it_says_so() -> None:
    """A free question without evidence gets no answer, and no confidence either."""
    answer = await _answer(QUESTION)
    assert answer.content == "No evidence was supplied, so this question cannot be answered."
    assert answer.quality is LogprobQuality.UNAVAILABLE


async def test_evidence_on_something_else_is_not_quoted() -> None:
    """Evidence that shares no word with the question does not answer it."""
    answer = await _answer("Who won?", EVIDENCE)
    assert answer.content == "The supplied evidence does not answer this question."


async def test_without_evidence_a_guess_is_near_chance() -> None:
    """A guessed letter carries the low probability that it deserves, the same every time."""
    first, second = [await _answer(QUESTION, (), OPTIONS) for _ in range(2)]
    assert first.tokens == second.tokens
    assert first.tokens[0].logprob is not None
    assert exp(first.tokens[0].logprob) == pytest.approx(1 / 3, abs=0.03)


async def test_quoting_is_never_more_certain_than_its_choice() -> None:
    """Every word of a quotation carries the doubt about which sentence to quote."""
    answer = await _answer("metformin", EVIDENCE)
    known = [token.logprob for token in answer.tokens if token.logprob is not None]
    assert len(known) == len((FIRST + " " + SECOND).split())
    assert max(known) < log(0.6)


async def test_samples_differ_by_seed_only() -> None:
    """A sample can be drawn again by its seed, and other seeds draw from the same distribution."""
    samples = [
        (await _answer(QUESTION, (), OPTIONS, temperature=0.7, seed=seed)).content for seed in range(60)
    ]
    again = [(await _answer(QUESTION, (), OPTIONS, temperature=0.7, seed=seed)).content for seed in range(60)]
    assert samples == again
    assert set(samples) == {"A", "B", "C"}


async def test_choices_of_one_request_are_samples_too() -> None:
    """With n > 1 the choices are drawn apart from each other."""
    completion = await ExtractiveBackend().complete(
        case(QUESTION, (), OPTIONS, temperature=1.0, seed=1, n=16)
    )
    assert [answer.index for answer in completion.answers] == list(range(16))
    assert len({answer.content for answer in completion.answers}) > 1


async def test_reported_probabilities_do_not_depend_on_temperature() -> None:
    """Token probabilities are those before sampling, as servers report them."""
    tops = [
        (await _answer(QUESTION, EVIDENCE, OPTIONS, temperature=temperature, seed=3)).tokens[0].top
        for temperature in (0.0, 1.5)
    ]
    assert tops[0] == tops[1]


async def test_the_token_limit_is_kept() -> None:
    """An answer over the limit is cut and says so."""
    answer = await _answer(QUESTION, EVIDENCE, max_tokens=2)
    assert (answer.content, answer.finish_reason) == ("Metformin is", "length")


async def test_the_completion_names_the_baseline() -> None:
    """Nobody can mistake the baseline for a language model."""
    completion = await ExtractiveBackend().complete(case(QUESTION, EVIDENCE))
    assert (completion.model, completion.fingerprint, completion.staged) == (MODEL, FINGERPRINT, False)
    assert completion.raw["usage"] == {"prompt_tokens": 4, "completion_tokens": 7, "total_tokens": 11}
    capabilities = await ExtractiveBackend().start()
    assert "no language model" in capabilities.notes[0]


async def test_the_stream_is_the_same_answer() -> None:
    """Streaming changes nothing but the framing."""
    backend, asked = ExtractiveBackend(), case(QUESTION, EVIDENCE)
    streamed = parse_chat_completion(fold([chunk async for chunk in backend.stream(asked)]))
    assert streamed.answers[0].content == (await backend.complete(asked)).answers[0].content
    assert streamed.answers[0].tokens == (await backend.complete(asked)).answers[0].tokens


@pytest.mark.parametrize(
    "fields",
    [
        {"response_format": {"type": "json_object"}},
        {"tool_choice": "required"},
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"temperature": "hot"},
        {"temperature": 3},
        {"temperature": 0.7, "seed": "x"},
        {"max_tokens": "x"},
        {"max_tokens": -1},
    ],
)
async def test_what_retrieval_cannot_do_is_refused(fields: dict[str, Any]) -> None:
    """A request for JSON or a tool call is refused and never answered as if it had been obeyed."""
    with pytest.raises(InvalidRequest) as refused:
        await _answer(QUESTION, EVIDENCE, **fields)
    assert refused.value.param in fields


async def test_there_are_no_embeddings() -> None:
    """The baseline says what to do for embeddings."""
    with pytest.raises(NotSupported, match="--upstream"):
        await ExtractiveBackend().embed({})
