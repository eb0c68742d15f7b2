"""Levels, populations, indications and conditions: each contradicted, supported, not addressed, denied."""

import pytest

from gatekeeper.assessment import Verdict
from gatekeeper.checks import Slots
from gatekeeper.checks.slots import compare
from tests.checks.slots.pairs import statements
from tests.checks.subjects import answered, ask, run

BLOCK = "The interscalene block is placed at C6 with at most 20 mL of local anaesthetic."
CATHETER = "The tip of a dialysis catheter lies in the right atrium."
MELATONIN = "Adults receive 3 mg of melatonin before the EEG."
CONSENT = "Pregnant staff are moved to another room during fluoroscopy."
CYSTOGRAPHY = "Retrograde cystography is reserved for suspected bladder rupture."
ALBUMIN = "Albumin is given after paracentesis if more than 5 L of ascites is removed."
WARFARIN = "Warfarin is stopped 5 days before biopsy, provided that the thrombotic risk is low."
SUBDURAL = "A subdural haematoma thicker than 10 mm is evacuated regardless of the Glasgow score."
PACEMAKER = "Regadenoson is contraindicated in AV block unless the patient has a pacemaker."


@pytest.mark.parametrize(
    ("evidence", "claim", "kind"),
    [
        (BLOCK, "The interscalene block is placed at C3 with at most 20 mL of local anaesthetic.", "level"),
        (CATHETER, "The tip of a dialysis catheter lies in the right ventricle.", "level"),
        ("Puncture the vein below the elbow.", "Puncture the artery below the elbow.", "level"),
        ("Washout is read in the portal venous phase.", "Washout is read in the arterial phase.", "level"),
        (MELATONIN, "Children receive 3 mg of melatonin before the EEG.", "population"),
        ("The marker should project over L1 to L2.", "Marker over L4–L5", "level"),
        ("The wire ends in the lower third of the ureter.", "Wire: upper third of the ureter", "level"),
        (
            "Thoracostomy goes through the fourth or fifth intercostal space.",
            "Thoracostomy goes through the 9th intercostal space.",
            "category",
        ),
        (
            "Cefazolin covers the insertion of a port.",
            "Vancomycin provides the cover for the insertion of a port.",
            "agent",
        ),
        (
            "Pushed too far, the tube enters the left bronchus.",
            "The tube mostly slips into the right bronchus.",
            "laterality",
        ),
        (
            "Ward sedation is suitable for ASA I and II.",
            "Ward sedation is suitable for ASA I–III.",
            "category",
        ),
        # The row that names MRI keeps it for something else.
        (
            "Plain radiography is the first-line test for the stiff shoulder; MRI is reserved for athletes.",
            "MRI is the first-line test for the stiff shoulder.",
            "modality",
        ),
        (CONSENT, "Breastfeeding staff are moved to another room during fluoroscopy.", "population"),
        (CYSTOGRAPHY, "Retrograde cystography is used for suspected renal colic.", "indication"),
        (ALBUMIN, "Albumin is given after paracentesis whatever volume of ascites is removed.", "condition"),
        (
            WARFARIN,
            "Warfarin is stopped 5 days before biopsy even if the thrombotic risk is high.",
            "condition",
        ),
        (
            SUBDURAL,
            "A subdural haematoma thicker than 10 mm is evacuated only if the Glasgow score falls.",
            "condition",
        ),
        (PACEMAKER, "Regadenoson is contraindicated in AV block even with a pacemaker.", "condition"),
    ],
)
def test_a_claim_that_is_wrong_in_one_slot_is_caught(evidence: str, claim: str, kind: str) -> None:
    """Another level, group of persons or purpose, or a condition left out, is called by its name."""
    found = compare(claim, "", statements(evidence))

    assert (found.verdict, found.kind) == (Verdict.CONTRADICTED, kind)


