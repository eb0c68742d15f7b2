from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.checks.slots.quantity import OTHER_CASE, Quantity, difference, states
from gatekeeper.checks.slots.reading import read

HOUR, DAY, MM = 3600.0, 86400.0, 1e-3


def _only(text: str) -> Quantity:
    (found,) = (quantity for clause in read(text).clauses for quantity in clause.quantities)
    return found


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("a nodule of 7 mm", 7 * MM, 7 * MM),
        ("a 7-mm nodule", 7 * MM, 7 * MM),
        ("a nodule of 6–8 mm", 6 * MM, 8 * MM),
        ("a nodule of 6-8 mm", 6 * MM, 8 * MM),
        ("a nodule of 6 mm-8 mm", 6 * MM, 8 * MM),
        ("a nodule of 6 to <8 mm", 6 * MM, 8 * MM),
        ("a nodule between 6 and 8 mm", 6 * MM, 8 * MM),
        ("a nodule of at least 6 mm", 6 * MM, inf),
        ("a nodule of 6 mm or more", 6 * MM, inf),
        ("a nodule ≥ 6 mm", 6 * MM, inf),
        ("a nodule >= 6 mm", 6 * MM, inf),
        ("a nodule larger than 8 mm", 8 * MM, inf),
        ("a nodule under 6 mm", -inf, 6 * MM),
        ("a nodule of no more than 6 mm", -inf, 6 * MM),
        ("a nodule of more than 6 mm and up to 8 mm", 6 * MM, 8 * MM),
        ("an attenuation of −10 HU", -10, -10),
        ("4,931 mL of blood", 4931e-6, 4931e-6),
        ("wait three days", 3 * DAY, 3 * DAY),
        ("wait for 48 h", 2 * DAY, 2 * DAY),
        ("repeat every year", 365.25 * DAY, 365.25 * DAY),
        ("repeat annually", 365.25 * DAY, 365.25 * DAY),
        ("within an hour", -inf, HOUR),
        ("an eGFR below 30", -inf, 30e-6 / 60),
        ("an eGFR of 30 mL/min/1.73 m² or higher", 30e-6 / 60, inf),
        ("1 in 1,000 patients", 0.1, 0.1),
        ("> 2–10 %", 2, 10),
        ("about 1 in 25 000 scans", 0.004, 0.004),
        ("a volume of 1 500 mL", 1.5e-3, 1.5e-3),
        ("platelets below 80 × 10⁹/L", -inf, 8e13),
        ("platelets below 80 x 10^9/L", -inf, 8e13),
        ("platelets below 80 000/µL", -inf, 8e13),
        ("glucagon (max. 1 mg)", -inf, 1e-6),
        ("a nodule at or above 6 mm", 6 * MM, inf),
        ("the ward round within 3 days at the latest", -inf, 3 * DAY),
        ("above the 6 mm cut-off", 6 * MM, inf),
        ("bleeding from a 6 mm polyp", 6 * MM, 6 * MM),
        ("half an hour after the meal", HOUR / 2, HOUR / 2),
        ("a quarter of an hour before the meal", HOUR / 4, HOUR / 4),
        ("twice daily", DAY / 2, DAY / 2),
        ("three times a week", 7 * DAY / 3, 7 * DAY / 3),
        ("at most four times a day", DAY / 4, inf),
        ("3 points or fewer", -inf, 3),
        ("four doses or more", 4, inf),
        ("Without AKI an eGFR of 42", 42e-6 / 60, 42e-6 / 60),
        ("from 9+0 to 13+6 weeks", 63 * DAY, 97 * DAY),
        ("at 8 weeks 6 days", 62 * DAY, 62 * DAY),
        ("q8h", 8 * HOUR, 8 * HOUR),
        ("grows by 2 mm in a year", 2 * MM / (365.25 * DAY), 2 * MM / (365.25 * DAY)),
    ],
)
def test_values_bounds_and_intervals_are_read(text: str, low: float, high: float) -> None:
    """However a guideline writes a value or a bound, the interval that it means is read."""
    quantity = _only(text)

    assert quantity.low == pytest.approx(low)
    assert quantity.high == pytest.approx(high)


@pytest.mark.parametrize(
    "text",
    [
        "the 2017 edition",
        "see Figure 2",
        "as shown [3]",
        "one should wait",
        "the 3rd branch",
        "a CURB-65 score",
        "4: CT",
        "a five-point scale",
    ],
)
def test_numbers_that_number_something_are_no_values(text: str) -> None:
    """An edition's year, a figure's number or a citation is never compared with a dose."""
    assert not [quantity for clause in read(text).clauses for quantity in clause.quantities]


