import pytest

from gatekeeper.assessment import Verdict
from gatekeeper.checks.slots import compare
from gatekeeper.checks.slots.reading import read_question
from tests.checks.slots.pairs import statements

TIRADS = "FNA is advised for TR3 nodules of 2.5 cm or more, TR4 ≥ 1.5 and TR5 ≥ 1.0."
APIXABAN = (
    "Before high-risk work apixaban is left out for four doses when creatinine clearance is 50 mL/min or "
    "more, and for six doses when it lies between 30 and 50 mL/min."
)
LUNGS = "Treatment is contraindicated when the lungs would receive more than 30 Gy in one session."
PLACENTA = (
    "The report is normal if the edge is 2 cm or more from the os, and low-lying if the edge is nearer."
)
ALTEPLASE = (
    "Alteplase may be given within 4.5 hours of onset. Thrombectomy is considered up to 24 hours after onset."
)


CYSTS = "Small cyst 2 to 3.4 cm: scan every 24 months. Medium cyst 3.5 to 5.9 cm: scan every 4 months."
SURVEY = "Repeat radiographs are obtained 18 to 20 days after the first set, and no later than 42 days."
STATIN = "In adults over 40 years the target is set as age × 2 mg/dL."
DALTEPARIN = "Prophylaxis with CrCl 20–30 mL/min: 2 mg once a day. Normal kidneys: 5 mg once a day."
POLYP = "A gallbladder polyp of 9 mm or more is referred to a surgeon."
FERRITIN = "Give iron when ferritin is below 30 µg/L, in dialysis when ferritin is below 50 µg/L."
DOSES = (
    "Ibuprofen by age.\nAdult and child >9 years: 400 mg\nChild 4–9 years: 200 mg\nChild 1–4 years: 100 mg"
)
FUROSEMIDE = (
    "Intravenous loop diuretic: furosemide 10–30 mg IV if never taken before; 1–2 times the daily oral dose"
    " if already on it."
)
VALVE = "A valve replaced less than 3 months ago is discussed with a cardiologist."
EDOXABAN = (
    "Edoxaban: stop 36 hours before if CrCl 30 mL/min or more.\n"
    "Lepirudin: stop 24 hours before if CrCl 80 or more; 60 hours if 30 to 79."
)
COLON = "A core of less than 60 mL, a ratio of 1.8 or more and a halo volume of at least 12 mL are required."


