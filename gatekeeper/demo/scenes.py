"""What the demonstration asks. Facts: ACR Manual on Contrast Media 2024; Fleischner Society 2017."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scene:
    """One question with its evidence, and what it is there to show."""

    shows: str
    question: str
    evidence: tuple[str, ...] = ()


METFORMIN = (
    "In patients with an eGFR of 30 or higher and no acute kidney injury, metformin may be continued after "
    "intravenous iodinated contrast. Below 30, metformin is held and kidney function is rechecked at 48 h."
)
NODULE = (
    "For a single solid nodule of 6 to 8 mm in a low-risk adult, follow-up CT is due at 6 to 12 months. "
    "Solid nodules smaller than 6 mm need no routine follow-up in low-risk adults."
)

EMBEDDED = (
    Scene(
        "supported answer",
        "When may metformin be continued after intravenous iodinated contrast?",
        (METFORMIN,),
    ),
    Scene(
        "evidence against itself",
        "When is kidney function rechecked after metformin was held?",
        (
            METFORMIN,
            "Below an eGFR of 30, metformin is held and kidney function is rechecked at 24 h.",
        ),
    ),
    Scene("no evidence", "Can gadolinium be given in pregnancy?"),
)

STAGED = (
    Scene("one flipped number", "When is follow-up CT due for a single solid 7 mm nodule?", (NODULE,)),
    Scene(
        "one flipped side",
        "Which kidney holds the stone?",
        ("CT shows an obstructing stone of 6 mm in the right ureter with hydronephrosis.",),
    ),
    Scene("hedged answer", "May metformin be continued after contrast?", (METFORMIN,)),
)
