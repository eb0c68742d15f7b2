"""Conditions that a statement holds under. Two statements under different ones are not compared."""

from typing import Final

from gatekeeper.checks.slots.lexicon.agents import Vocabulary

QUALIFIERS: Final[Vocabulary] = {
    "nodule type": {
        "solid": "solid",
        "part-solid": "part solid | partly solid | subsolid | mixed attenuation",
        "ground-glass": "ground glass | pure ground glass | ggn | nonsolid | non solid",
        "cystic": "cystic | cyst | simple cyst",
    },
    "risk": {
        "low risk": "low risk | low pretest probability",
        "intermediate risk": "intermediate risk | moderate risk",
        "high risk": "high risk | higher risk",
    },
    "age group": {
        "adult": "adult",
        "child": "child | children | pediatric | paediatric | infant | adolescent | boy | girl | toddler",
        "neonate": "neonate | neonatal | newborn",
    },
    "sex": {
        "female": "female | woman | women | postmenopausal | premenopausal",
        "male": "male | man | men",
    },
    "reproductive state": {
        "pregnancy": "pregnancy | pregnant | gestation | gestational | gravid",
        "lactation": (
            "lactation | lactating | breastfeeding | breast feeding | nursing mother | breast milk"
        ),
    },
    "exposed group": {
        "worker": "worker | occupational | occupationally exposed | staff | radiation worker",
        "public": "public | members of the public | general public",
        "fetus": "fetus | fetal | foetal | foetus | unborn child | conceptus | embryo | embryonic",
        "caregiver": "caregiver | carer | comforter",
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
    "phase": {
        "unenhanced": (
            "unenhanced | noncontrast | non contrast | nonenhanced | non enhanced | precontrast | without"
            " contrast"
        ),
        "arterial phase": "arterial phase",
        "portal venous phase": "portal venous phase | portal venous | venous phase",
        "delayed phase": "delayed phase",
    },
    "washout": {
        "absolute washout": "absolute",
        "relative washout": "relative",
    },
    "vessel": {
        "artery": "artery | arterial",
        "vein": "vein | venous",
    },
    "number of lesions": {
        "single": "single | solitary",
        "multiple": "multiple",
    },
    "tumour origin": {
        "primary": "primary tumor | primary tumour",
        "metastatic": "metastatic | metastasis | metastases",
    },
    "cardiac cycle": {"systolic": "systolic | systole", "diastolic": "diastolic | diastole"},
    "vertical": {
        "upper": "upper lobe | upper pole | superior",
        "middle": "middle lobe",
        "lower": "lower lobe | lower pole | inferior",
    },
    "front": {"anterior": "anterior | ventral", "posterior": "posterior | dorsal"},
    "course": {"proximal": "proximal", "distal": "distal"},
    "midline": {"medial": "medial", "lateral": "lateral"},
    "aorta part": {
        "ascending": "ascending",
        "descending": "descending",
        "abdominal": "abdominal aorta | abdominal aortic",
    },
    "spine part": {"cervical": "cervical", "thoracic": "thoracic", "lumbar": "lumbar", "sacral": "sacral"},
    "symptoms": {"symptomatic": "symptomatic", "asymptomatic": "asymptomatic | incidental"},
    "stability": {
        "stable": "stable | hemodynamically stable",
        "unstable": "unstable | hemodynamically unstable",
    },
    "round": {
        "baseline": "baseline",
        "subsequent": "subsequent round | annual round",
    },
    "dialysis": {"dialysis": "dialysis | hemodialysis"},
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
