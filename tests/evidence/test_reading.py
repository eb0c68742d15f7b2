import pytest

from gatekeeper.exchange import EvidenceState
from tests.evidence.conversations import read

QUESTION = ("user", "Which dose?")
WITHHOLD = "Metformin is withheld for 48 hours after contrast when the eGFR is below 30."


def test_no_evidence_is_a_state_of_its_own() -> None:
    """A question without evidence is told from one whose evidence is silent."""
    evidence = read(QUESTION)

    assert (evidence.state, evidence.documents) == (EvidenceState.NONE, ())


def test_supplied_evidence_is_read_into_statements_that_slice_to_their_text() -> None:
    """Each statement can be shown in its document."""
    text = f"## Metformin\n{WITHHOLD} It is restarted after 48 hours.\n- Check eGFR first."
    evidence = read(QUESTION, evidence=[text])

    assert evidence.state is EvidenceState.SUPPLIED
    assert [text[slice(*one.span)] for one in evidence.statements] == [
        one.text for one in evidence.statements
    ]
    assert len(evidence.statements) == 3
    assert evidence.extractors == ("evidence_field",)


@pytest.mark.parametrize(
    ("expires", "state"),
    [("2025-12-31", EvidenceState.EXPIRED), ("2026-01-01", EvidenceState.SUPPLIED)],
)
def test_evidence_is_valid_through_its_last_day(expires: str, state: EvidenceState) -> None:
    """A guideline counts on the day that it expires, and no longer."""
    assert read(QUESTION, evidence=[{"text": WITHHOLD, "expires": expires}]).state is state


def test_expired_documents_beside_current_ones_are_not_read() -> None:
    """An old edition neither supports nor contradicts anything while a current one is there."""
    old = {"id": "old", "text": "Metformin is withheld for 24 hours.", "expires": "2020-01-01"}
    evidence = read(QUESTION, evidence=[old, {"id": "new", "text": WITHHOLD}])

    assert evidence.state is EvidenceState.SUPPLIED
    assert {one.document for one in evidence.statements} == {"new"}


def test_expired_evidence_alone_is_still_read() -> None:
    """An answer against the only, outdated evidence is still seen to be against it."""
    evidence = read(QUESTION, evidence=[{"text": WITHHOLD, "expires": "2020-01-01"}])

    assert len(evidence.statements) == 1


def test_conflict_is_named_before_expiry() -> None:
    """Of two states the one that needs more care is named."""
    other = WITHHOLD.replace("48", "24")
    both = [{"text": WITHHOLD, "expires": "2020-01-01"}, {"text": other, "expires": "2020-01-01"}]

    assert read(QUESTION, evidence=both).state is EvidenceState.CONFLICTING
