from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.assessment import Verdict
from gatekeeper.checks.slots import compare
from gatekeeper.checks.slots.clause import Clause
from gatekeeper.checks.slots.critical import critical_spans
from gatekeeper.checks.slots.reading import read
from tests.checks.slots.pairs import statements


def _clause(text: str) -> Clause:
    (clause,) = read(text).clauses
    return clause


@pytest.mark.parametrize(
    ("text", "scale", "values"),
    [
        ("a BI-RADS 4A lesion", "bi-rads", {"4a"}),
        ("BI-RADS category 5", "bi-rads", {"5"}),
        ("an LR-5 observation", "li-rads", {"5"}),
        ("TR4 nodules", "ti-rads", {"4"}),
        ("Bosniak IIF", "bosniak", {"2f"}),
        ("CKD stage 4 or 5", "ckd", {"4", "5"}),
        ("stage 4 or 5 chronic kidney disease", "ckd", {"4", "5"}),
        ("CKD G3a", "ckd", {"3a"}),
        ("PI-RADS 3–5", "pi-rads", {"3", "4", "5"}),
        ("second- or third-degree AV block", "degree", {"2", "3"}),
        ("group II agents", "group", {"2"}),
        ("Stanford type A", "stanford", {"a"}),
        ("Zone IV", "zone", {"4"}),
    ],
)
def test_categories_are_read(text: str, scale: str, values: set[str]) -> None:
    """Reporting scales, stages and zones are read however they are spelled."""
    (category,) = _clause(text).categories

    assert category.scale == scale
    assert set(category.values) == values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Metformin is contraindicated", "avoided"),
        ("Metformin should be withheld", "avoided"),
        ("Metformin must not be given", "avoided"),
        ("Avoid metformin", "avoided"),
        ("Metformin is recommended", "recommended"),
        ("Metformin need not be stopped", "allowed"),
        ("Metformin can be continued", "allowed"),
        ("Premedication is not required", "unnecessary"),
        ("There is no need for premedication", "unnecessary"),
        ("No follow-up", "unnecessary"),
        ("Premedication is required", "required"),
        ("Biopsy is not contraindicated", "allowed"),
    ],
)
def test_stances_are_read_through_negations(text: str, value: str) -> None:
    """What is asked for, allowed or forbidden is told apart, however often it is negated."""
    stance = _clause(text).stance

    assert stance is not None
    assert stance.value == value


def test_rows_of_a_sentence_are_clauses_of_their_own() -> None:
    """In "4A …, 4B …" stand two rows: the value of one is never read as the other's."""
    clauses = read("BI-RADS 4A is >2–10 %, 4B >10–50 %, and BI-RADS 5 is 95 % or more.").clauses

    assert [(min(c.categories[0].values), c.quantities[0].literal) for c in clauses] == [
        ("4a", (2.0, 10.0)),
        ("4b", (10.0, 50.0)),
        ("5", (95.0,)),
    ]


def test_rows_share_what_only_one_of_them_says() -> None:
    """The route and interval at the end of a list of drugs hold for each of them."""
    first, second = read(
        "methylprednisolone 40 mg or hydrocortisone 200 mg intravenously every 4 hours"
    ).clauses

    assert {agent.name for agent in first.agents} >= {"methylprednisolone", "intravenous"}
    assert [quantity.literal for quantity in second.quantities] == [(200.0,), (4.0,)]


@given(st.text(max_size=400))
def test_reading_never_fails(text: str) -> None:
    """Whatever a model writes, it can be read, and every span lies within it."""
    reading = read(text)

    for clause in reading.clauses:
        for slot in clause.values():
            start, end = reading.span((slot.first, slot.last))
            assert 0 <= start < end <= len(text)


def test_the_words_that_harm_turns_on_are_critical() -> None:
    """Doses, units, sides, negations and drugs are where a wrong token does harm."""
    text = "Give 0.3 mg of epinephrine in the left thigh, not intravenously; BI-RADS 4A."
    words = [text[slice(*span)] for span in critical_spans(text)]

    assert {"0.3", "mg", "epinephrine", "left", "not", "4", "A"} <= set(words)
    assert "thigh" not in words


@given(st.text(max_size=300))
def test_critical_spans_are_in_order(text: str) -> None:
    """Critical spans never overlap, so no token is counted twice."""
    spans = critical_spans(text)

    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


@pytest.mark.parametrize(
    "claim",
    [
        "Metformin is stopped for 24 hours, which helps to avoid lactic acidosis.",
        "Metformin is stopped for 24 hours in order to protect the patient from harm.",
        "Metformin is stopped for 24 hours because renal function may get worse.",
        "For a 70-year-old man with these findings, metformin is stopped for 24 hours.",
        "Given the clinical course so far, metformin is stopped for 24 hours.",
        "Metformin is stopped for 24 hours, unless clinical judgement suggests otherwise.",
    ],
)
def test_what_is_said_beside_the_point_hides_no_contradiction(claim: str) -> None:
    """A reason, a purpose or the case that an answer repeats leaves the wrong figure found."""
    found = compare(claim, "", statements("Metformin is stopped for 48 hours after iodinated contrast."))
    assert (found.verdict, found.kind) == (Verdict.CONTRADICTED, "number")


def test_a_reason_is_no_recommendation() -> None:
    """What a remark wants to avoid is not taken for what the claim advises against."""
    claim = "Isotonic saline is given before contrast, which helps to avoid kidney injury."
    found = compare(claim, "", statements("Isotonic saline is given before contrast in kidney disease."))
    assert found.verdict is not Verdict.CONTRADICTED


def test_a_reason_that_denies_is_not_vouched_for() -> None:
    """A claim whose reason turns the evidence round is not called supported."""
    claim = "Saline is given, because metformin is not continued after contrast."
    found = compare(claim, "", statements("Saline is given. Metformin is continued after contrast."))
    assert found.verdict is not Verdict.SUPPORTED
