"""Thoughts that a model writes into its answer are told apart from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.wire.reasoning import divide


@pytest.mark.parametrize(
    ("content", "reasoning", "answer"),
    [
        ("<think>Maybe A.</think>\n\nB", "Maybe A.", "B"),
        ("\n<think>\nMaybe A.\n</think>B", "Maybe A.", "B"),
        ("Maybe A.\n</think>\n\nB", "Maybe A.", "B"),
        ("<think>Maybe A, cut off", "Maybe A, cut off", ""),
        ("<think></think>B", "", "B"),
        ("<thinking>Maybe A.</thinking>B", "Maybe A.", "B"),
        ("[THINK]Maybe A.[/THINK]B", "Maybe A.", "B"),
        ("◁think▷Maybe A.◁/think▷B", "Maybe A.", "B"),
        ("<unused94>thought\nMaybe A.<unused95>B", "thought\nMaybe A.", "B"),
        (
            "<|channel|>analysis<|message|>Maybe A.<|end|><|start|>assistant<|channel|>final<|message|>B",
            "Maybe A.<|end|><|start|>assistant",
            "B",
        ),
        ("B", "", "B"),
        (" B \n", "", " B \n"),
        ("B is <think> I think", "", "B is <think> I think"),
        ("", "", ""),
    ],
)
def test_families(content: str, reasoning: str, answer: str) -> None:
    """Every known family of marks is taken off, and an answer without marks is untouched."""
    assert divide(content) == (reasoning, answer)


@given(st.lists(st.sampled_from(["<think>", "</think>", "[THINK]", "[/THINK]", "a", " ", "\n"]), max_size=12))
def test_no_text_disappears(pieces: list[str]) -> None:
    """Whatever is not a mark or white space is judged, as reasoning or as answer."""
    divided = divide("".join(pieces))
    assert (divided.reasoning + divided.answer).count("a") == pieces.count("a")
