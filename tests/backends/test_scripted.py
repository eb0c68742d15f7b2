"""Staged answers come from a file, with the probabilities that it gives, and are marked as staged."""

from math import exp, prod
from pathlib import Path

import pytest

from gatekeeper.backends.scripted import ScriptedBackend
from gatekeeper.errors import ConfigurationError, InvalidRequest
from gatekeeper.exchange import Alternative, LogprobQuality, ToolCall
from gatekeeper.wire.chunks import fold
from gatekeeper.wire.completion import parse_chat_completion
from tests.backends.conftest import case

SCRIPT = """
- match: metformin
  answer: Hold metformin for 48 h.
  confidence: 0.97
- match: side
  tokens: [[Left, -0.02, [[Right, -4.1]]], [" kidney.", -0.1]]
- match: opinions
  choices:
    - answer: "Yes."
    - {answer: "No.", finish_reason: length, reasoning: Hm.}
- match: dose
  tool_calls: [{name: look_up, arguments: '{"drug":"heparin"}'}]
  finish_reason: tool_calls
"""


@pytest.fixture
def backend(tmp_path: Path) -> ScriptedBackend:
    """Return a backend with a small script."""
    path = tmp_path / "script.yaml"
    path.write_text(SCRIPT)
    return ScriptedBackend(path)


async def test_confidence_is_spread_over_the_words(backend: ScriptedBackend) -> None:
    """The words' probabilities multiply to the one that the script gives."""
    completion = await backend.complete(case("Hold metformin?"))
    (answer,) = completion.answers
    assert answer.content == "Hold metformin for 48 h."
    assert answer.quality is LogprobQuality.FULL
    assert prod(exp(token.logprob or 0.0) for token in answer.tokens) == pytest.approx(0.97)
    assert len({token.logprob for token in answer.tokens}) == 1


async def test_completions_are_staged(backend: ScriptedBackend) -> None:
    """No staged answer can pass for a model's."""
    assert (await backend.complete(case("Hold metformin?"))).staged
    assert "staged" in (await backend.start()).notes[0]


async def test_tokens_spell_the_answer(backend: ScriptedBackend) -> None:
    """Given tokens are the answer, with their alternatives."""
    (answer,) = (await backend.complete(case("Which side?"))).answers
    assert answer.content == "Left kidney."
    assert answer.tokens[0].top == (Alternative("Left", -0.02), Alternative("Right", -4.1))


async def test_several_choices(backend: ScriptedBackend) -> None:
    """A script can stage several choices with their own ends and thoughts."""
    answers = (await backend.complete(case("Two opinions?"))).answers
    assert [(answer.content, answer.finish_reason, answer.reasoning) for answer in answers] == [
        ("Yes.", "stop", ""),
        ("No.", "length", "Hm."),
    ]


async def test_one_answer_serves_every_choice(backend: ScriptedBackend) -> None:
    """A client that asks for three choices gets the staged answer three times."""
    assert len((await backend.complete(case("Which side?", n=3))).answers) == 3


async def test_tool_calls(backend: ScriptedBackend) -> None:
    """A script can stage tool calls."""
    (answer,) = (await backend.complete(case("Which dose?"))).answers
    assert answer.tool_calls == (ToolCall("look_up", '{"drug":"heparin"}'),)
    assert (answer.content, answer.quality) == ("", LogprobQuality.UNAVAILABLE)


async def test_the_stream_is_the_same_answer(backend: ScriptedBackend) -> None:
    """Streaming changes nothing but the framing."""
    streamed = parse_chat_completion(fold([chunk async for chunk in backend.stream(case("Which side?"))]))
    assert streamed.answers[0].tokens == (await backend.complete(case("Which side?"))).answers[0].tokens


async def test_an_unknown_question_is_refused(backend: ScriptedBackend) -> None:
    """A script never answers what it was not written for."""
    with pytest.raises(InvalidRequest, match="script"):
        await backend.complete(case("Who won?"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- answer: x", "0.match: Field required"),
        ("- {match: x}", "give answer, tokens or tool_calls"),
        ("- {match: x, answer: y, confidence: 0}", "0.confidence"),
        ("- {match: x, answer: y, confidence: 0.5, tokens: [[y, -1]]}", "not both"),
        ("- {match: x, tokens: [[y, 1.0]]}", "0.tokens"),
        ("- {match: x, answer: y, colour: red}", "0.colour"),
        ("match: x", "valid"),
        ("[", "is no YAML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, problem: str) -> None:
    """A script with a mistake is refused at start, with the place of it."""
    path = tmp_path / "script.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=problem):
        ScriptedBackend(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A script that is not there is said to be so."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        ScriptedBackend(tmp_path / "none.yaml")
