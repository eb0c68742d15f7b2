from typing import Any

import pytest

from gatekeeper.claims import read_query
from gatekeeper.claims.stems import is_negated, positive_stem
from gatekeeper.evidence import read_evidence
from gatekeeper.exchange import Option, Query
from tests.evidence.conversations import TODAY, converse

OPTIONS = (Option("A", "left"), Option("B", "right"))


def _read(*turns: tuple[str, str], **body: Any) -> Query:
    conversation = converse(*turns, **body)
    return read_query(conversation, read_evidence(conversation, TODAY))


def test_the_last_user_turn_is_the_question() -> None:
    """Earlier turns and the system message are not what is asked."""
    turns = [("system", "Be brief."), ("user", "Hello"), ("assistant", "Hi"), ("user", "Which side?")]

    assert _read(*turns) == Query("Which side?")


def test_evidence_and_options_are_no_part_of_the_stem() -> None:
    """The stem is what remains without context, labels and options."""
    prompt = "It is the left.\n\nQuestion: Which side?\nOptions:\nA. left\nB. right\nAnswer:"

    assert _read(("user", prompt)) == Query("Which side?", OPTIONS)


def test_tagged_evidence_is_cut_out() -> None:
    """What stands between the tags is not asked."""
    assert _read(("user", "<context>It is the left.</context>\nWhich side?")) == Query("Which side?")


@pytest.mark.parametrize("filler", [" ", "\t", " \t", "\v"])
def test_a_question_of_white_space_takes_linear_time(filler: str) -> None:
    """One request full of spaces does not keep the process busy for hours."""
    blank = filler * (200_000 // len(filler))

    assert _read(("user", f"Which{blank}side?")).text.endswith("side?")
    assert is_negated(f"Which side is right except{blank}?")


def test_options_beside_the_messages_win() -> None:
    """Options that the client names are the options."""
    assert _read(("user", "Which side?\nA. x\nB. y"), options=["left", "right"]).options == OPTIONS


def test_a_conversation_without_a_user_asks_nothing() -> None:
    """A system message alone is no question."""
    assert _read(("system", "Be brief.")) == Query("")


@pytest.mark.parametrize(
    "stem",
    [
        "All of the following are contraindications EXCEPT:",
        "Which of the following is NOT a contraindication?",
        "Which of the following is not recommended?",
        "Which finding is LEAST likely?",
        "Which is the least appropriate next step?",
        "Which statement is false?",
        "Which statement is incorrect?",
        "All are features of adenoma, except",
    ],
)
def test_negated_stems_are_recognised(stem: str) -> None:
    """EXCEPT, NOT, LEAST and "which is false" turn the question round."""
    assert is_negated(stem)
    assert not is_negated(positive_stem(stem))


@pytest.mark.parametrize(
    "stem",
    [
        "Which of the following is contraindicated?",
        "A patient who is not on dialysis needs contrast. Which prophylaxis is right?",
        "At least how many views are needed?",
        "What is the next step?",
    ],
)
def test_other_stems_are_not(stem: str) -> None:
    """A negation in the vignette, or the word "contraindicated", does not turn the question round."""
    assert not is_negated(stem)


@pytest.mark.parametrize(
    ("stem", "negated"),
    [
        ("What is the false-negative rate of CT?", False),
        ("Which branch arises from the false lumen?", False),
        ("Which step prevents wrong-site surgery?", False),
        ("Which statement is false?", True),
        ("Which of these is wrong?", True),
    ],
)
def test_a_false_lumen_is_no_negation(stem: str, *, negated: bool) -> None:
    """Words that name a thing do not turn the question round."""
    assert is_negated(stem) is negated
