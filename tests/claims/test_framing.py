"""Words that only frame a claim are no part of it; words that could be wrong always are."""

import pytest

from gatekeeper.claims.framing import said
from gatekeeper.exchange import Span

CORE = "withhold metformin for 48 hours when the eGFR is below 30"
FRAMES = [
    "Based on the provided guideline, {}.",
    "**Based on the evidence provided**, {}.",
    "Based solely on the supplied documents and the local protocol, {}",
    "According to the 2023 ESUR guideline [2], {}.",
    "As stated in Document 1, {}.",
    "As per local policy: {}.",
    "The evidence states that {}.",
    "The provided passage clearly indicates that {}.",
    "The provided document recommends the following: {}.",
    "In summary, based on the information you provided, {}.",
    "It is important to note that {}.",
    "Yes, in this case, {}.",
    "In contrast, {}.",
    "For the patient described, {}.",
    "**Recommendation:** {}.",
    "**Short answer**: {}.",
    "{} (as stated in the source document).",
    "{} (Document 2).",
    "{}, according to the provided guideline.",
    "{} in accordance with local guidance and the cited protocol.",
    "{} for this patient.",
    "{}, as described in the evidence [1].",
]
WHOLE = [
    "Based on an eGFR below 30, contrast is withheld.",
    "According to the protocol for children, 2 mL/kg is given.",
    "Contrary to the guideline, contrast was given.",
    "The guideline does not state that metformin is safe.",
    "In this patient with renal failure, metformin is withheld.",
    "In the setting of acute kidney injury, metformin is withheld.",
    "In the guideline for pregnancy, gadolinium is avoided.",
    "Following the protocol reduces the dose.",
    "Contrast is given (see the guideline for eGFR below 30).",
    "Contrast is given according to the guideline for eGFR below 30.",
    "In contrast-enhanced CT, the rate is 4 mL/s.",
    "The guideline forbids: gadolinium in pregnancy.",
    "Dose: 2 mL/kg.",
    "According to the guideline.",
    "Yes.",
]


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_is_no_part_of_the_claim(frame: str) -> None:
    """However a model wraps a claim, the same words are held against the evidence."""
    text = f"Before. {frame.format(CORE)}"
    assert said(text, Span(8, len(text))).of(text).rstrip(".") == CORE


@pytest.mark.parametrize("text", WHOLE)
def test_what_could_be_wrong_stays(text: str) -> None:
    """A condition, a group of patients or a value is never taken for a frame, nor is a whole sentence."""
    assert said(text, Span(0, len(text))).of(text) == text
