"""The slots check as a clinician meets it: one flipped fact is caught, the fact in other words is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.assessment import MAX_CLAIMS, Finding, Subject, Verdict
from gatekeeper.checks import Slots
from gatekeeper.errors import InvalidRequest
from tests.cases import subject

METFORMIN = "Metformin is withheld for 48 hours after contrast."


async def judged(said: Subject) -> list[Finding]:
    """Return the findings, which must be one per claim, in order, with places that exist."""
    found = [finding for finding in await Slots()(said) if finding.detector != "slots.characters"]
    texts = {document.id: document.text for document in said.case.evidence.documents}
    statements = {(one.document, one.span) for one in said.case.evidence.statements}
    assert [finding.claim for finding in found] == list(range(len(said.claims)))
    for finding, claim in zip(found, said.claims, strict=True):
        assert finding.check == "slots"
        assert finding.span is not None
        assert claim.span.start <= finding.span.start < finding.span.end <= claim.span.end
        assert isinstance(finding.value, float)
        assert 0.0 <= finding.value <= 1.0
        if finding.evidence is not None:
            assert (finding.evidence.document, finding.evidence.span) in statements
            assert texts[finding.evidence.document][slice(*finding.evidence.span)]
    return found


async def verdict(evidence: str, answer: str, question: str = "What is known?") -> str:
    """Return the verdict of the first claim, with the slot that decided a contradiction."""
    first = (await judged(subject(answer, question, evidence)))[0]
    return first.detector if first.verdict is Verdict.CONTRADICTED else str(first.verdict)


AGREEING = [
    (METFORMIN, METFORMIN),
    (METFORMIN, "After contrast, metformin is withheld for 2 days."),
    (METFORMIN, "Metformin should be withheld for 48 h after contrast."),
    ("A solid nodule of 15 mm needs a biopsy.", "A solid nodule of 1.5 cm needs a biopsy."),
    ("The mass lies in the left kidney.", "There is a mass in the left kidney."),
    ("MRI is contraindicated with this pacemaker.", "With this pacemaker, MRI is contraindicated."),
    ("BI-RADS 4A lesions need a biopsy.", "A biopsy is needed for BI-RADS 4A lesions."),
]
FLIPPED = [
    (METFORMIN, "Metformin is withheld for 24 hours after contrast.", "slots.number"),
    ("The mass lies in the left kidney.", "The mass lies in the right kidney.", "slots.laterality"),
    (
        "Metformin is withheld when the eGFR is < 30 mL/min.",
        "Metformin is withheld when the eGFR is ≥ 30 mL/min.",
        "slots.comparator",
    ),
    ("The lesion in the breast is BI-RADS 4A.", "The lesion in the breast is BI-RADS 4B.", "slots.category"),
    (
        "Withhold metformin before contrast in acute kidney injury.",
        "Continue metformin before contrast in acute kidney injury.",
        "slots.polarity",
    ),
    (
        "MRI is contraindicated in patients with this pacemaker.",
        "MRI is not contraindicated in patients with this pacemaker.",
        "slots.polarity",
    ),
    (
        "Anaphylaxis is treated first with intramuscular epinephrine.",
        "Anaphylaxis is treated first with intramuscular diphenhydramine.",
        "slots.agent",
    ),
]


@pytest.mark.parametrize(("evidence", "answer"), AGREEING)
async def test_the_same_fact_is_supported(evidence: str, answer: str) -> None:
    """A paraphrase, another order or another unit is no mistake."""
    assert await verdict(evidence, answer) == "supported"


@pytest.mark.parametrize(("evidence", "answer", "detector"), FLIPPED)
async def test_one_flipped_fact_is_contradicted(evidence: str, answer: str, detector: str) -> None:
    """One wrong number, side, comparator, category, negation or drug is named by its slot."""
    assert await verdict(evidence, answer) == detector


@pytest.mark.parametrize(("evidence", "answer", "detector"), FLIPPED)
async def test_the_deciding_sentence_is_shown(evidence: str, answer: str, detector: str) -> None:
    """The reader is led to the one sentence of the evidence that decided, not to the whole document."""
    text = f"Ask for allergies first. {evidence} Report within one hour."
    said = subject(answer, "What is known?", text)
    (finding,) = await judged(said)
    assert finding.evidence is not None
    assert text[slice(*finding.evidence.span)] == evidence


@pytest.mark.parametrize("hedge", ["Probably, ", "It seems that ", "I think that ", "It is likely that "])
@pytest.mark.parametrize(("evidence", "answer"), AGREEING)
async def test_a_hedged_restatement_is_never_contradicted(evidence: str, answer: str, hedge: str) -> None:
    """Doubt is for the hedging check; it does not turn a true statement into a contradiction."""
    assert not (await verdict(evidence, hedge + answer)).startswith("slots")


@pytest.mark.parametrize("answer", ["Give the patient some water.", "Ultrasound uses no radiation.", "…"])
async def test_what_the_evidence_does_not_speak_of_is_not_addressed(answer: str) -> None:
    """Silence of the evidence is neither support nor contradiction."""
    found = await judged(subject(answer, "What is known?", METFORMIN))
    assert [(finding.verdict, finding.evidence) for finding in found] in (
        [(Verdict.NOT_ADDRESSED, None)],
        [],
    )


async def test_every_claim_gets_its_own_finding() -> None:
    """One wrong sentence between two right ones is the one that is marked."""
    wrong = METFORMIN.replace("48", "24")
    found = await judged(subject(f"{METFORMIN} {wrong} {METFORMIN}", "How long?", METFORMIN))
    assert [finding.verdict for finding in found] == [
        Verdict.SUPPORTED,
        Verdict.CONTRADICTED,
        Verdict.SUPPORTED,
    ]


OPTIONS = "Which is right?\nA. Metformin is withheld for 24 hours\nB. Metformin is withheld for 48 hours"


@pytest.mark.parametrize(("letter", "expected"), [("A", Verdict.CONTRADICTED), ("B", Verdict.SUPPORTED)])
async def test_a_letter_is_judged_by_its_option(letter: str, expected: Verdict) -> None:
    """A bare letter is caught like the sentence that it stands for, and the letter is marked."""
    said = subject(f"Answer: {letter}", OPTIONS, METFORMIN)
    (finding,) = await judged(said)
    assert finding.verdict is expected
    assert finding.span == said.claims[0].span


@pytest.mark.parametrize(("letter", "expected"), [("A", Verdict.SUPPORTED), ("B", Verdict.CONTRADICTED)])
async def test_a_negated_stem_turns_the_options_round(letter: str, expected: Verdict) -> None:
    """Under NOT, the option that the evidence contradicts is the right one to choose."""
    said = subject(f"Answer: {letter}", OPTIONS.replace("right", "NOT right"), METFORMIN)
    assert said.claims[0].denied
    (finding,) = await judged(said)
    assert finding.verdict is expected


async def test_denying_what_the_evidence_supports_contradicts_it() -> None:
    """Saying "no" to what the guideline says is caught, and "yes" is not."""
    question = "Is metformin withheld for 48 hours after contrast?"
    assert await verdict(METFORMIN, "Yes.", question) == "supported"
    assert await verdict(METFORMIN, "No.", question) == "slots.polarity"


async def test_denying_what_the_evidence_contradicts_is_supported() -> None:
    """Saying "no" to a flipped number is right."""
    question = "Is metformin withheld for 24 hours after contrast?"
    assert await verdict(METFORMIN, "No.", question) == "supported"
    assert await verdict(METFORMIN, "Yes.", question) == "slots.number"


WORDS = ["Metformin is ", "not ", "withheld", "continued", " for ", "48 hours", "2 days", "24 h", ". ",
         "eGFR < 30", "≥ 45", " - ", "\n", "| ", "|---|", "BI-RADS 4A", "1.5 cm"]  # fmt: skip
TEXT = st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=16).map("".join)


@given(TEXT, TEXT)
async def test_any_answer_is_judged_beside_any_evidence(evidence: str, answer: str) -> None:
    """Whatever is written, every claim has one finding whose marks lie in the answer and the evidence."""
    await judged(subject(answer, OPTIONS, evidence))


@given(st.integers(1, 30), st.sampled_from([-0.5, -0.25, 0.0, 0.25, 0.5, 1.0]))
async def test_two_durations_agree_exactly_when_they_are_equal(days: int, off: float) -> None:
    """Days and hours are compared as durations, whatever the numbers."""
    stated = f"Metformin is withheld for {days} days after contrast."
    said = f"Metformin is withheld for {24 * days * (1 + off):g} hours after contrast."
    assert await verdict(stated, said) in ({"slots.number", "slots.unit"} if off else {"supported"})


async def test_what_was_not_read_is_not_vouched_for() -> None:
    """A long answer whose last sentence is wrong is not delivered on the strength of its beginning."""
    wrong = "- Metformin is withheld for 24 hours after contrast."
    said = subject("\n".join([f"- {METFORMIN}"] * 2 * MAX_CLAIMS + [wrong]), "What is known?", METFORMIN)

    found = list(await Slots()(said))

    assert [one.detector for one in found if one.verdict is Verdict.UNAVAILABLE] == ["slots.claims"]


@pytest.mark.parametrize(
    "values",
    [
        "aspirin {0} mg, warfarin {0} mg and ",
        "give aspirin {0} mg or ",
        "if eGFR < {0} give {0} mg; ",
        "{0} mg ",
    ],
)
async def test_an_answer_full_of_values_ends_in_no_endless_comparison(values: str) -> None:
    """A model that writes walls of numbers makes the check unavailable; it does not stop the process."""
    wall = "\n".join("Aspirin: " + "".join(values.format(n + i) for i in range(90)) + "." for n in range(400))
    said = subject(wall, "What is known?", "Give aspirin 5 mg or 6 mg, warfarin 3 mg if eGFR < 30.")

    with pytest.raises(InvalidRequest):
        await Slots()(said)


@pytest.mark.parametrize("digits", ["２４", "٢٤", "𝟐𝟒", "२४", "2４"])
async def test_other_digits_are_digits(digits: str) -> None:
    """A number in full-width or other digits is no number left out, in the answer or in the evidence."""
    wrong = METFORMIN.replace("48", digits)

    assert await verdict(METFORMIN, wrong) == "slots.number"
    assert await verdict(wrong, METFORMIN) == "slots.number"
    assert await verdict(wrong, METFORMIN.replace("48", "24")) == Verdict.SUPPORTED


async def test_full_width_letters_are_letters() -> None:
    """A unit or a word in full-width letters is read, and its place in the answer found."""
    assert await verdict(METFORMIN, METFORMIN.replace("48 hours", "４８ ｄａｙｓ")) == "slots.unit"


@pytest.mark.parametrize(
    "hidden",
    [
        "is n\u200bot withheld",
        "is n\u00adot withheld",
        "is nоt withheld",
        "is \u202eton\u202c withheld",
        "is withheld for ⑨ days",
    ],
)
async def test_what_a_reader_sees_otherwise_is_not_vouched_for(hidden: str) -> None:
    """Words with unseen or look-alike characters are not taken for the words without them."""
    said = subject(METFORMIN.replace("is withheld", hidden), "What is known?", METFORMIN)

    found = [one.detector for one in await Slots()(said) if one.verdict is Verdict.UNAVAILABLE]

    assert found == ["slots.characters"]


async def test_ordinary_signs_hide_nothing() -> None:
    """Greek letters, raised digits, dashes, emoji and quotation marks are ordinary writing."""
    text = "\ufeff“β-blockers”: 60–80 mL/min/1.73\u00a0m² – TNFα 10\u2009µg ✅\ufe0f 10⁹/L."

    assert Verdict.UNAVAILABLE not in [
        one.verdict for one in await Slots()(subject(text, "What?", METFORMIN))
    ]
