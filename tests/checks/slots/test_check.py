import pytest

from gatekeeper.assessment import Finding, Verdict
from gatekeeper.checks import Slots
from tests.checks.subjects import answered, ask, run

NODULES = (
    "A single solid nodule of 6–8 mm is followed with CT at 6–12 months. "
    "A solid nodule larger than 8 mm calls for CT at 3 months, PET/CT or tissue sampling."
)
QUESTION = (
    "A patient has a single solid nodule of 7 mm. Which follow-up is appropriate?\n"
    "A. CT at 3 months\nB. CT at 6 to 12 months\nC. PET/CT at 1 month"
)


def _judge(answer: str, question: str = "", *evidence: str) -> list[Finding]:
    return run(Slots(), answered(ask(question, evidence), answer))


def test_a_flipped_number_is_shown_with_both_places() -> None:
    """A wrong interval is called a contradiction, with the words in the answer and the evidence sentence."""
    answer = "A single solid nodule of 6–8 mm is followed with CT at 2–3 months."
    (finding,) = _judge(answer, "", NODULES)

    assert (finding.verdict, finding.detector) == (Verdict.CONTRADICTED, "slots.interval")
    assert finding.span is not None
    assert answer[slice(*finding.span)] == "2–3 months"
    assert finding.evidence is not None
    assert NODULES[slice(*finding.evidence.span)].startswith("A single solid nodule")
    assert isinstance(finding.value, float)
    assert finding.value > 0.5


def test_every_claim_gets_one_finding_in_order() -> None:
    """Each sentence of an answer is judged by itself."""
    findings = _judge(f"{NODULES} Perifissural nodules are benign.", "", NODULES)

    assert [finding.claim for finding in findings] == [0, 1, 2]
    assert [finding.verdict for finding in findings] == [
        Verdict.SUPPORTED,
        Verdict.SUPPORTED,
        Verdict.NOT_ADDRESSED,
    ]


@pytest.mark.parametrize(
    ("letter", "verdict"),
    [("A", Verdict.CONTRADICTED), ("B", Verdict.SUPPORTED), ("C", Verdict.CONTRADICTED)],
)
def test_a_chosen_option_is_read_with_its_stem(letter: str, verdict: Verdict) -> None:
    """Choosing a letter claims what the option says of the patient in the stem."""
    (finding,) = _judge(f"Answer: {letter}", QUESTION, NODULES)

    assert finding.verdict is verdict


BREASTFEEDING = "Breastfeeding may continue after gadolinium. Metformin must be withheld after contrast."


@pytest.mark.parametrize(
    ("option", "verdict"),
    [("B", Verdict.SUPPORTED), ("A", Verdict.CONTRADICTED)],
)
def test_a_negated_stem_turns_the_verdict_round(option: str, verdict: Verdict) -> None:
    """The right answer to "which is NOT allowed" is the option that the evidence speaks against."""
    question = (
        "Which of the following may NOT be continued?\n"
        "A. Breastfeeding after gadolinium\nB. Metformin after contrast"
    )
    (finding,) = _judge(option, question, BREASTFEEDING)

    assert finding.verdict is verdict


def test_yes_and_no_are_claims() -> None:
    """A bare "No" to a question that the evidence affirms is a contradiction."""
    question = "Is barium contraindicated when perforation is suspected?"
    evidence = "Barium is contraindicated when perforation is suspected."

    assert _judge("Yes.", question, evidence)[0].verdict is Verdict.SUPPORTED
    assert _judge("No.", question, evidence)[0].verdict is Verdict.CONTRADICTED


def test_without_evidence_nothing_is_addressed() -> None:
    """Silence of the evidence is never support."""
    (finding,) = _judge("Give epinephrine 0.3 mg.")

    assert (finding.verdict, finding.evidence) == (Verdict.NOT_ADDRESSED, None)


def test_rows_of_a_table_are_read_with_their_heads() -> None:
    """A dose that stands in another row of the evidence's table is caught."""
    table = "| eGFR | Prophylaxis |\n|---|---|\n| ≥ 45 | none |\n| < 30 | intravenous saline |"
    (finding,) = _judge(
        "Patients with an eGFR of 45 or more receive intravenous saline prophylaxis.", "", table
    )

    assert finding.verdict is Verdict.CONTRADICTED
