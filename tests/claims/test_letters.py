import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.claims import declared_letter
from gatekeeper.claims.letters import find_letter

LETTERS = "ABCDE"


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        (" B\n", "B"),
        ("(B)", "B"),
        ("B.", "B"),
        ("A) CT at 3 months", "A"),
        ("B. CT at 3 months", "B"),
        ("B: CT at 3 months", "B"),
        ("B - CT at 3 months", "B"),
        ("**B. CT at 3 months**", "B"),
        ("**(C)**", "C"),
        ("Option D", "D"),
        ("Answer: B", "B"),
        ("Answer:\nB", "B"),
        ("**Answer:** B", "B"),
        ("**Answer: B**", "B"),
        ("answer: b", "B"),
        ("Final answer: E", "E"),
        ("The answer is **(C)**.", "C"),
        ("The answer is A: CT", "A"),
        ("The best answer is option D, CT.", "D"),
        ("The correct answer is B because it is intramuscular.", "B"),
        ("Correct answer: A because it is first.", "A"),
        ("B, because it is first-line.", "B"),
        ("B because it is first-line.", "B"),
        ("I would choose B.", "B"),
        ("Option B is correct.", "B"),
        ("Option A is incorrect. Option C is correct.", "C"),
        ("C is the best choice.", "C"),
        ('{"answer": "B"}', "B"),
        (r"Therefore \boxed{D}", "D"),
        ("Let me think about it.\n\nB", "B"),
        ("<think>A or C?</think>B", "B"),
        ("The answer is B. On reflection, the answer is C.", "C"),
        ("The answer is B\n\nExplanation: A CT is needed.", "B"),
    ],
)
def test_declared_letters_are_understood(text: str, letter: str) -> None:
    """However a model puts it, the letter that it declares is read."""
    assert declared_letter(text, LETTERS) == letter


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A CT at 3 months",
        "The answer is a CT scan.",
        "The answer is A CT scan",
        "The answer is not B",
        "Answer: A or B",
        "The answer is B or C.",
        "The answer is B, or possibly C.",
        "Answer: B, and also C",
        "Answer: B? or C?",
        "Answer: B - or C",
        "Answer: B; C",
        "Answer: B | C",
        "Answer: **B** vs. **C**",
        "A and B",
        "A, B",
        "(A), (B)",
        "**A**, **C**",
        "A is incorrect.",
        "A. CT\nB. MRI\nC. Ultrasound",
        "F",
        "As an AI model I cannot say.",
        "Hepatitis B is a virus.",
        "Vitamin D is best taken daily.",
        "I cannot decide.",
    ],
)
def test_a_letter_that_is_not_declared_is_none(text: str) -> None:
    """An article, a mention, a list or a choice of two is no answer."""
    assert declared_letter(text, LETTERS) is None


@pytest.mark.parametrize(
    "text",
    [
        "The answer is B, and C is wrong.",
        "The answer is B; C is wrong.",
        "The answer is B; A CT comes later.",
        "Answer: B - surgery",
        "The answer is B. A and C are wrong.",
    ],
)
def test_a_letter_that_is_spoken_of_after_the_answer_is_no_second_answer(text: str) -> None:
    """A reason that names another option leaves the choice as it is."""
    assert declared_letter(text, LETTERS) == "B"


def test_only_the_questions_letters_count() -> None:
    """A letter that the question does not have is no answer."""
    assert declared_letter("E", "ABCD") is None
    assert declared_letter("B", "") is None


@given(st.text(max_size=200), st.sampled_from(["ABCD", "ABCDE", "AB"]))
def test_a_declared_letter_stands_where_it_is_said_to(text: str, letters: str) -> None:
    """The span of a declared letter leads back to that letter."""
    found = find_letter(text, letters)

    assert found is None or text[slice(*found.span)].upper() == found.letter
    assert found is None or found.statement.start <= found.span.start < found.span.end <= found.statement.end


@given(
    letter=st.sampled_from(LETTERS),
    frame=st.sampled_from(
        ["{}", "({})", "**{}**", "Answer: {}", "The answer is {}.", "{}. Some text.", "Option {}"]
    ),
)
def test_every_letter_is_read_in_every_common_frame(letter: str, frame: str) -> None:
    """No letter, A included, is lost in the ways that models usually answer."""
    assert declared_letter(frame.format(letter), LETTERS) == letter


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("I would not choose B. Option C is correct.", "C"),
        ("One might pick A, but option C is correct.", "C"),
        ("I don't select D. The answer is B.", "B"),
        ("I would choose B.", "B"),
    ],
)
def test_a_rejected_option_is_no_choice(text: str, letter: str) -> None:
    """An option that the answer turns down is never taken for its choice."""
    assert declared_letter(text, "ABCD") == letter
