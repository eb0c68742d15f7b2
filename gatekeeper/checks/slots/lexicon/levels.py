"""Where in the body a statement holds: levels, parts and mirrored pairs that exclude each other."""

from typing import Final

from gatekeeper.checks.slots.lexicon.agents import Vocabulary

# T1 and T2 are sequences of MRI sooner than vertebrae.
_VERTEBRAE: Final = (
    *(f"c{level}" for level in range(1, 9)),
    *(f"t{level}" for level in range(3, 13)),
    *(f"l{level}" for level in range(1, 6)),
    *(f"s{level}" for level in range(1, 6)),
)

LEVELS: Final[Vocabulary] = {
    "vertebra": {level: level for level in _VERTEBRAE},
    "phase": {
        "unenhanced": (
            "unenhanced | noncontrast | non contrast | nonenhanced | non enhanced | precontrast | without"
            " contrast"
        ),
        "arterial phase": "arterial phase",
        "portal venous phase": "portal venous phase | portal venous | venous phase",
        "delayed phase": "delayed phase | delayed image | delayed imaging | delayed acquisition",
    },
    "vessel": {
        "artery": "artery | arterial",
        "vein": "vein | venous",
    },
    "cardiac cycle": {"systolic": "systolic | systole", "diastolic": "diastolic | diastole"},
    "vertical": {
        "upper": "upper lobe | upper pole | superior",
        "middle": "middle lobe",
        "lower": "lower lobe | lower pole | inferior",
    },
    "third": {
        "upper third": "upper third | superior third",
        "middle third": "middle third | central third",
        "lower third": "lower third | inferior third",
        "anterior third": "anterior third",
        "posterior third": "posterior third",
        "proximal third": "proximal third",
        "distal third": "distal third",
        "medial third": "medial third | inner third",
        "lateral third": "lateral third | outer third",
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
    "direction": {"cranial": "cranial | cephalad | rostral", "caudal": "caudal | caudad"},
    "jaw": {"upper jaw": "maxilla | maxillary | upper jaw", "lower jaw": "mandible | mandibular | lower jaw"},
    "chamber": {"ventricle": "ventricle | ventricular", "atrium": "atrium | atrial"},
    "vena cava": {
        "superior vena cava": "superior vena cava | svc",
        "inferior vena cava": "inferior vena cava | ivc",
    },
    "named vessel": {
        "jugular": "jugular",
        "subclavian": "subclavian",
        "femoral": "femoral",
        "popliteal": "popliteal",
        "brachial": "brachial",
        "iliac": "iliac",
    },
    "cerebral artery": {
        "anterior cerebral artery": "anterior cerebral artery | aca",
        "middle cerebral artery": "middle cerebral artery | mca",
        "posterior cerebral artery": "posterior cerebral artery | pca",
        "basilar artery": "basilar artery | basilar",
        "vertebral artery": "vertebral artery",
    },
    "site of injection": {
        "deltoid": "deltoid",
        "thigh": "thigh",
        "buttock": "buttock | gluteal",
    },
    "prostate zone": {
        "peripheral zone": "peripheral zone",
        "transition zone": "transition zone",
        "central zone": "central zone",
    },
    "tentorium": {"supratentorial": "supratentorial", "infratentorial": "infratentorial"},
}
