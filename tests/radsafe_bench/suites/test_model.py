import pytest
from hypothesis import given
from hypothesis import strategies as st

from radsafe_bench.suites.model import Evidence, Option, Question, Reading, ReadingOutcome


def question(letters: str, correct: str) -> Question:
    return Question(
        id="q",
        subspecialty="neuro",
        question_type="safety",
        stem="Which?",
        negated=False,
        options=tuple(
            Option(letter, f"text {number}", letter == correct, False, False, False)
            for number, letter in enumerate(letters)
        ),
        evidence=Evidence(),
    )


def test_a_question_gives_its_options_by_letter() -> None:
    """A runner finds the option that a model named, and the correct one."""
    four = question("ABCD", "C")

    assert four.letters == ("A", "B", "C", "D")
    assert four.correct.letter == "C"
    assert [option.letter for option in four.wrong] == ["A", "B", "D"]
    assert four.option("B").text == "text 1"
    with pytest.raises(KeyError):
        four.option("E")


@given(st.text("ABCDEF", max_size=6), st.sampled_from("ABCDEF"))
def test_only_gapless_letters_with_one_correct_option_make_a_question(letters: str, correct: str) -> None:
    """No question with a missing, doubled or unknown letter ever reaches a model."""
    valid = letters in {"AB", "ABC", "ABCD", "ABCDE"} and correct in letters
    if valid:
        assert "".join(question(letters, correct).letters) == letters
    else:
        with pytest.raises(ValueError, match="option"):
            question(letters, correct)


def test_a_changed_question_needs_a_reason() -> None:
    """The review log never says that a question was changed without saying why."""
    with pytest.raises(ValueError, match="needs a reason"):
        Reading("b1-01", ReadingOutcome.CHANGED)
