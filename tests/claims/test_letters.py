"""The declared letter: what counts as a choice, and what is only a mention."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.claims import declared_letter
from gatekeeper.claims.letters import find_letter

LETTERS = "ABCDE"


@pytest.mark.parametrize(
    "text",
    [
        "B",
        "B.",
        "(B)",
        "[B]",
        " B \n",
        "**B**",
        "**B. Withhold metformin**",
        "B) Withhold metformin",
        "B: Withhold metformin",
        "B - Withhold metformin",
        "B because the eGFR is below 30",
        "B\n\nMetformin is withheld.",
        "Answer: B",
        "**Answer:** B",
        "Answer: **B**",
        "Answer: (B) Withhold metformin",
        "Answer:\nB",
        "answer: b",
        "Final answer - B",
        "The correct answer is B because the eGFR is below 30.",
        "The answer is (B).",
        "The best choice would be option B.",
        "The correct option is: B",
        "Option B is correct.",
        "B is the correct answer.",
        "Therefore, B is correct.",
        "I would choose B.",
        "I'd go with option B.",
        "We select (B).",
        "The eGFR is below 30.\n\nB",
        "The eGFR is below 30.\n**B. Withhold metformin**",
        '{"answer": "B"}',
        '{"choice": "B", "why": "eGFR below 30"}',
        r"$\boxed{B}$",
        r"The answer is \boxed{\text{B}}",
        "A. would be wrong here.\nAnswer: B",
        "<think>It could be A. The answer is A.</think>B",
        "<think>Answer: C</think>\nThe answer is B.",
        "Answer: A. No, wait. Answer: B",
    ],
)
def test_a_declared_letter_is_read(text: str) -> None:
    """However a model writes its choice, the chosen option is the one that is judged."""
    assert declared_letter(text, LETTERS) == "B"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Withhold metformin for 48 hours.",
        "A chest CT is the next step.",
        "I would withhold metformin.",
        "Both are right.",
        "A or B",
        "Answer: A or B",
        "Answer: B and C",
        "The answer is B/C.",
        "A. Withhold metformin\nB. Continue metformin",
        "Group B patients need contrast.",
        "Hepatitis B",
        "Before the scan, give saline.",
        "The answer is a matter of debate.",
        "The answer is Bleeding.",
        "Answer: F",
        "I cannot answer this question.",
    ],
)
def test_a_mention_is_no_choice(text: str) -> None:
    """A letter that is mentioned, or one of several, is never taken for the model's choice."""
    assert declared_letter(text, LETTERS) is None


def test_only_letters_of_the_question_are_read() -> None:
    """A letter that the question does not offer is no choice, and without options there is none."""
    assert declared_letter("Answer: D", "ABC") is None
    assert declared_letter("Answer: B", ()) is None


def test_where_the_declaration_stands() -> None:
    """A viewer can mark the letter, and the words that declare it."""
    text = "The eGFR is 25. The correct answer is (B)."
    found = find_letter(text, LETTERS)
    assert found is not None
    assert text[slice(*found.span)] == "B"
    assert text[slice(*found.statement)] == "answer is (B)"


WRITTEN = st.lists(
    st.sampled_from(
        ["A", "B", "b", "Answer", "answer is ", ": ", "option ", "(", ")", "**", "\n", " ", ".", "</think>",
         "<think>", "\\boxed{", "}", " or ", " is correct", "I choose ", '"', "because"]
    ) | st.text(max_size=6),
    max_size=20,
).map("".join)  # fmt: skip


@given(WRITTEN, st.sets(st.sampled_from("ABCDEFGHIJ"), max_size=6))
def test_no_answer_breaks_the_reading_of_letters(text: str, letters: set[str]) -> None:
    """Any text is read; what is found is a letter of the question, and its span cuts it out."""
    found = find_letter(text, letters)
    if found is not None:
        assert found.letter in letters
        assert text[slice(*found.span)].upper() == found.letter
        assert found.statement.start <= found.span.start < found.span.end <= found.statement.end
