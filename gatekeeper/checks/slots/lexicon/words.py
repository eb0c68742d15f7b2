"""Words that carry no subject, words that mean the same, and words that turn a statement round."""

from typing import Final

from gatekeeper.checks.slots.lexicon.agents import Vocabulary
from gatekeeper.checks.slots.lexicon.wordset import wordset

STOP: Final = wordset(
    "a about above according after all also although am an and any are as at be because been before being"
    " below between both but by can could did do does doing down during each either else every few"
    " for from further had has have having he her here hers him his how however i if in into is it"
    " its itself just least less let like made make may me might more most much must my need needs"
    " no nor not of off on once only or other our out over own per rather same shall she should"
    " since so some such than that the their them then there these they this those through thus to"
    " together too under until unless up upon us use used using very was we well were what when"
    " where whether which while who whom whose why will with within without would yes you your etc"
    " eg ie vs via per one ones new old mm"
    " probably usually generally typically often commonly possibly perhaps largely mostly mainly ideally"
)

LOW: Final = wordset(
    "accord acr advice agent answer appl approach appropriate approximate associate authority base"
    " basis best call carry case category choice choose clinic college commonly common concern"
    " condition consensus correct current defined definition describe document dose edition eg esc"
    " esur evaluate evidence example expert fact fda figure finding first follow following general"
    " give given good guidance guide guideline icrp idea imaging important include indicate"
    " individual information know latest level limit list low main manage management manual mean"
    " measure medical method most name next normally note number obtain occur offer old option"
    " order part patient person place point practice prefer present procedure proceed protocol"
    " provide question range rate reach reason receive recommend recommendation refer report"
    " require research result routine rule safe say scan scenario set side show society source"
    " standard state statement step study suggest table take term test text therefore threshold"
    " treatment true typical undergo usual value version year update updated older radiologist"
    " radiology clinician physician team hospital system people subject value lead cause due help"
    " consider considered show shows seen"
    " aaaai aapm aasld acc acog aga aha alat asa asge ats bts cirse eanm easl ean eau eular ers figo hrs iec"
    " jrs nccn ncrp nice nrc rcr rsna sir snmmi svs who american british canadian european german national"
    " international labelling labeling label update paper regulation regulatory revised"
    " again ahead already alternative always another apply around ask based because beyond clinical come"
    " comparison count decide depend enter everything expect far final get go going instead involve lie local"
    " look meantime meet met mind move near now otherwise pass plan please plus qualify remain remember"
    " roughly sensible separate situation specific stay still there thing think timing way whereas work"
)
"""Words that guidelines use for anything, and the societies that write them.

They weigh a quarter of a word that names a subject.
"""

DISTINCT: Final = wordset("lactate")
"""Words that share their stem with a word of another meaning (lactation)."""

