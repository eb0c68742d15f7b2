import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.checks.nli.canonical import canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("recheck after 48 h", "recheck after two days"),
        ("a depth of 1.5 cm or more", "a depth of at least 15 mm"),
        ("0.5 mg intramuscularly", "500 micrograms intramuscularly"),
        ("not under 30 mL/min", "≥ 30 mL/min"),
        ("between 6 and 8 mm", "6–8 mm"),
        ("within half an hour", "within 30 minutes"),
        ("after a fortnight", "after 14 days"),
        ("reviewed in a year", "reviewed in 12 months"),
        ("more than 1,000 mL", "over 1 L"),
    ],
)
def test_equal_measures_get_one_form(one: str, other: str) -> None:
    """What a writer puts in other units or words reads the same to the model."""
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("recheck after 48 h", "recheck after 3 days"),
        ("at least 30", "at most 30"),
        ("0.5 mg", "0.5 g"),
        ("6–8 mm", "6–9 mm"),
        ("2 mSv per year", "2 mSv per day"),
        ("5 mg/kg", "5 mg"),
        ("28 days", "one month"),
    ],
)
def test_different_measures_stay_apart(one: str, other: str) -> None:
    """Nothing is made equal that is not."""
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    "text",
    [
        "the L4 root, BI-RADS 4A, a type II endoleak and Table 2",
        "a rate of 8 g per litre removed",
        "no measure at all",
        "once a week",
        "",
    ],
)
def test_what_is_no_convertible_measure_stays_as_written(text: str) -> None:
    """Levels, classes and rates are left to the model."""
    assert canonical(text) == text


@given(st.text(st.sampled_from("0123456789.,-–/%<≥ \nabchmoruygtwn()"), max_size=80))
def test_any_text_is_taken_and_its_form_is_stable(text: str) -> None:
    """No text breaks it, and reading a canonical text again does not go on changing it for ever."""
    once = canonical(text)

    assert canonical(canonical(canonical(once))) == canonical(canonical(canonical(canonical(once))))
