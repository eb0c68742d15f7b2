"""Who a statement is about: groups of persons whose members exclude each other."""

from typing import Final

from gatekeeper.checks.slots.lexicon.agents import Vocabulary

POPULATIONS: Final[Vocabulary] = {
    "age group": {
        "adult": "adult",
        "child": "child | children | pediatric | paediatric | infant | adolescent | boy | girl | toddler",
        "neonate": "neonate | neonatal | newborn",
    },
    "sex": {
        "female": "female | woman | women",
        "male": "male | man | men",
    },
    "menopause": {
        "postmenopausal": "postmenopausal | post menopausal | postmenopause | after menopause",
        "premenopausal": "premenopausal | pre menopausal | premenopause | before menopause",
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
    "dialysis": {"dialysis": "dialysis | hemodialysis"},
    "renal function": {
        "normal renal function": (
            "normal renal function | normal kidney function | normal kidneys | preserved renal function"
        ),
        "impaired renal function": (
            "impaired renal function | impaired kidney function | reduced renal function | renal impairment"
            " | renal failure | kidney failure | renal insufficiency | kidney disease | renal disease"
        ),
    },
    "immunity": {
        "immunosuppressed": (
            "immunosuppressed | immunosuppression | immunocompromised | immunodeficient | immunodeficiency"
        ),
        "immunocompetent": "immunocompetent",
    },
    "fitness": {
        "fit": "fit for surgery | surgically fit | operable",
        "unfit": "unfit for surgery | not fit for surgery | inoperable",
    },
    "smoking": {"smoker": "smoker", "non-smoker": "non smoker | nonsmoker | never smoker"},
}
