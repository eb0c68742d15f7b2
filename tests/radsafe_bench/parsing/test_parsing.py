"""Reading the chosen letter: nothing is taken for an answer that is none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.errors import UpstreamGarbled
from radsafe_bench.parsing import Outcome, Parsed, is_held, parse_answer, parse_response
from tests.radsafe_bench.parsing.golden import GOLDEN


def completion(content: str | None, **rest: Any) -> dict[str, Any]:
    """Return a chat completion with one message."""
    message = {"role": "assistant", "content": content, **rest.pop("message", {})}
    return {"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], **rest}


@pytest.mark.parametrize(("text", "letter"), GOLDEN)
def test_golden_table(text: str, letter: str | None) -> None:
    """Every output of the table is read as the letter it declares, or as none."""
    assert parse_answer(text, "ABCDE") == letter


def test_letters_that_the_question_has_not() -> None:
    """E is an answer of a five-option question only."""
    assert parse_answer("Answer: E", "ABCDE") == "E"
    assert parse_answer("Answer: E", "ABCD") is None


@pytest.mark.parametrize(
    "text", ["A" * 200_000, "(" * 200_000, "Answer: A\n" * 20_000, "A, " * 50_000, "\t" * 99_999]
)
def test_long_outputs_end(text: str) -> None:
    """An output that repeats itself for ever is read as quickly as any other."""
    assert parse_answer(text, "ABCDE") in {None, "A"}


@given(st.text(alphabet="ABCDEFabc ()*.:,\n`>-<think/>Answerisoptiontheand", max_size=60))
def test_only_letters_of_the_question(text: str) -> None:
    """Whatever a model writes, the answer is one of the question's letters or none."""
    assert parse_answer(text, "ABC") in {None, "A", "B", "C"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (completion("B"), Parsed("B", Outcome.ANSWERED)),
        (completion("It depends."), Parsed(None, Outcome.UNPARSED)),
        (completion("  "), Parsed(None, Outcome.EMPTY)),
        (completion(None, message={"reasoning_content": "Answer: A"}), Parsed(None, Outcome.EMPTY)),
        (completion("C", message={"reasoning": "Answer: A"}), Parsed("C", Outcome.ANSWERED)),
        (completion(None, message={"refusal": "I cannot help."}), Parsed(None, Outcome.REFUSED)),
        (completion("Ask a radiologist. B", gatekeeper={"action": "escalate"}), Parsed(None, Outcome.HELD)),
        (completion("B", gatekeeper={"action": "annotate"}), Parsed("B", Outcome.ANSWERED)),
    ],
)
def test_how_a_response_ended(body: dict[str, Any], expected: Parsed) -> None:
    """A report can say why an answer has no letter: unparsed, empty, refused or held."""
    assert parse_response(body, "ABCDE") == expected


def test_held_answers_are_known_by_their_action() -> None:
    """Only the three actions that keep an answer back count as held."""
    held = {
        action
        for action in ("release", "annotate", "regenerate", "escalate", "abstain", "block")
        if is_held(completion("B", gatekeeper={"action": action}))
    }
    assert held == {"escalate", "abstain", "block"}
    assert not is_held(completion("B"))


def test_what_is_no_completion_is_an_error() -> None:
    """A garbled body is the server's failure, not an unparsed answer."""
    with pytest.raises(UpstreamGarbled):
        parse_response({"choices": []}, "ABCDE")