@pytest.mark.parametrize(
    ("evidence", "claim"),
    [
        # What a sentence shares among its rows belongs to each of them.
        ("Thrombectomy: offer it within 6 hours, together with thrombolysis.", "Thrombolysis alongside"),
        ("A CT of the orbits may be used. Orbital radiographs come first.", "Orbital CT may be used."),
        # The evidence speaks of both sides.
        (
            "The right gonadal vein drains into the vena cava, the left gonadal vein joins the renal vein.",
            "On the left, the gonadal vein empties into the renal vein.",
        ),
        # What holds for an exception says nothing of the rule.
        (
            "Ketamine is for anaesthetists with airway training only.",
            "Fentanyl is the usual choice unless anaesthetists with airway training attend.",
        ),
        # Each drug of a sentence has its own route.
        (
            "Then 2 g of mannitol IV over 20 minutes, and salbutamol 5 mg by nebuliser.",
            "Give 2 g of mannitol over 20 minutes and nebulised salbutamol.",
        ),
        # Categories of one list belong to one another.
        (
            "Type II with rotation and type III are pinned.",
            "A type II fracture with rotation is pinned, as is a type III.",
        ),
        ("Acquire portal venous images at 70 s and delayed images at 15 minutes.", "Delayed phase: 15 min"),
    ],
)
def test_rows_and_exceptions_are_told_apart(evidence: str, claim: str) -> None:
    """A faithful claim about one drug, phase or grade is not held against its neighbour's row."""
    assert compare(claim, "", statements(evidence)).verdict is not Verdict.CONTRADICTED


@pytest.mark.parametrize(
    ("evidence", "claim"),
    [
        (BLOCK, "The interscalene block is done at the level of C6."),
        (CATHETER, "A dialysis catheter has its tip in the right atrium."),
        (MELATONIN, "Before the EEG, adults receive 3 mg of melatonin."),
        (CYSTOGRAPHY, "Retrograde cystography is reserved for suspected rupture of the bladder."),
        (ALBUMIN, "If more than 5 L of ascites is removed, albumin is given after paracentesis."),
        (SUBDURAL, "Whatever the Glasgow score, a subdural haematoma thicker than 10 mm is evacuated."),
    ],
)
def test_a_faithful_claim_is_supported(evidence: str, claim: str) -> None:
    """Saying the same of the same level, persons, purpose and condition is support."""
    assert compare(claim, "", statements(evidence)).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("evidence", "claim"),
    [
        (
            "Thrombin is injected into femoral pseudoaneurysms.",
            "Thrombin is injected into brachial pseudoaneurysms.",
        ),
        (
            f"{MELATONIN} Children receive 1 mg.",
            "Children receive 3 mg of melatonin after a sleepless night.",
        ),
        (
            "Every adult is cannulated under ultrasound.",
            "Children need anaesthesia when they are cannulated.",
        ),
        ("Scans in category C3 are followed by endoscopy.", "A fracture of C5 is followed by endoscopy."),
        (CYSTOGRAPHY, "Retrograde urography is reserved for suspected ureteral injury."),
        ("Perchlorate is indicated in thyroid autonomy.", "Perchlorate is indicated in Graves disease."),
        (ALBUMIN, "Albumin is given in sepsis whatever the lactate."),
        (SUBDURAL, "An epidural haematoma is watched only if the Glasgow score is high."),
    ],
)
def test_another_case_is_not_a_contradiction(evidence: str, claim: str) -> None:
    """What holds for one vessel, person or purpose may well hold for another: the rules keep silent."""
    assert compare(claim, "", statements(evidence)).verdict is not Verdict.CONTRADICTED


@pytest.mark.parametrize(
    ("evidence", "question"),
    [
        (CATHETER, "Does the tip of a dialysis catheter lie in the right ventricle?"),
        (MELATONIN, "Do children receive 3 mg of melatonin before the EEG?"),
        (CYSTOGRAPHY, "Is retrograde cystography used for suspected renal colic?"),
        (WARFARIN, "Is warfarin stopped 5 days before biopsy even if the thrombotic risk is high?"),
    ],
)
@pytest.mark.parametrize(("word", "verdict"), [("No", Verdict.SUPPORTED), ("Yes", Verdict.CONTRADICTED)])
def test_denying_what_is_wrong_is_right(evidence: str, question: str, word: str, verdict: Verdict) -> None:
    """To a question that gets a slot wrong, "no" is the evidence's own answer, "yes" is not."""
    findings = run(Slots(), answered(ask(question, [evidence]), word))

    assert findings[0].verdict is verdict