SYNONYMS: Final[dict[str, str]] = {
    "contrast": "contrast | contrast medium | contrast media | contrast agent | contrast material",
    "egfr": (
        "egfr | gfr | estimated gfr | glomerular filtration rate | estimated glomerular filtration rate"
    ),
    "crcl": "crcl | creatinine clearance",
    "bicarbonate": "bicarbonate | hco3 | hco₃",
    "lumbar puncture": "lumbar puncture | lp | spinal tap",
    "aki": "aki | acute kidney injury | acute renal failure",
    "ckd": "ckd | chronic kidney disease",
    "contrast nephropathy": (
        "contrast associated acute kidney injury | contrast induced nephropathy | ca aki | ci aki"
    ),
    "nsf": "nsf | nephrogenic systemic fibrosis",
    "anaphylaxis": "anaphylaxis | anaphylactic | anaphylactoid",
    "allergy": "allergy | allergic | hypersensitivity | allergic like",
    "premedication": "premedication | premedicate | premedicated | steroid premedication | steroid prep",
    "prophylaxis": "prophylaxis | prophylactic | prevention | preventive",
    "hydration": "hydration | volume expansion | iv fluid",
    "follow-up": (
        "followed | follows | follow up | surveillance | rescan | rescanned | repeat | repeated |"
        " recheck | reassess | recall | monitoring | followup | reimage | reimaging | reevaluate |"
        " reassessed | rechecked | reassessment"
    ),
    "biopsy": "biopsy | biopsied | tissue sampling | tissue diagnosis | sampled | sampling",
    "malignancy": "malignancy | cancer | malignant | carcinoma | neoplasm",
    "likelihood": "likelihood | probability | chance",
    "hemorrhage": "hemorrhage | haemorrhage | bleeding | bleed",
    "stroke": "stroke | infarct | infarction | cerebrovascular accident",
    "pulmonary embolism": "pulmonary embolism | pulmonary emboli",
    "deep vein thrombosis": "dvt | deep vein thrombosis | deep venous thrombosis",
    "aneurysm": "aneurysm | aneurysmal",
    "heartbeat": "heartbeat | cardiac activity | heart motion | cardiac motion | heart beat",
    "embryo": "embryo | embryonic pole | fetal pole",
    "pregnancy loss": (
        "pregnancy loss | miscarriage | pregnancy failure | nonviable pregnancy | failed pregnancy"
    ),
    "adenoma": "adenoma",
    "attenuation": "attenuation | hounsfield | density",
    "peak systolic velocity": "psv | peak systolic velocity",
    "stenosis": "stenosis | narrowing | stenotic",
    "fracture": "fracture | broken",
    "nodule": "nodule | nodular",
    "lesion": "lesion | mass | abnormality",
    "diagnosis": "diagnosis | diagnostic | diagnose",
    "interval growth": "threshold growth",
    "arterial hyperenhancement": (
        "aphe | arterial phase hyperenhancement | nonrim aphe | arterial hyperenhancement"
    ),
    "effective dose": "effective dose",
    "annual": "annual | annually | yearly",
    "shellfish": "shellfish | seafood",
    "surgery": "surgery | surgical | operation | operative",
    "extravasation": "extravasation | extravasated",
    "thyroid storm": "thyrotoxicosis | hyperthyroidism | hyperthyroid",
    "perforation": "perforation | perforated | leak",
    "arrest": "arrest | cardiac arrest",
    "life support": "life support | cpr | resuscitation | basic life support",
    "nothing by mouth": "fasting | fasted | nil by mouth",
    "reaction": "reaction | adverse reaction",
    "ceiling": "cap | capped | ceiling | maximum | limit | limited | upper limit",
    "minimum": "minimum | minimal",
    "screening": "screening | screened | screen",
    "young": "young | younger",
    "asthma": "asthma | asthmatic",
    "infant feeding": "milk",
    "abdomen": "abdomen | abdominal",
    "orbit": "orbit | orbital",
    "pelvis": "pelvis | pelvic",
    "pleura": "pleura | pleural",
    "rib": "rib | ribs",
    "leg": "leg | legs",
    "apex": "apex | apical",
    "nasogastric": "nasogastric | ng",
    "displacement": "displaced | displacement | deviation | deviated",
    "size": "size | measuring | measured | diameter | large | small | length | wide | width",
}
"""Concepts that answers and guidelines name in different words; only for telling what is spoken of."""

AXES: Final[Vocabulary] = {
    "presence": {"+": "present | presence", "-": "absent | absence | lack"},
    "nature": {"+": "malignant", "-": "benign"},
    "trend": {
        "+": (
            "increase | increased | increases | rise | rises | raise | raises | grow | grows |"
            " enlarge | enlarges | prolong | prolongs | lengthen"
        ),
        "-": (
            "decrease | decreased | decreases | fall | falls | reduce | reduces | reduced | shrink"
            " | shrinks | lowers | shorten | shortens"
        ),
    },
    "extreme": {"+": "highest | greatest | largest", "-": "lowest | smallest"},
    "frequency": {
        "+": "most common | more common | frequent",
        "-": "rare | uncommon | infrequent | less common",
    },
    "typicality": {"+": "typical", "-": "atypical"},
    "signal": {"+": "hyperintense | bright", "-": "hypointense | dark"},
    "echo": {"+": "hyperechoic | echogenic", "-": "hypoechoic | anechoic"},
    "density": {"+": "hyperdense | hyperattenuating", "-": "hypodense | hypoattenuating"},
    "vascularity": {"+": "hypervascular", "-": "hypovascular | avascular"},
    "proof": {
        "+": "confirm | confirms | proves",
        "-": "exclude | excludes | rule out | rules out | ruled out",
    },
    "sufficiency": {"+": "adequate | sufficient", "-": "inadequate | insufficient"},
    "compatibility": {"+": "compatible", "-": "incompatible"},
    "test result": {"+": "positive", "-": "negative"},
    "diffusion": {"+": "restricted diffusion | restricts diffusion", "-": "facilitated diffusion"},
    "reversibility": {"+": "reversible", "-": "irreversible"},
    "texture": {"+": "homogeneous", "-": "heterogeneous"},
    "margin": {"+": "well defined | smooth | circumscribed", "-": "ill defined | spiculated | irregular"},
    "completeness": {"+": "complete | total", "-": "incomplete | partial"},
    "place": {"+": "above | cranial to | superior to", "-": "below | beneath | caudal to | inferior to"},
    "position": {"+": "supine", "-": "prone"},
    "estimate": {"+": "overestimate | overestimates", "-": "underestimate | underestimates"},
    "breathing": {"+": "inspiration | inspiratory", "-": "expiration | expiratory"},
    "side of the peritoneum": {"+": "intraperitoneal", "-": "extraperitoneal | retroperitoneal"},
    "side of the axis": {"+": "intraaxial | intra axial", "-": "extraaxial | extra axial"},
    "location": {"+": "central", "-": "peripheral"},
    "depth": {"+": "superficial", "-": "deep"},
    "quality": {"+": "better | superior", "-": "worse"},
    "scope": {
        "+": "all patients | every patient | everyone | universally",
        "-": "selected patients | selected | individual basis",
    },
}
"""Pairs of words that deny each other. A negation turns one into the other."""

