import pytest

from gatekeeper.errors import InvalidRequest
from gatekeeper.evidence.conflicts import MAX_CONFLICTS
from gatekeeper.exchange import EvidenceState
from tests.checks.slots.pairs import DATA, read_pairs
from tests.evidence.conversations import read

TABLE = "| eGFR | Prophylaxis |\n|---|---|\n| ≥ 45 | none |\n| < 30 | saline |"
QUESTION = ("user", "Which dose?")
NODULE = "A single solid nodule of 6–8 mm in a low-risk patient is followed with CT at 6–12 months."


@pytest.mark.parametrize(
    ("other", "detector"),
    [
        (NODULE.replace("6–12 months", "3 months"), "slots.interval"),
        (NODULE.replace("6–12 months", "6–12 weeks"), "slots.unit"),
        (
            "An older edition states that a single solid nodule of 6–8 mm in a low-risk patient is followed"
            " with CT at 2–3 months.",
            "slots.interval",
        ),
    ],
)
def test_two_documents_that_disagree_in_one_slot_conflict(other: str, detector: str) -> None:
    """Evidence with two intervals for one nodule is caught before any answer is read."""
    evidence = read(QUESTION, evidence=[NODULE, other])

    assert evidence.state is EvidenceState.CONFLICTING
    assert [(one.detector, one.first.document, one.second.document) for one in evidence.conflicts] == [
        (detector, "evidence_field-1", "evidence_field-2")
    ]


@pytest.mark.parametrize(
    ("first", "second", "detector"),
    [
        (
            "Barium is contraindicated in suspected perforation of the bowel.",
            "Barium is safe in suspected perforation of the bowel.",
            "slots.polarity",
        ),
        (
            "In renal vein thrombosis the left side is affected more often.",
            "In renal vein thrombosis the right side is affected more often.",
            "slots.laterality",
        ),
        (
            "Anaphylaxis to contrast is treated first with intramuscular epinephrine.",
            "Anaphylaxis to contrast is treated first with intramuscular diphenhydramine.",
            "slots.agent",
        ),
    ],
)
def test_two_statements_of_one_document_can_conflict(first: str, second: str, detector: str) -> None:
    """A passage that contradicts itself is no better than two that contradict each other."""
    evidence = read(QUESTION, evidence=[f"{first} {second}"])

    assert [one.detector for one in evidence.conflicts] == [detector]


def test_rows_of_a_guideline_are_no_conflict() -> None:
    """Different values for different cases are what guidelines are made of."""
    rows = (
        "Solid nodules smaller than 6 mm in low-risk patients need no routine follow-up. "
        "Solid nodules larger than 8 mm call for CT at 3 months. "
        "Part-solid nodules of 6 mm or more are imaged at 3–6 months. "
        "The annual limit for workers is 50 mSv. The annual limit for the lens is 150 mSv."
    )

    assert read(QUESTION, evidence=[NODULE, rows]).conflicts == ()


def test_paraphrases_and_other_units_are_no_conflict() -> None:
    """Two sources that say the same in their own words agree."""
    other = "In a low-risk patient, a single solid 0.6–0.8 cm nodule is followed with CT at 6 to 12 months."

    assert read(QUESTION, evidence=[NODULE, other, NODULE]).conflicts == ()


def test_consistent_guidelines_never_conflict_even_together() -> None:
    """A hundred passages on neighbouring subjects stand beside each other without a false alarm."""
    texts = list(dict.fromkeys(pair.evidence for pair in read_pairs(DATA / "slots_first_half.jsonl")))

    assert [text for text in texts if read(QUESTION, evidence=[text]).conflicts] == []


def test_conflicts_are_bounded() -> None:
    """Evidence full of conflicts is conflicting; it is not listed without end."""
    statements = [f"The limit for radiation workers is {dose} mSv per year." for dose in range(1, 40)]

    assert len(read(QUESTION, evidence=statements).conflicts) == MAX_CONFLICTS


def test_rows_with_a_gap_between_their_bounds_do_not_conflict() -> None:
    """A table that leaves the middle range out is evidence to use, not to hold an answer for."""
    assert read(QUESTION, evidence=[TABLE]).state is EvidenceState.SUPPLIED


def test_a_pair_is_weighed_beside_the_evidence_of_its_own_request() -> None:
    """Two sentences that were compared before are judged anew under the headings of another request."""
    conflicting = [NODULE, NODULE.replace("6–12 months", "3 months")]
    alone = read(QUESTION, evidence=conflicting)
    among = read(QUESTION, evidence=[*conflicting, "Solid nodules differ from part-solid nodules."])
    again = read(QUESTION, evidence=conflicting)

    assert alone.conflicts == again.conflicts
    assert len(alone.conflicts) == len(among.conflicts) == 1


@pytest.mark.parametrize(
    "values", ["aspirin {0} mg, warfarin {0} mg and ", "or {0} mg ", "if eGFR < {0} give aspirin {0} mg; "]
)
def test_evidence_full_of_values_is_refused(values: str) -> None:
    """A few sentences packed with values do not keep the process comparing them for hours."""
    walls = ["Give aspirin " + "".join(values.format(n + i) for i in range(60)) for n in range(100)]

    with pytest.raises(InvalidRequest, match="more values"):
        read(QUESTION, evidence=walls)


def test_a_large_table_is_compared() -> None:
    """Three hundred rows of laboratory values are ordinary evidence."""
    rows = "\n".join(f"| Analyte {n} | {n} mg | {2 * n} mg | {n} days |" for n in range(1, 301))
    evidence = read(QUESTION, evidence=["| Test | Low | High | Repeat |\n|---|---|---|---|\n" + rows])

    assert len(evidence.statements) > 300


@pytest.mark.parametrize(
    "rows",
    [
        "TR3: biopsy if 2.5 cm or larger\nTR4: biopsy if 1.5 cm or larger",
        "Premenopausal: rescan at 2 months if over 5 cm\nPostmenopausal: rescan at 3 months if over 5 cm",
        "Severe allergy: give aztreonam 2 g. Non-severe allergy: give ceftazidime 2 g.",
        "Grade 4A – consider angiography\nGrade 4B – angiography is recommended",
        "Apixaban, high risk: omit 4 doses. Dabigatran, high risk: omit 6 doses.",
    ],
)
def test_rows_with_labels_of_their_own_do_not_conflict(rows: str) -> None:
    """A list of classes, groups or drugs says something else of each."""
    assert read(QUESTION, evidence=[rows]).state is EvidenceState.SUPPLIED


def test_labels_that_only_name_a_source_leave_a_conflict() -> None:
    """Two editions that disagree are found, although each row names its own."""
    rows = [
        f"Guideline {year}: biopsy of a TR4 nodule from {size} cm"
        for year, size in ((2015, 1.0), (2017, 1.5))
    ]
    assert read(QUESTION, evidence=rows).state is EvidenceState.CONFLICTING
