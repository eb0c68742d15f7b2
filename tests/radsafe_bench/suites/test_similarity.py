import pytest

from radsafe_bench.suites.similarity import most_similar


def test_a_reworded_stem_is_found_and_another_subject_is_not() -> None:
    """The same case in other words is more alike than another case with the same opening."""
    pairs = most_similar(
        {
            "first": "A 45-year-old woman has a thunderclap headache and normal CT at 9 hours. What next?",
            "reworded": "Nine hours after a thunder-clap headache a woman of 45 has a normal CT scan. Next?",
            "other": "A 45-year-old woman has a palpable breast lump with a negative mammogram. What next?",
        }
    )

    assert (pairs[0].first, pairs[0].second) == ("first", "reworded")
    assert pairs[0].similarity > pairs[1].similarity


def test_equal_texts_have_similarity_one() -> None:
    """A question handed in twice has the highest similarity there is."""
    pairs = most_similar({"a": "renal mass on CT", "b": "renal mass on CT", "c": "nothing shared"})

    assert pairs[0].similarity == pytest.approx(1.0)
    assert pairs[-1].similarity == pytest.approx(0.0, abs=0.05)