NEGATORS: Final = (
    "not | no | never | without | neither | nor | none | cannot | isn't | aren't | doesn't | don't"
    " | didn't | wasn't | weren't | shouldn't | can't | won't | wouldn't | couldn't | mustn't |"
    " needn't | hasn't | haven't | nothing | free of | instead of | rather than | isn’t | aren’t |"
    " doesn’t | don’t | didn’t | shouldn’t | can’t | won’t"
)

STANCES: Final[dict[str, str]] = {
    "required": (
        "indication | required | require | requires | requirement | necessary | need | needs |"
        " needed | mandatory | essential | obligatory | imperative | call for | calls for | called for"
    ),
    "obliged": "must | shall",
    "recommended": (
        "recommended | recommend | recommends | indicated | should | advised | advise | appropriate"
        " | warranted | preferred | prefers | favoured | favored | suggested | justified"
        " | treatment of choice | first line"
    ),
    "allowed": (
        "safe | safely | acceptable | accepted | reasonable | allowed | permitted | permissible | tolerated |"
        " eligible | feasible | no action | no restriction | no precautions | no special precautions | no"
        " adjustment"
    ),
    "unnecessary": "unnecessary | unneeded | needless | optional | no longer needed",
    "avoided": (
        "contraindicated | contraindication | contraindicates | avoid | avoided | avoiding | kept away |"
        " keep away | prohibited | unsafe | forbidden | discouraged | inadvisable | inappropriate |"
        " dangerous | hazardous | precluded | preclude | precludes | unacceptable |"
        " not safe | ill advised | advises against |"
        " advise against | advised against | recommends against | recommend against | recommended against"
        " | argues against"
    ),
    "possible": "may | can | could | might",
    "done": (
        "not be awaited | not await | not wait | not delay | without waiting | continue | continued"
        " | continues | continuing | resume | resumed | restart | restarted | give | given | gives"
        " | administer | administered | use | used | perform | performed | proceed | keep | kept |"
        " done | carried out | start | started | begin | injected | receive | receives | undergo |"
        " undergoes | obtain | obtained | administration | go on"
    ),
    "left out": (
        "delay | delays | withhold | withheld | withholding | hold | held | holding | stop |"
        " stopped | stopping | discontinue | discontinued | interrupt | interrupted | suspend |"
        " suspended | omit | omitted | cease | pause | paused | withdraw | withdrawn | forgo | skip"
        " | skipped | discard | discarded | interruption | discontinuation"
    ),
}
"""What a clause says of an action; `done` and `left out` are the actions themselves."""

RELATIONS: Final[dict[str, str]] = {
    "before": "before | prior to | preceding | ahead of | pre",
    "after": "after | following | post | later | afterwards | subsequent to",
    "during": "during | while | throughout | concurrently",
}

URGENCY: Final[dict[str, str]] = {
    "immediate": (
        "immediate | immediately | at once | without delay | right away | straight away | promptly | stat"
    ),
    "urgent": "urgent | urgently | emergent | emergently | emergency",
    "routine": (
        "elective | electively | deferred | defer | nonurgent | non urgent | routine basis |"
        " outpatient basis | is delayed | are delayed | not delayed | not be delayed | delayed"
        " until | postponed | put off | next available"
    ),
}

SIDES: Final[dict[str, str]] = {
    "left": "left | leftward | left sided",
    "right": "right | rightward | right sided",
    "both": (
        "bilateral | bilaterally | both sides | both kidneys | both lungs | both breasts | both"
        " adrenals | both ovaries | both legs"
    ),
    "one": "unilateral | unilaterally | one sided",
    "opposite": "contralateral | opposite side | contralaterally",
    "same": "ipsilateral | same side | ipsilaterally",
}

SCOPES: Final[dict[str, str]] = {
    "any": (
        "regardless of | regardless | irrespective of | irrespective | independent of | independently of |"
        " whatever | no matter | even if | even when | even while | even with | even without | even in |"
        " whether or not | with or without"
    ),
    "only": "only if | only when | only with | only once | only in case of | provided that",
}
"""What a statement says of a condition: it holds in any case, or only where the condition is met."""

EXCEPTIONS: Final = "unless | except | except for | other than | apart from"