@pytest.mark.parametrize(
    ("evidence", "claim"),
    [
        (STATIN, "At 70 years the target is 140 mg/dL."),
        (DALTEPARIN, "With CrCl 20–30 mL/min, give half of the usual 5 mg."),
        (DALTEPARIN, "With CrCl 20–30 mL/min, give 2 mg rather than 5 mg."),
        (
            "Stroke: alteplase 0.9 mg/kg (max 90 mg), 10% bolus over 1 minute, rest over 60 minutes.",
            "80 kg gives 72 mg: 7.2 mg as bolus and 64.8 mg over one hour.",
        ),
        (
            "Keep away from toddlers for 20 days after 3 GBq of iodine. After 1 GBq 9 days are enough.",
            "After 1 GBq of iodine keep away from toddlers for 11 days less than after 3 GBq.",
        ),
        (POLYP, "A gallbladder polyp below 5 mm is scanned only once."),
        (
            "Late renal images are taken 3–4 hours after injection.\n"
            "For suspected obstruction, reflux or scars perfusion at 1–2 min is added to late images.",
            "Late images follow after 3–4 h; add perfusion when obstruction, reflux or scars are likely.",
        ),
        (FERRITIN, "Ferritin of 95 µg/L is well above the limit, and also above the 50 µg/L for dialysis."),
        (DOSES, "The child in the 4–9 years row gets 200 mg of ibuprofen; an adult gets 400 mg."),
        (FUROSEMIDE, "Start IV furosemide; a man who takes 60 mg a day orally would receive 60 to 120 mg."),
        (VALVE, "The valve was replaced 2 years ago, so a cardiologist is not needed."),
        (EDOXABAN, "CrCl 30–79: 60 h"),
        (
            "In those aged 45 or younger the cut-off is 300 ng/mL.",
            "A 70-year-old has a cut-off of 700 ng/mL.",
        ),
        ("4: CT in 6 months", "2: annual CT"),
        ("Repeat the scan at 30 weeks, then at 34 weeks.", "Repeat the scan at 30 and, where low, 34 weeks."),
        (COLON, "It looks at core (<60 mL), ratio and halo volume."),
        ("An X-ray is taken if CT cannot be done at once.", "An X-ray is taken if CT can't be immediate."),
        ("The probe is cleaned before and after the scan.", "Probe cleaning before and after"),
        (TIRADS, "Your TR4 nodule of 17 mm is above the 1.5 cm threshold for FNA."),
        (TIRADS, "FNA is advised for TR4 nodules of 1.5 cm or more."),
        (TIRADS, "A TR5 nodule of 10 mm or more should undergo FNA."),
        (APIXABAN, "Six doses of apixaban are left out when creatinine clearance is 30–50 mL/min."),
        (LUNGS, "The lungs may receive at most 3000 cGy in one session."),
        (PLACENTA, "An edge less than 2 cm from the os is low-lying."),
        (ALTEPLASE, "Thrombectomy is considered within 24 hours of onset."),
        (
            "Barium is avoided; a water-soluble agent is used.",
            "Use a water-soluble agent rather than barium.",
        ),
        ("MRI without gadolinium follows.", "Gadolinium is excreted by the kidneys."),
        ("If no endoleak is seen, annual ultrasound is enough.", "An endoleak is repaired with a stent."),
    ],
)
def test_what_only_looks_different_is_no_contradiction(evidence: str, claim: str) -> None:
    """Other rows, turned bounds, carried units and denied alternatives do not count against a true claim."""
    assert compare(claim, "", statements(evidence)).verdict is not Verdict.CONTRADICTED


@pytest.mark.parametrize(
    ("evidence", "claim", "kind"),
    [
        (TIRADS, "FNA is advised for TR4 nodules of 1.0 cm or more.", "number"),
        (APIXABAN, APIXABAN.partition(", and")[0].replace("four", "three"), "number"),
        (LUNGS, LUNGS.replace("30 Gy", "50 Gy"), "number"),
        (ALTEPLASE, "Alteplase may be given within 24 hours of onset.", "number"),
        (ALTEPLASE, "Alteplase must not be given within 4.5 hours of onset.", "polarity"),
        ("Up to three index lesions are chosen by size.", "Index lesions: maximum 6", "number"),
        (
            "Fewer than 3 points: a clot is unlikely.",
            "A score above 3 means that a clot is unlikely.",
            "comparator",
        ),
        (SURVEY, "Repeat films – 3–5 days after the first set (42 days at the latest)", "interval"),
        (EDOXABAN, "Edoxaban: stop 12 hours before if CrCl 30 mL/min or more.", "number"),
        ("Apixaban 5 mg twice daily", "Apixaban 5 mg q6h", "number"),
        (CYSTS, "A 4.2 cm cyst is medium and gets a scan every 24 months.", "number"),
        ("Morphine is given as 2.5 mg IV over 5 minutes.", "Give morphine 2.5 g IV, slowly.", "unit"),
        ("Insulin runs at 4 mL/kg per dose.", "Insulin runs at 4 IU/kg per dose.", "unit"),
        ("Calcium exceeds 3.5 mmol/L.", "Calcium exceeds 3.5 mg/dL.", "unit"),
        ("Lactate should be ≤4 mmol/L (36 mg/dL).", "Lactate should not exceed 4 mg/dL.", "unit"),
        (
            "Amikacin (15 mg/kg)\nCrCl ≥70 mL/min: every 24 h\nCrCl 50–69 mL/min: every 30 h",
            "With a CrCl of 60 mL/min the patient is in the 50–69 band, so amikacin 15 mg/kg every 24 hours.",
            "number",
        ),
    ],
)
def test_the_same_rows_still_catch_what_is_wrong(evidence: str, claim: str, kind: str) -> None:
    """Caution with rows does not let a wrong value pass."""
    found = compare(claim, "", statements(evidence))

    assert (found.verdict, found.kind) == (Verdict.CONTRADICTED, kind)


