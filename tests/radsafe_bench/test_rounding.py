"""The same answers print the same report, wherever they were summed."""

from radsafe_bench.rounding import rounded


def test_the_last_digits_of_a_sum_make_no_other_report() -> None:
    """Floats are rounded wherever they stand; whole numbers, text and what is missing stay."""
    before = {"rows": [{"ece": 0.1 + 0.2, "n": 3, "ci95": (0.1, None)}], "name": "0.30000000000000004"}
    after = {"rows": [{"ece": 0.3, "n": 3, "ci95": (0.1 + 1e-17, None)}], "name": "0.30000000000000004"}
    assert rounded(before, 12) == rounded(after, 12)
    assert rounded(before, 12)["rows"][0] == {"ece": 0.3, "n": 3, "ci95": [0.1, None]}
