"""Sentence patterns with slots: statements without limit, with claims, mostly to teach reading of values.

A pattern names its slots in braces. `{drug}` is one draw, `{drug_}` another of the same list. A threshold
`{v}` comes with a value below it (`{v_low}`), one above it (`{v_high}`) and another threshold (`{v_}`); a
time `{t}` with the same time in another unit (`{t_same}`) and other times (`{t_}`).
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from radsafe_bench.nli.sources import Source

FILLERS: Final[Mapping[str, Sequence[str]]] = {
    "drug": (
        "metformin", "apixaban", "warfarin", "dabigatran", "aspirin", "clopidogrel", "prasugrel", "ibuprofen",
        "lisinopril", "furosemide", "spironolactone", "digoxin", "methotrexate", "lithium", "enoxaparin",
        "unfractionated heparin", "regadenoson", "adenosine", "metoprolol", "glucagon", "hyoscine butylbromide",
        "gadobutrol", "iohexol", "iodixanol", "propofol", "midazolam", "fentanyl", "naloxone", "atropine",
        "prednisone", "hydrocortisone", "cetirizine", "vancomycin", "gentamicin", "empagliflozin", "semaglutide",
    ),
    "procedure": (
        "lumbar puncture", "liver biopsy", "contrast-enhanced CT", "coronary angiography", "colonoscopy",
        "percutaneous nephrostomy", "thoracentesis", "epidural injection", "arterial embolisation",
        "renal biopsy", "lung biopsy", "port placement", "cardiac MRI", "PET/CT", "surgery", "a joint injection",
    ),
    "lab": (
        "eGFR", "the platelet count", "haemoglobin", "serum potassium", "heart rate", "systolic blood pressure",
        "the INR", "serum creatinine", "the blood glucose", "oxygen saturation", "body temperature", "the GCS score",
        "serum lactate", "the D-dimer", "the CRP",
    ),
    "finding": (
        "renal cyst", "thyroid nodule", "liver lesion", "ovarian cyst", "solid pulmonary nodule", "adrenal mass",
        "pancreatic cyst", "breast mass", "ground-glass nodule", "abdominal aortic aneurysm", "bone lesion",
        "meningioma", "gallbladder polyp", "lymph node", "splenic lesion", "pleural plaque",
    ),
    "modality": (
        "ultrasound", "CT", "MRI", "radiography", "PET/CT", "scintigraphy", "fluoroscopy", "DEXA", "CT angiography",
        "contrast-enhanced ultrasound", "mammography",
    ),
    "action": (
        "biopsy", "follow-up imaging", "surgical referral", "fine-needle aspiration", "drainage", "embolisation",
        "immediate treatment", "specialist review", "a second scan", "discharge", "admission", "transfusion",
    ),
    "group": (
        "adults", "children", "pregnant women", "patients on dialysis", "patients over 65", "neonates", "smokers",
        "immunosuppressed patients", "breastfeeding women", "patients with diabetes", "patients with cirrhosis",
        "patients with asthma", "transplant recipients",
    ),
    "side": ("left", "right"),
    "organ": (
        "kidney", "adrenal gland", "ovary", "lung", "breast", "hip", "knee", "carotid artery", "testis", "ureter",
        "shoulder", "femoral vein", "parotid gland", "orbit", "hemidiaphragm", "atrium",
    ),
    "sign": (
        "free fluid", "wall thickening", "a filling defect", "restricted diffusion", "calcification",
        "contrast extravasation", "a fluid level", "washout", "air", "oedema", "a halo", "haemorrhage",
    ),
    "condition": (
        "appendicitis", "pulmonary embolism", "acute stroke", "osteomyelitis", "cholecystitis", "sepsis",
        "testicular torsion", "aortic dissection", "pneumothorax", "meningitis", "pyelonephritis", "fracture",
        "deep vein thrombosis", "anaphylaxis", "hyperkalaemia", "status epilepticus", "gout", "heart failure",
    ),
    "grade": ("1", "2", "3", "4", "5"),
    "letter": ("A", "B", "C", "D"),
    "scale": ("grade", "category", "class", "stage", "type", "score"),
    "dose": ("5 mg", "10 mg", "20 mg", "40 mg", "50 mg", "80 mg", "100 mg", "200 mg", "300 mg", "500 mg", "1 g", "2 g"),
    "route": ("intravenously", "by mouth", "intramuscularly", "subcutaneously", "by inhalation", "rectally"),
    "level": ("C3", "C5", "C7", "T4", "T10", "T12", "L1", "L2", "L3", "L4", "L5", "S1"),
    "muscle": ("the deltoid", "the quadriceps", "ankle dorsiflexion", "wrist extension", "the triceps", "the gastrocnemius"),
}  # fmt: skip
_THRESHOLDS: Final = (
    3,
    4,
    5,
    6,
    7,
    8,
    10,
    12,
    15,
    20,
    25,
    30,
    40,
    45,
    50,
    60,
    80,
    90,
    100,
    120,
    150,
    200,
    250,
)
_TIMES: Final = (
    ("24 hours", "1 day"), ("48 hours", "2 days"), ("72 hours", "3 days"), ("7 days", "1 week"),
    ("14 days", "two weeks"), ("6 months", "half a year"), ("12 months", "1 year"), ("24 months", "2 years"),
    ("90 minutes", "1.5 hours"), ("30 minutes", "half an hour"), ("6 weeks", "42 days"), ("3 months", "a quarter of a year"),
    ("2 hours", "120 minutes"), ("4 hours", "240 minutes"), ("36 hours", "a day and a half"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pattern:
    """Forms of one statement, and of the claims that it supports, contradicts and leaves open."""

    evidence: tuple[str, ...]
    supported: tuple[str, ...]
    contradicted: tuple[tuple[str, str], ...]
    not_addressed: tuple[str, ...]


PATTERNS: Final = (
    Pattern(
        (
            "{drug} is withheld when {lab} is below {v}.",
            "If {lab} falls under {v}, {drug} should be withheld.",
            "Hold {drug} for {lab} < {v}; otherwise continue.",
            "{drug} may be given only if {lab} is at least {v}.",
        ),
        (
            "With {lab} at {v_low}, {drug} is not given.",
            "{drug} can go on when {lab} is {v_high}.",
            "Patients whose {lab} is less than {v} should not receive {drug}.",
            "A reading of {v_low} for {lab} is a reason to stop {drug}.",
        ),
        (
            ("comparator", "{drug} is withheld when {lab} is above {v}."),
            ("number", "{drug} is withheld only when {lab} is below {v_}."),
            ("negation", "With {lab} at {v_low}, {drug} may be continued."),
            ("population", "{drug} should be stopped in a patient with {lab} of {v_high}."),
            ("drug", "{drug_} is the drug to withhold when {lab} is below {v}."),
            ("omitted_condition", "{drug} may be given whatever {lab} is."),
        ),
        (
            "{drug} is restarted {t} after {procedure}.",
            "{drug} lowers {lab} in most patients.",
            "The usual dose of {drug} is {dose}.",
            "{lab} should be measured twice before {procedure}.",
        ),
    ),
    Pattern(
        (
            "{drug} is stopped {t} before {procedure}.",
            "Before {procedure}, patients should be off {drug} for {t}.",
            "Discontinue {drug} {t} ahead of {procedure}.",
        ),
        (
            "{drug} should not be taken during the {t_same} before {procedure}.",
            "A pause of {t_same} in {drug} precedes {procedure}.",
            "How long before {procedure} is {drug} stopped? {t_same}.",
        ),
        (
            ("time", "{drug} is stopped {t_} before {procedure}."),
            ("time", "{drug} is stopped {t} after {procedure}."),
            ("negation", "{drug} need not be interrupted for {procedure}."),
            ("drug", "{drug_} is what has to be stopped {t} before {procedure}."),
            ("number", "Before {procedure} a pause in {drug} of {t_} is called for."),
        ),
        (
            "{drug} is given again {t} after {procedure}.",
            "Before {procedure} the dose of {drug} is {dose}.",
            "{drug} is not metabolised by the kidney.",
            "{procedure} takes {t_} in most departments.",
        ),
    ),
    Pattern(
        (
            "A {finding} larger than {v} mm needs {action}.",
            "{action} is advised for every {finding} over {v} mm; smaller ones need none.",
            "No {action} for a {finding} up to {v} mm, {action} above that size.",
        ),
        (
            "A {finding} of {v_high} mm should have {action}.",
            "At {v_low} mm a {finding} does not call for {action}.",
            "Size above {v} mm is the reason for {action} in a {finding}.",
        ),
        (
            ("comparator", "A {finding} smaller than {v} mm needs {action}."),
            ("number", "A {finding} needs {action} only from {v_} mm on."),
            ("unit", "A {finding} needs {action} only when larger than {v} cm."),
            ("negation", "A {finding} of {v_high} mm can be left without {action}."),
            ("population", "A {finding} measuring {v_low} mm should have {action}."),
            ("indication", "A {finding} larger than {v} mm needs {action_} rather than {action}."),
        ),
        (
            "A {finding} is measured in its longest axis.",
            "Most {finding} cases are found by {modality}.",
            "A {finding} with {sign} is usually benign.",
            "{action} of a {finding} is done under {modality} guidance.",
        ),
    ),
    Pattern(
        (
            "{modality} is the first-line test for suspected {condition} in {group}.",
            "In {group} with suspected {condition}, start with {modality}.",
            "For {group}, {condition} is looked for with {modality} first.",
        ),
        (
            "When {condition} is suspected in {group}, {modality} comes first.",
            "First choice for {condition} in {group}: {modality}.",
            "Imaging of {group} for possible {condition} begins with {modality}.",
        ),
        (
            ("device", "{modality_} is the first-line test for suspected {condition} in {group}."),
            ("negation", "{modality} should not be the first test for {condition} in {group}."),
            ("population", "{modality} comes first for suspected {condition} in {group_}, not in {group}."),
            ("indication", "In {group}, {modality} is not used for {condition} but for {condition_}."),
            ("device", "When {condition} is suspected in {group}, one begins with {modality_}."),
        ),
        (
            "{modality} takes less than {t} in {group}.",
            "{sign} on {modality} is common in {group}.",
            "{condition} is treated with {drug} in {group}.",
            "{group} with {condition} are admitted for {t}.",
        ),
    ),
    Pattern(
        (
            "{condition} in {group} is treated with {drug} {dose} {route}.",
            "Give {group} with {condition} {drug}, {dose} {route}.",
            "The dose of {drug} for {condition} in {group} is {dose} {route}.",
        ),
        (
            "For {condition}, {group} get {dose} of {drug} {route}.",
            "{drug} is the treatment of {condition} in {group}.",
            "{group} with {condition} receive {drug} {route}.",
        ),
        (
            ("number", "{group} with {condition} are given {drug} {dose_} {route}."),
            ("drug", "{condition} in {group} is treated with {drug_} {dose} {route}."),
            ("device", "For {condition}, {drug} is given {route_} to {group}."),
            ("negation", "{drug} must not be used for {condition} in {group}."),
            ("indication", "In {group}, {drug} {dose} {route} is for {condition_} and not for {condition}."),
            ("population", "{drug} {dose} is kept for {group_}; {group} with {condition} do not get it."),
        ),
        (
            "{drug} may be repeated after {t}.",
            "{condition} is confirmed by {modality}.",
            "The commonest side effect of {drug} is nausea.",
            "{group} with {condition} should drink plenty.",
        ),
    ),
    Pattern(
        (
            "{sign} in the {side} {organ} suggests {condition}.",
            "{condition} typically shows {sign} in the {side} {organ}.",
            "Think of {condition} when there is {sign} in the {side} {organ}.",
        ),
        (
            "{sign} of the {side} {organ} points to {condition}.",
            "The {side} {organ} is where {condition} shows {sign}.",
        ),
        (
            ("laterality", "{sign} in the {side_} {organ} suggests {condition}."),
            ("laterality", "It is the {side_} {organ} in which {condition} causes {sign}."),
            ("level", "{sign} in the {side} {organ_} suggests {condition}."),
            ("negation", "{sign} in the {side} {organ} speaks against {condition}."),
            ("category", "{sign} in the {side} {organ} suggests {condition_} rather than {condition}."),
        ),
        (
            "{condition} is commoner in {group}.",
            "The {side} {organ} is harder to see with {modality}.",
            "{condition} is treated with {drug}.",
            "{sign} resolves within {t}.",
        ),
    ),
    Pattern(
        (
            "A {finding} with {sign} is {scale} {grade}; follow-up is by {modality} at {t}.",
            "{scale} {grade}: {finding} with {sign}, {modality} after {t}.",
            "Follow-up of a {scale} {grade} {finding} is {modality} at {t}.",
        ),
        (
            "A {scale} {grade} {finding} is followed with {modality} after {t_same}.",
            "{modality} at {t} is what a {scale} {grade} {finding} gets.",
        ),
        (
            ("category", "A {scale} {grade_} {finding} is the one that gets {modality} at {t}, not {scale} {grade}."),
            ("time", "A {scale} {grade} {finding} is followed with {modality} at {t_}."),
            ("device", "A {scale} {grade} {finding} is followed with {modality_} at {t}."),
            ("negation", "A {scale} {grade} {finding} needs no follow-up."),
        ),
        (
            "A {scale} {grade_} {finding} is rare in {group}.",
            "{scale} {grade} lesions are mostly found by chance.",
            "A {finding} without {sign} is followed for {t_}.",
        ),
    ),
    Pattern(
        (
            "{lab} between {v} and {w} calls for {action}.",
            "{action} is advised for {lab} of {v} to {w}.",
            "Range for {action}: {lab} {v}–{w}.",
        ),
        (
            "{lab} of {between} means {action}.",
            "{action} applies from {v} up to {w} for {lab}.",
        ),
        (
            ("interval", "{lab} between {w} and {w_high} calls for {action}."),
            ("interval", "{action} is advised for {lab} of {v_low} to {v}."),
            ("interval", "The range of {lab} for {action} is {v_low} to {w_high}."),
            ("negation", "{lab} of {between} does not call for {action}."),
            ("indication", "{lab} between {v} and {w} calls for {action_}, not {action}."),
        ),
        (
            "{lab} is checked every {t}.",
            "{lab} outside the range is rare in {group}.",
            "{action} takes {t} to arrange.",
        ),
    ),
    Pattern(
        (
            "{procedure} is contraindicated in {group}.",
            "{group} must not undergo {procedure}.",
            "Do not offer {procedure} to {group}.",
            "{procedure} should be avoided in {group} because of the risk of {condition}.",
        ),
        (
            "{procedure} is not suitable for {group}.",
            "{group} should have something other than {procedure}.",
            "Being among {group} rules out {procedure}.",
        ),
        (
            ("negation", "{procedure} is safe in {group}."),
            ("negation", "{group} may undergo {procedure}."),
            ("negation", "There is nothing against {procedure} in {group}."),
            ("population", "{group_}, and not {group}, are the ones who must not undergo {procedure}."),
            ("certainty", "{procedure} is the preferred choice in {group}."),
        ),
        (
            "{procedure} is done under {modality} guidance.",
            "After {procedure} patients rest for {t}.",
            "{procedure} costs more than {modality}.",
            "{group} are often referred for {modality}.",
        ),
    ),
    Pattern(
        (
            "{group} may have {procedure} provided that {lab} is above {v}.",
            "{procedure} is allowed in {group}, but only when {lab} exceeds {v}.",
            "Unless {lab} is above {v}, {group} should not have {procedure}.",
        ),
        (
            "With {lab} at {v_high}, {group} can have {procedure}.",
            "{lab} of {v_low} keeps {group} from {procedure}.",
            "A condition for {procedure} in {group} is {lab} over {v}.",
        ),
        (
            ("omitted_condition", "{group} may have {procedure} regardless of {lab}."),
            ("omitted_condition", "{procedure} is always allowed in {group}."),
            ("comparator", "{group} may have {procedure} when {lab} is below {v}."),
            ("negation", "{group} may not have {procedure} even when {lab} is {v_high}."),
            ("number", "{lab} of {v_low} is enough for {procedure} in {group}."),
        ),
        (
            "{lab} falls after {procedure}.",
            "{procedure} in {group} lasts about {t}.",
            "{group} are given {drug} before {procedure}.",
        ),
    ),
    Pattern(
        (
            "The {level} root supplies {muscle}.",
            "Weakness of {muscle} points to the {level} root.",
            "{level} radiculopathy shows as weakness of {muscle}.",
        ),
        ("{muscle} is supplied by {level}.", "A lesion of the {level} root weakens {muscle}."),
        (
            ("level", "The {level_} root supplies {muscle}."),
            ("level", "Weakness of {muscle} points to {level_} and not {level}."),
            ("level", "{level} supplies {muscle_} rather than {muscle}."),
            ("negation", "The {level} root does not supply {muscle}."),
        ),
        ("{level} is the root most often compressed.", "{muscle} recovers within {t} of decompression."),
    ),
    Pattern(
        (
            "{drug} is not needed before {procedure} in {group}.",
            "No {drug} is required for {group} before {procedure}.",
            "{group} can have {procedure} without {drug}.",
        ),
        (
            "{procedure} in {group} does not call for {drug} beforehand.",
            "{drug} may be left out before {procedure} in {group}.",
        ),
        (
            ("negation", "{group} need {drug} before {procedure}."),
            ("negation", "{drug} is required before {procedure} in {group}."),
            ("negation", "{procedure} in {group} must not go ahead without {drug}."),
            ("certainty", "{group} always receive {drug} before {procedure}."),
        ),
        (
            "{drug} is given after {procedure} in {group}.",
            "{drug} is metabolised in the liver.",
            "{group} have a higher rate of {condition} after {procedure}.",
        ),
    ),
)  # fmt: skip


def template_sources(count: int, rng: random.Random) -> Iterator[Source]:
    """Yield `count` sources with freshly filled slots."""
    for number in range(count):
        pattern = rng.choice(PATTERNS)
        values = _draw(rng)
        supported = rng.sample(pattern.supported, 2)
        contradicted = rng.sample(pattern.contradicted, 3)
        not_addressed = rng.sample(pattern.not_addressed, 1)
        yield Source(
            f"template-{number}",
            "",
            _filled(rng.choice(pattern.evidence), values),
            tuple(_filled(form, values) for form in supported),
            tuple((kind, _filled(form, values)) for kind, form in contradicted),
            tuple(_filled(form, values) for form in not_addressed),
        )


def _draw(rng: random.Random) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, fillers in FILLERS.items():
        values[name], values[name + "_"] = rng.sample(fillers, 2)
    place = rng.randrange(3, len(_THRESHOLDS) - 4)
    low, high = _THRESHOLDS[place], _THRESHOLDS[place + rng.randint(1, 2)]
    other = rng.choice([one for one in _THRESHOLDS if one not in {low, high}])
    below = rng.choice([one for one in _THRESHOLDS if one < low])
    above = rng.choice([one for one in _THRESHOLDS if one > high])
    numbers = {"v": low, "w": high, "v_": other, "v_low": below, "v_high": above, "w_high": above}
    values |= {name: str(number) for name, number in numbers.items()}
    values["between"] = str((low + high) // 2 if high - low > 1 else low)
    (values["t"], values["t_same"]), (values["t_"], _) = rng.sample(_TIMES, 2)
    if rng.random() < 0.5:
        values["t_same"] = values["t"]
    return values


def _filled(form: str, values: Mapping[str, str]) -> str:
    text = form.format_map(values)
    return text[:1].upper() + text[1:]
