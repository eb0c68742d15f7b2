"""Word overlap finds the sentence that speaks of the question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.backends.retrieval import Overlap, softmax
from gatekeeper.exchange import Option

TEXT = (
    "Metformin is withheld at eGFR below 30. Kidney function is checked at 48 h."
    " Shellfish allergy does not matter."
)


def test_the_sentence_in_question_scores_best() -> None:
    """A question's rare words find their sentence."""
    overlap = Overlap([TEXT])
    scores = overlap.of_question("Does a shellfish allergy matter before contrast?")
    assert overlap.sentences[scores.index(max(scores))] == "Shellfish allergy does not matter."


def test_common_words_weigh_less() -> None:
    """A word that every sentence holds does not decide."""
    overlap = Overlap(["Contrast is given. Contrast is warmed. Contrast causes nausea."])
    given_, warmed, nausea = overlap.of_question("contrast nausea")
    assert given_ == warmed < nausea


def test_numbers_count_as_words() -> None:
    """Options that differ in a number alone are told apart."""
    options = (Option("A", "eGFR below 45"), Option("B", "eGFR below 30"))
    first, second = Overlap([TEXT]).of_options("When is metformin withheld?", options)
    assert first < second


def test_an_option_in_the_stems_sentence_beats_one_elsewhere() -> None:
    """Words found beside those of the question count more than words found anywhere."""
    options = (Option("A", "eGFR"), Option("B", "48 h"))
    scores = Overlap([TEXT]).of_options("When is metformin withheld?", options)
    assert scores[0] > scores[1]


def test_no_evidence_scores_nothing() -> None:
    """Without sentences there is nothing to find."""
    overlap = Overlap([])
    assert overlap.of_question("Which side?") == []
    assert overlap.of_options("Which side?", (Option("A", "left"),)) == [0.0]


@given(st.lists(st.text(max_size=60), max_size=4), st.text(max_size=40))
def test_scores_are_shares(texts: list[str], question: str) -> None:
    """Whatever the texts, a score is a share between 0 and 1."""
    overlap = Overlap(texts)
    scores = [*overlap.of_question(question), *overlap.of_options(question, (Option("A", question),))]
    assert all(0.0 <= score <= 1.0 + 1e-9 for score in scores)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6), st.floats(0.1, 1000.0))
def test_softmax_is_a_distribution(scores: list[float], sharpness: float) -> None:
    """Probabilities sum to one and keep the order of the scores."""
    probabilities = softmax(scores, sharpness)
    assert sum(probabilities) == pytest.approx(1.0)
    assert probabilities[scores.index(max(scores))] == max(probabilities)
