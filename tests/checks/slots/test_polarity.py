"""Stances and negations of whole sentences: what they reach, what they only suppose, whose they are."""

import pytest

from gatekeeper.assessment import Verdict
from gatekeeper.checks.slots import compare
from tests.checks.slots.pairs import statements

NAIL_BED = "Without a visible vein, do not cannulate; ask for ultrasound."
DRIP = "Then stop the potassium infusion and keep the cannula open with dextrose."
SHEATH = "Patients without a bleeding tendency need no closure device."
VALVE = "Implants of the newer kind are scanned without battery removal or arm splint."


@pytest.mark.parametrize(
    ("evidence", "claim"),
    [
        # "No" is part of a description, or denies what is asked for.
        (
            "A stress test should be arranged in men without chest pain.",
            "Men who have no chest pain start with a stress test.",
        ),
        ("Infants have one hearing test, and no further tests are needed.",
         "Nothing beyond the hearing test is needed for infants."),
        ("History alone without trauma needs no splint.", "Patients without trauma do not need a splint."),
        (VALVE, "For implants of the newer kind neither battery removal nor an arm splint is needed."),
        (VALVE, "Implants of the newer kind: no splint, no battery removal."),
        # Alternatives, and what is both affirmed and denied, are no denial.
        ("Medium – fever, one or neither of rash and arthritis.", "There is both rash and arthritis."),
        # What a condition or a time supposes is not said to hold.
        (NAIL_BED, "Before cannulating, look for a visible vein."),
        ("The due date is not changed by later scans.", "When to change the due date"),
        ("Use capnography continuously unless precluded by the mask.", "Capnography – continuous"),
        ("When lactate is not available, base excess below -6 is used.", "No lactate available: base excess"),
        # A word of leaving out that leaves nothing out.
        ("Keep the mean pressure below 90 mmHg.", "The mean pressure should be held below 90 mmHg."),
        ("Use a ceiling-suspended screen.", "A screen is used."),
        ("Warfarin does not have to be stopped.", "Warfarin may be continued."),
        # What holds for most, or is advised of a time alone, leaves room.
        (
            "Sedatives: a pause is not essential for most; 6 h for lorazepam is advised.",
            "Lorazepam – 6 h interruption",
        ),
        # Each of several actions has its own stance.
        (DRIP, "Keep the cannula open with dextrose."),
        ("Stop carbimazole 5 days before and, if needed, restart it 5 days after.",
         "Carbimazole may be restarted 5 days after."),
        # Turned twice, or turned by a word of its own.
        ("The heel should not be raised above knee height.", "Keep the heel below knee height."),
        ("Barium: no precaution needed.", "Nothing has to be done for barium either."),
        # A bare word, a heading or a choice between two says neither yes nor no.
        ("The splint needs no further imaging.", "Imaging"),
        ("Words such as \"shadow\" should be avoided in reports.", "Avoid"),
        ("Preterm babies: echocardiography within 2 weeks of birth.",
         "From 6 months on, use a film rather than echocardiography."),
        # An action that only names a time, what is taken up again, and "not until" beside "once".
        (
            "Ketamine must not be given to patients with porphyria or raised eye pressure.",
            "Before you give it, check for porphyria and raised eye pressure.",
        ),
        (
            "Edoxaban: withhold 2 doses, then 3 doses in renal failure.",
            "Edoxaban held for 2 doses, or 3 doses in renal failure, restarted after the puncture.",
        ),
        (
            "Do not sit up or turn the patient before a spinal fracture is excluded; use a slide board.",
            "Sitting up: avoid until a spinal fracture has been excluded.",
        ),
        (
            "Oral feeding is not allowed until a swallow test is passed.",
            "Once a swallow test is passed, oral feeding is allowed.",
        ),
        # A refusal of two things together leaves each alone; "no … and …" ends at "and".
        (
            "A splint is not recommended in addition to a plaster cast.",
            "For this fracture a splint or plaster cast is recommended.",
        ),
        ("No fever and adequate urine output: discharge.", "Discharge with adequate urine output, no fever."),
        # A condition denies nothing, nor does what only follows from another denial.
        (
            "Nimodipine 60 mg may be used as an alternative if clevidipine is unavailable.",
            "If no clevidipine is at hand: nimodipine 60 mg.",
        ),
        ("Stage IV: pleural nodules.", "No pleural nodules, so not stage IV."),
        ("Croup: oxygen; if worse, nebulised adrenaline.", "In mild croup there is no nebulised adrenaline."),
        # What is asked for in another case only, and what is refused of both.
        (
            "Lithium should be discontinued 24 hours before if the kidneys are scanned.",
            "For a wrist film, stopping lithium is unnecessary.",
        ),
        ("Sealing with barium is not recommended.", "No gadolinium for sealing."),
        ("Old age and a long history reduce success but do not preclude an attempt.",
         "Old age and a long history: an attempt is still permitted."),
        # What a sentence says of "it", a bare denial, and a test named in a condition.
        (
            "Capnography is recommended beyond the first hour of sedation; it is not required before.",
            "First hour: no capnography needed.",
        ),
        ("Likely stroke: immediate thrombectomy, or transfer.", "no thrombectomy"),
        ("Abnormal film: scintigraphy.", "Scintigraphy would be preferred if the MRI were abnormal."),
        # "Do not remove" and "keep", "not for" and "after", "rarely", and what holds in the absence alone.
        (
            "Do not remove the collar until the spine is cleared.",
            "Keep the collar on until the spine is cleared.",
        ),
        ("Weight bearing is not permitted for 6 weeks.", "Weight bearing is permitted after 6 weeks."),
        ("Do not restart heparin within 6 hours of the puncture.",
         "Restart heparin no sooner than 6 hours after the puncture."),
        ("Sedation is rarely required in children over 8.",
         "Sedation is usually unnecessary in children over 8."),
        ("Hyoscine is contraindicated in glaucoma.", "Hyoscine is safe provided there is no glaucoma."),
        # What a text refuses too, and what is not to be stopped.
        (
            "Never give adrenaline undiluted into a vein in anaphylaxis.",
            "In anaphylaxis adrenaline is given intramuscularly, not undiluted into a vein.",
        ),
        ("Prophylaxis is not recommended for routine cystography but is for patients with reflux.",
         "Patients with reflux should receive prophylaxis for cystography."),
        ("Anticoagulation should not be interrupted for diagnostic paracentesis.",
         "Carry on with anticoagulation for diagnostic paracentesis."),
        # A side that another is compared with, and an event that is left open.
        (
            "Aspiration is most often into the right lower lobe.",
            "The right lower lobe is affected more often than the left.",
        ),
        ("Stop heparin 4 hours before the puncture and restart it 6 hours after.",
         "Heparin may be given again 6 hours after the puncture."),
        # "Only", what is asked for in the other case, and what stays as it is.
        ("The femoral route should be avoided when possible.",
         "The femoral route is used only when nothing else is possible."),
        ("No dose adjustment is needed in mild hepatic impairment.",
         "Mild hepatic impairment: give the usual dose."),
        ("Absence of a pulse requires immediate surgery.",
         "If a pulse is present, surgery is not immediately required."),
        # "Without" names the opposite case.
        (SHEATH, "Patients with a bleeding tendency need a closure device."),
        ("The child should not bear weight until reviewed.", "Non-weight-bearing until review."),
    ],
)  # fmt: skip
def test_a_faithful_sentence_is_no_contradiction(evidence: str, claim: str) -> None:
    """Other words for the same, and other parts of a sentence, raise no alarm."""
    assert compare(claim, "", statements(evidence)).verdict is not Verdict.CONTRADICTED