@pytest.mark.parametrize(
    ("claim", "statement", "expected"),
    [
        ("48 h", "2 days", None),
        ("1.5 cm", "15 mm", None),
        ("12 weeks", "3 months", None),
        ("5 rem", "50 mSv", None),
        ("0.3 mg", "300 µg", None),
        ("about 22 %", "20 %", None),
        ("7 mm", "6–8 mm", None),
        ("at least 70 %", "70 % or more", None),
        ("the threshold is 230 cm/s", "230 cm/s or more", None),
        ("24 h", "48 h", "number"),
        ("9 mm", "6–8 mm", "number"),
        ("a cut-off of 180 cm/s", "230 cm/s or more", "number"),
        ("50 µSv", "50 mSv", "unit"),
        ("6–12 weeks", "6–12 months", "unit"),
        ("less than 30 mm", "30 mm or more", "comparator"),
        ("6–10 mm", "6–8 mm", "interval"),
        ("above 8 mm", "6–8 mm", OTHER_CASE),
        ("no more than 3 %", "2 %", ""),
    ],
)
def test_differences_are_named(claim: str, statement: str, expected: str | None) -> None:
    """Equal values in other units agree; a difference is called by the slot that differs."""
    assert difference(_only(claim), _only(statement)) == expected


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("patients older than 35 years", "age"),
        ("a 40-year-old man", "age"),
        ("13 hours before contrast", "before"),
        ("48 hours after contrast", "after"),
        ("every 2 years", "every"),
        ("for 2 years", ""),
    ],
)
def test_times_say_what_they_mean(text: str, relation: str) -> None:
    """An age is not compared with a waiting time, nor a time before with one after."""
    assert _only(text).relation == relation


@pytest.mark.parametrize(("written", "hours"), [("od", 24), ("bd", 12), ("tds", 8), ("qds", 6)])
def test_letters_beside_a_dose_say_how_often_it_is_given(written: str, hours: int) -> None:
    """A drug chart's "5 mg bd" is compared with "every 12 h"; an eye or a duct of the same letters is not."""
    _, often = read(f"Apixaban 5 mg {written}").clauses[0].quantities

    assert (often.relation, often.low) == ("every", hours * HOUR)
    assert not read(f"The {written} is clear.").clauses[0].quantities


def test_what_is_counted_after_a_measure_is_no_measure() -> None:
    """The four doses of "CrCl ≥50 mL/min four doses" are no clearance; a threshold in brackets is one."""
    clearance, doses = read("With CrCl ≥50 mL/min four doses are left out").clauses[0].quantities
    assert (clearance.unit.measure, doses.unit.measure) == ("volume/time", "count of dose")

    assert (doses.low, doses.high) == (4, 4)

    given, threshold = read("With an eGFR of 27 (<30) it is stopped").clauses[0].quantities
    assert given.unit == threshold.unit


def test_a_range_does_not_state_what_merely_lies_in_it() -> None:
    """That insulin stops up to 4 h before a scan does not say that anybody rests for 60 min."""
    assert states(_only("rest for 60 min"), _only("rest for 1 h"))
    assert not states(_only("rest for 60 min"), _only("no later than 4 h"))


def test_both_figures_of_a_blood_pressure_are_bounds() -> None:
    """Below 140/90 bounds the diastolic pressure too."""
    pressures = read("Keep it below 140/90 mmHg.").clauses[0].quantities

    assert [pressure.literal for pressure in pressures] == [(140.0,), (90.0,)]
    assert [pressure.low for pressure in pressures] == [-inf, -inf]


def test_a_list_shares_its_unit() -> None:
    """The list "13, 7 and 1 h" holds three times, although only the last number carries the unit."""
    (clause,) = read("at 13, 7 and 1 h before contrast").clauses

    assert [quantity.low for quantity in clause.quantities] == [13 * HOUR, 7 * HOUR, HOUR]


values = st.integers(1, 999)


@given(value=values, unit=st.sampled_from(["mm", "mg", "mSv", "%", "days", "mL"]))
def test_a_value_agrees_with_itself(value: int, unit: str) -> None:
    """No value contradicts itself, whatever it is."""
    quantity = _only(f"of {value} {unit}")

    assert difference(quantity, quantity) is None


@given(low=values, width=values, unit=st.sampled_from(["mm", "mg", "%"]))
def test_a_value_within_an_interval_agrees(low: int, width: int, unit: str) -> None:
    """A patient's value that lies in a guideline's interval is no contradiction."""
    interval, value = _only(f"of {low}–{low + width} {unit}"), _only(f"of {low + width / 2} {unit}")

    assert difference(value, interval) is None
