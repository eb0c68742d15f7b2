from dataclasses import replace

import pytest

from radsafe_bench.suites import baselines
from radsafe_bench.suites.model import CleanEvidence, Evidence, Option, Question


def question(*texts: str, stem: str = "Which?", clean: str = "", correct: int = 0) -> Question:
    return Question(
        id="q",
        subspecialty="neuro",
        question_type="safety",
        stem=stem,
        negated=False,
        options=tuple(
            Option("ABCDE"[place], text, place == correct, False, False, False)
            for place, text in enumerate(texts)
        ),
        evidence=Evidence(clean=CleanEvidence(clean) if clean else None),
    )


def test_overlap_is_the_share_of_content_words_found() -> None:
    """Function words do not count; numbers and comparison signs do."""
    context = frozenset(baselines.content_words("Hold metformin for 48 h if eGFR < 30"))

    assert baselines.overlap("metformin is held for 48 h", context) == pytest.approx(3 / 4)
    assert baselines.overlap("of the", context) == 0.0


def test_closed_book_reads_the_stem_alone() -> None:
    """Words of the evidence do not help a closed-book guess."""
    asked = question("give saline", "hold metformin", stem="Saline or what?", clean="hold metformin always")

    assert baselines.closed_book_overlap(asked) == {"A"}
    assert baselines.clean_evidence_overlap(asked) == {"B"}


def test_a_negated_stem_turns_the_guess_round() -> None:
    """The odd one out is the option that the evidence speaks of least."""
    asked = question("hold metformin", "give barium", stem="Which?", clean="hold metformin always")

    assert baselines.clean_evidence_overlap(asked) == {"A"}
    assert baselines.clean_evidence_overlap(replace(asked, negated=True)) == {"B"}


def test_ties_score_as_a_random_choice_among_them() -> None:
    """A baseline that cannot decide gets the expected share, not luck."""
    tied = question("one two", "one two", "three", stem="one two", correct=0)
    wrong = question("one", "two", stem="one", correct=1)

    assert baselines.accuracy([tied], baselines.closed_book_overlap) == pytest.approx(1 / 2)
    assert baselines.accuracy([tied, wrong], baselines.closed_book_overlap) == pytest.approx(1 / 4)
    assert baselines.accuracy([tied, wrong], baselines.chance) == pytest.approx((1 / 3 + 1 / 2) / 2)


def test_length_baselines_choose_by_characters() -> None:
    """Longest and shortest option are found by characters."""
    asked = question("a", "abc", "ab", "abc")

    assert baselines.longest_option(asked) == {"B", "D"}
    assert baselines.shortest_option(asked) == {"A"}