@pytest.mark.parametrize(
    ("evidence", "claim"),
    [
        (NAIL_BED, "Without a visible vein, cannulate."),
        (
            "In severe asthma, adenosine is contraindicated.",
            "In severe asthma the drug of choice should be adenosine.",
        ),
        (DRIP, "Then continue the potassium infusion."),
        (SHEATH, "Patients without a bleeding tendency need a closure device."),
        (VALVE, "Implants of the newer kind are scanned with battery removal."),
        ("Keep the cannula open with dextrose.", "Do not keep the cannula open with dextrose."),
        ("Do not clamp the tube during transfer.", "Clamp the tube during transfer."),
        ("Hyoscine is contraindicated in glaucoma.", "Hyoscine can be given in glaucoma."),
        (
            "Do not remove the collar until the spine is cleared.",
            "Remove the collar before the spine is cleared.",
        ),
        (
            "Breastfeeding need not be interrupted after gadolinium.",
            "Breastfeeding has to be interrupted after gadolinium.",
        ),
        ("Restart metformin after the scan.", "Do not restart metformin after the scan."),
        (
            "Oral feeding is not allowed until a swallow test is passed.",
            "Oral feeding is allowed before a swallow test is passed.",
        ),
    ],
)
def test_the_opposite_is_still_caught(evidence: str, claim: str) -> None:
    """What is asked for in one text and refused in the other is a contradiction."""
    found = compare(claim, "", statements(evidence))

    assert (found.verdict, found.kind) == (Verdict.CONTRADICTED, "polarity")
