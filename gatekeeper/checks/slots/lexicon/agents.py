"""Closed vocabularies whose members exclude each other: naming another member changes the claim.

Each class maps a concept to its phrases, separated by `|`. A concept may stand in several classes.
"""

from typing import Final

Vocabulary = dict[str, dict[str, str]]

AGENTS: Final[Vocabulary] = {
    "contrast medium": {
        "gadolinium": (
            "gadolinium | gbca | gbcas | gbcm | gbcms | gadolinium based contrast | gadolinium contrast"
        ),
        "iodinated contrast": (
            "iodinated | iodine based contrast | iodinated contrast | icm | iodine contrast"
        ),
        "barium": "barium | barium sulfate | barium sulphate",
        "microbubbles": "microbubble | ultrasound contrast | sulfur hexafluoride | perflutren",
        "carbon dioxide": "carbon dioxide | co2",
        "water-soluble contrast": (
            "water soluble contrast | water soluble | diatrizoate | gastrografin | gastrographin"
        ),
    },
    "gadolinium agent": {
        "gadobutrol": "gadobutrol | gadavist | gadovist",
        "gadoterate": "gadoterate | gadoteric acid | dotarem | clariscan",
        "gadoteridol": "gadoteridol | prohance",
        "gadobenate": "gadobenate | multihance",
        "gadopiclenol": "gadopiclenol | elucirem | vueway",
        "gadoxetate": "gadoxetate | gadoxetic acid | eovist | primovist",
        "gadodiamide": "gadodiamide | omniscan",
        "gadopentetate": "gadopentetate | magnevist",
        "gadoversetamide": "gadoversetamide | optimark",
    },
    "iodinated agent": {
        "iohexol": "iohexol",
        "iopamidol": "iopamidol",
        "iodixanol": "iodixanol",
        "iopromide": "iopromide",
        "ioversol": "ioversol",
        "iomeprol": "iomeprol",
    },
    "corticosteroid": {
        "prednisone": "prednisone",
        "prednisolone": "prednisolone",
        "methylprednisolone": "methylprednisolone",
        "hydrocortisone": "hydrocortisone",
        "dexamethasone": "dexamethasone",
        "betamethasone": "betamethasone",
        "fludrocortisone": "fludrocortisone",
        "triamcinolone": "triamcinolone",
    },
    "reaction drug": {
        "epinephrine": "epinephrine | adrenaline",
        "norepinephrine": "norepinephrine | noradrenaline",
        "atropine": "atropine",
        "albuterol": "albuterol | salbutamol",
        "diphenhydramine": "diphenhydramine",
        "cetirizine": "cetirizine",
        "loratadine": "loratadine",
        "chlorphenamine": "chlorphenamine | chlorpheniramine",
        "hydrocortisone": "hydrocortisone",
        "methylprednisolone": "methylprednisolone",
        "dopamine": "dopamine",
        "vasopressin": "vasopressin",
    },
    "glucose-lowering drug": {
        "metformin": "metformin",
        "insulin": "insulin",
        "sulfonylurea": "sulfonylurea | sulphonylurea | glipizide | glimepiride",
        "glp-1 agonist": "semaglutide | liraglutide | glp 1",
        "sglt2 inhibitor": "sglt2 | empagliflozin | dapagliflozin",
    },
    "antithrombotic": {
        "warfarin": "warfarin",
        "unfractionated heparin": "unfractionated heparin | heparin",
        "low-molecular-weight heparin": "low molecular weight heparin | lmwh | enoxaparin | dalteparin",
        "apixaban": "apixaban",
        "rivaroxaban": "rivaroxaban",
        "dabigatran": "dabigatran",
        "edoxaban": "edoxaban",
        "fondaparinux": "fondaparinux",
        "aspirin": "aspirin | acetylsalicylic acid",
        "clopidogrel": "clopidogrel",
        "ticagrelor": "ticagrelor",
        "prasugrel": "prasugrel",
    },
    "thrombolytic": {
        "alteplase": "alteplase | tpa",
        "tenecteplase": "tenecteplase",
    },
    "antidote": {
        "protamine": "protamine",
        "vitamin k": "vitamin k",
        "idarucizumab": "idarucizumab",
        "andexanet": "andexanet",
        "naloxone": "naloxone",
        "flumazenil": "flumazenil",
    },
    "stress agent": {
        "regadenoson": "regadenoson",
        "adenosine": "adenosine",
        "dipyridamole": "dipyridamole",
        "dobutamine": "dobutamine",
        "aminophylline": "aminophylline",
    },
    "sedative": {
        "midazolam": "midazolam",
        "propofol": "propofol",
        "ketamine": "ketamine",
        "dexmedetomidine": "dexmedetomidine",
        "fentanyl": "fentanyl",
        "lorazepam": "lorazepam",
    },
    "cardiovascular drug": {
        "beta-blocker": "beta blocker | beta blockade | metoprolol | esmolol | propranolol | atenolol",
        "labetalol": "labetalol",
        "nitroglycerin": "nitroglycerin | glyceryl trinitrate | nitrate",
        "calcium-channel blocker": (
            "calcium channel blocker | verapamil | diltiazem | nicardipine | nifedipine"
        ),
        "ivabradine": "ivabradine",
        "amiodarone": "amiodarone",
        "lidocaine": "lidocaine | lignocaine",
    },
    "renal prophylaxis": {
        "saline": "saline | sodium chloride",
        "bicarbonate": "bicarbonate | sodium bicarbonate",
        "acetylcysteine": "acetylcysteine | n acetylcysteine",
        "mannitol": "mannitol",
        "furosemide": "furosemide | frusemide",
    },
    "extravasation antidote": {
        "hyaluronidase": "hyaluronidase",
        "phentolamine": "phentolamine",
    },
    "antispasmodic": {
        "glucagon": "glucagon",
        "hyoscine": "hyoscine | butylscopolamine | buscopan",
    },
    "radiopharmaceutical": {
        "fdg": "fdg | fluorodeoxyglucose",
        "technetium": "technetium | tc 99 m | tc99m | 99 mtc | 99mtc",
        "iodine-131": "iodine 131 | i 131 | 131 i | radioiodine | i131",
        "iodine-123": "iodine 123 | i 123 | 123 i | i123",
        "gallium-68": "gallium 68 | ga 68 | 68 ga | dotatate | dotatoc",
        "psma": "psma",
        "lutetium-177": "lutetium | lu 177 | 177 lu",
        "yttrium-90": "yttrium | y 90 | 90 y",
        "thallium-201": "thallium | tl 201",
        "rubidium-82": "rubidium | rb 82",
        "radium-223": "radium | ra 223",
        "xenon-133": "xenon",
    },
    "tc agent": {
        "mdp": "mdp | methylene diphosphonate",
        "maa": "maa | macroaggregated albumin",
        "dtpa": "dtpa",
        "mag3": "mag3",
        "dmsa": "dmsa",
        "sestamibi": "sestamibi | mibi",
        "hida": "hida | mebrofenin",
        "sulfur colloid": "sulfur colloid | sulphur colloid",
        "pertechnetate": "pertechnetate",
    },
    "thyroid protection": {
        "potassium iodide": "potassium iodide",
        "potassium perchlorate": "perchlorate",
    },
    "device": {
        "pacemaker": "pacemaker | cardiac pacemaker",
        "defibrillator": "icd | icds | implantable cardioverter defibrillator | defibrillator",
        "cochlear implant": "cochlear implant",
        "neurostimulator": "neurostimulator | deep brain stimulator | nerve stimulator",
        "spinal cord stimulator": "spinal cord stimulator",
        "insulin pump": "insulin pump | infusion pump",
        "aneurysm clip": "aneurysm clip",
        "stent": "stent | coronary stent",
        "prosthetic valve": "prosthetic heart valve | prosthetic valve | mechanical valve | heart valve",
        "ivc filter": "ivc filter | vena cava filter",
        "loop recorder": "loop recorder",
        "joint prosthesis": "joint prosthesis | hip prosthesis | arthroplasty",
        "intrauterine device": "iud | intrauterine device",
        "tissue expander": "tissue expander",
        "metallic foreign body": "metallic foreign body | ferromagnetic foreign body | metal fragment",
        "central line": "central line | central venous catheter | picc",
        "peripheral cannula": "peripheral cannula | peripheral iv | peripheral venous catheter",
    },
    "tissue sampling": {
        "fine-needle aspiration": "fna | fine needle aspiration",
        "core biopsy": "core biopsy | core needle biopsy",
        "excision": "excision | excisional biopsy | surgical excision",
    },
    "reperfusion": {
        "thrombolysis": "thrombolysis | fibrinolysis",
        "thrombectomy": "thrombectomy",
    },
    "route": {
        "intravenous": "iv | intravenous | intravenously | i v",
        "intramuscular": "im | intramuscular | intramuscularly | i m",
        "oral": "oral | orally | by mouth | po | p o | enteral",
        "subcutaneous": "subcutaneous | subcutaneously | sc | subcut",
        "intrathecal": "intrathecal | intrathecally",
        "intra-arterial": "intraarterial | intra arterial | intraarterially",
        "rectal": "rectal | rectally | per rectum",
        "inhaled": "inhaled | inhalation | nebulized | nebulised | nebulizer | nebuliser",
        "intraosseous": "intraosseous",
    },
    "sequence": {
        "t1": "t1 | t1 weighted | t1w",
        "t2": "t2 | t2 weighted | t2w",
        "dwi": "dwi | diffusion weighted | diffusion weighted imaging",
        "adc": "adc",
        "flair": "flair",
        "swi": "swi | susceptibility weighted",
    },
    "modality": {
        "ct": "ct | computed tomography | ldct | cect | ncct",
        "ct angiography": "cta | ct angiography | ctpa | ct angiogram",
        "mri": "mri | mr | magnetic resonance | magnetic resonance imaging | mr imaging | mri scan",
        "mr angiography": "mra | mr angiography",
        "mrcp": "mrcp",
        "ultrasound": "ultrasound | sonography | ultrasonography | sonogram | sonographic | doppler",
        "radiography": "radiograph | radiography | cxr | x ray | xray | plain film | plain radiograph",
        "mammography": "mammography | mammogram",
        "tomosynthesis": "tomosynthesis | dbt",
        "pet": "pet | pet / ct | pet ct | positron emission tomography",
        "scintigraphy": (
            "scintigraphy | bone scan | ventilation perfusion scan | v / q scan | perfusion scan"
        ),
        "catheter angiography": "dsa | catheter angiography | digital subtraction angiography",
        "fluoroscopy": "fluoroscopy",
        "echocardiography": "echocardiography | echocardiogram",
        "endoscopy": "endoscopy | colonoscopy",
    },
}

GENERIC: Final[dict[str, frozenset[str]]] = {
    "gadolinium": frozenset(AGENTS["gadolinium agent"]),
    "iodinated contrast": frozenset({*AGENTS["iodinated agent"], "water-soluble contrast"}),
    "ct": frozenset({"ct angiography"}),
    "mri": frozenset({"mr angiography", "mrcp"}),
    "mammography": frozenset({"tomosynthesis"}),
    "technetium": frozenset(AGENTS["tc agent"]),
}
"""A name that includes others: naming the one for the other is no contradiction."""

BROAD: Final = frozenset({"modality", "sequence", "route", "contrast medium"})
"""Classes named in passing so often that only a close alignment makes a difference in them count."""
