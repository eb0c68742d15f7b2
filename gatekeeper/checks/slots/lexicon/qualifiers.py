"""Conditions that a statement holds under. Two statements under different ones are not compared."""

from typing import Final

from gatekeeper.checks.slots.lexicon.agents import Vocabulary
from gatekeeper.checks.slots.lexicon.levels import LEVELS
from gatekeeper.checks.slots.lexicon.populations import POPULATIONS

QUALIFIERS: Final[Vocabulary] = {
    **POPULATIONS,
    **LEVELS,
    "nodule type": {
        "solid": "solid",
        "part-solid": "part solid | partly solid | subsolid | mixed attenuation",
        "ground-glass": "ground glass | pure ground glass | ggn | nonsolid | non solid",
        "cystic": "cystic | cyst | simple cyst",
    },
    "risk": {
        "low risk": "low risk | low bleeding risk | low bleeding | low pretest probability",
        "intermediate risk": "intermediate risk | moderate risk",
        "high risk": "high risk | high bleeding risk | high bleeding | higher risk",
    },
    "severity": {
        "mild": "mild",
        "moderate": "moderate",
        "severe": "severe | life threatening",
    },
    "acuity": {
        "acute": "acute",
        "chronic": "chronic | long standing",
        "subacute": "subacute",
    },
    "washout": {
        "absolute washout": "absolute",
        "relative washout": "relative",
    },
    "number of lesions": {
        "single": "single | solitary",
        "multiple": "multiple",
    },
    "tumour origin": {
        "primary": "primary tumor | primary tumour",
        "metastatic": "metastatic | metastasis | metastases",
    },
    "symptoms": {"symptomatic": "symptomatic", "asymptomatic": "asymptomatic | incidental"},
    "stability": {
        "stable": "stable | hemodynamically stable",
        "unstable": "unstable | hemodynamically unstable",
    },
    "round": {
        "baseline": "baseline",
        "subsequent": "subsequent round | annual round",
    },
    "organ": {
        "lens": "lens | lens of the eye | eye",
        "skin": "skin",
        "extremities": "extremity | hand | foot | feet",
        "thyroid": "thyroid",
        "breast": "breast | mammary",
        "lung": "lung | pulmonary",
        "liver": "liver | hepatic | hepatocellular | hcc",
        "kidney": "kidney | renal",
        "adrenal": "adrenal",
        "pancreas": "pancreas | pancreatic",
        "spleen": "spleen | splenic",
        "gallbladder": "gallbladder",
        "bile duct": "bile duct | biliary | common bile duct",
        "appendix": "appendix | appendiceal | appendicitis",
        "colon": "colon | colonic | colorectal",
        "ovary": "ovary | ovarian | adnexal",
        "uterus": "uterus | uterine | endometrial | endometrium",
        "testis": "testis | testicular | scrotal",
        "prostate": "prostate | prostatic",
        "bladder": "urinary bladder",
        "brain": "brain | cerebral",
        "pituitary": "pituitary",
        "heart": "heart | cardiac | myocardial | myocardium",
        "aorta": "aorta | aortic",
        "carotid": "carotid | ica",
        "bone": "bone | osseous",
        "hip": "hip | femoral head",
        "knee": "knee | meniscus | meniscal",
        "shoulder": "shoulder | rotator cuff",
        "lymph node": "lymph node | nodal",
    },
    "early pregnancy measure": {
        "crown-rump length": "crl | crown rump length | crown rump",
        "mean sac diameter": "msd | mean sac diameter | gestational sac diameter",
    },
}

ONE_SIDED: Final = frozenset(
    {"organ", "washout", "nodule type", "risk", "exposed group", "reproductive state"}
)
"""Classes that say what a statement is about: two statements of the evidence conflict only where both
name the same member or neither names any."""