@pytest.mark.parametrize(("hours", "verdict"), [("24", Verdict.CONTRADICTED), ("48", Verdict.SUPPORTED)])
def test_a_bare_value_speaks_of_what_the_question_asks_for(hours: str, verdict: Verdict) -> None:
    """The option "48 hours" under a question is judged like the sentence that it stands for."""
    evidence = statements(f"Metformin is withheld for {hours} hours after intra-arterial contrast.")
    asked = "How long is metformin withheld after intra-arterial contrast?"

    assert compare("48 hours", asked, evidence).verdict is verdict


def test_a_value_in_the_row_of_another_time_is_not_supported() -> None:
    """Of two rows, the one with another time than the question's does not speak for an answer."""
    evidence = statements("Heparin is stopped 4 hours before surgery, enoxaparin 24 hours before surgery.")

    assert compare("Heparin", "What is stopped 24 hours before surgery?", evidence).verdict is not (
        Verdict.SUPPORTED
    )


def test_a_value_that_only_describes_the_patient_is_no_claim() -> None:
    """The 21 weeks of the question are hers, whenever the evidence has the scan repeated."""
    evidence = statements("Short cervix, less than 25 mm at the scan: repeat the ultrasound at 28 weeks.")
    question = "Cervix 18 mm at 21 weeks, what next?"

    told = compare("Your patient: cervix 18 mm at 21 weeks, short.", question, evidence)
    advised = compare("Repeat the ultrasound of a short cervix at 21 weeks.", question, evidence)

    assert told.verdict is not Verdict.CONTRADICTED
    assert advised.verdict is Verdict.CONTRADICTED


@pytest.mark.parametrize(
    ("evidence", "question", "claim"),
    [
        (
            "A stent is advised for a stricture longer than 4 cm.",
            "Stricture of 2 cm, does it need a stent?",
            "At 2 cm a stent is not needed.",
        ),
        (
            "Labetalol is considered when systolic pressure is above 185 mmHg.",
            "BP 160 before thrombolysis, what now?",
            "With a systolic pressure of 160 mmHg:",
        ),
        (
            "Treat when potassium is above 6 mmol/L.",
            "Potassium 5.4 mmol/L, treat?",
            "The potassium of 5.4 mmol/L is under the limit.",
        ),
    ],
)
def test_a_value_of_the_patient_is_no_limit(evidence: str, question: str, claim: str) -> None:
    """A value of the question that lies outside of a rule's bound is no other bound."""
    found = compare(claim, "", statements(evidence), asked=read_question(question))

    assert found.verdict is not Verdict.CONTRADICTED


def test_women_before_and_after_menopause_have_rows_of_their_own() -> None:
    """What holds before menopause does not contradict what is said of the time after it."""
    rows = statements("Premenopausal: no follow-up up to 6 cm.\nPostmenopausal: nothing up to 2 cm.")
    claim = "The 2 cm limit, up to which no follow-up is needed, applies to postmenopausal women."

    assert compare(claim, "", rows).verdict is not Verdict.CONTRADICTED


def test_a_question_about_two_drugs_leaves_out_neither() -> None:
    """Each half of "how long is A held, and which B in children?" finds its own rows."""
    evidence = statements("Enoxaparin 1 mg/kg every 12 hours: withhold two doses before a drain.")
    question = "When is enoxaparin held, and is heparin better?"

    found = compare("1 mg/kg q6h: withhold two doses before a drain.", question, evidence)

    assert found.verdict is Verdict.CONTRADICTED


def test_the_probability_grows_with_the_likeness() -> None:
    """A difference between two sentences on exactly one subject is surer than one between loose relatives."""
    evidence = statements("Alteplase may be given within 4.5 hours of the onset of an ischaemic stroke.")
    close = compare(
        "Alteplase may be given within 6 hours of the onset of an ischaemic stroke.", "", evidence
    )
    loose = compare("In stroke units of some countries alteplase is given within 6 hours.", "", evidence)

    assert close.value > max(0.9, loose.value)
