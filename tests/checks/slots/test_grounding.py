"""Values and agents that nothing supplied names are told apart from what the evidence is silent on."""

import pytest

from gatekeeper.assessment import Verdict
from gatekeeper.checks.slots import compare
from gatekeeper.checks.slots.grounding import Grounds
from gatekeeper.checks.slots.reading import read_question
from tests.checks.slots.pairs import statements

EVIDENCE = statements(
    "Give cefazolin 2 g IV within 60 minutes before the puncture, and 15 % less after 12 weeks.",
    "Low-molecular-weight heparin is restarted after two days.",
)
ASKED = read_question("Which antibiotic before PTC in a man with an INR of 1.9 on apixaban 5 mg?")


def _kind(claim: str) -> str:
    return compare(claim, "", EVIDENCE, asked=ASKED, grounds=Grounds(EVIDENCE, ASKED)).kind


@pytest.mark.parametrize(
    "claim",
    [
        "Rinse the catheter with 20 mL of saline.",
        "Lie flat for 4 hours.",
        "Fentanyl may be added.",
        "Do so every 6 h.",
    ],
)
def test_what_nothing_names_is_told(claim: str) -> None:
    """A dose, a time or a drug of the model's own is shown, though nothing contradicts it."""
    found = compare(claim, "", EVIDENCE, asked=ASKED, grounds=Grounds(EVIDENCE, ASKED))
    assert (found.verdict, found.kind) == (Verdict.NOT_ADDRESSED, "ungrounded")
    assert found.span is not None


@pytest.mark.parametrize(
    "claim",
    [
        "The puncture may begin one hour after the dose.",
        "A bag holds 2,000 mg.",
        "Three months later the remaining 85 % are due.",
        "It is restarted after 48 h.",
        "Apixaban 5 mg is an anticoagulant.",
        "An INR of 1.9 is raised.",
        "The man may go home.",
    ],
)
def test_what_was_supplied_is_grounded(claim: str) -> None:
    """Other units, a remainder, and what the question itself names come from what was supplied."""
    assert _kind(claim) != "ungrounded"
