"""What a sentence says, without the words that only say where it comes from, or that something is said.

Chat models wrap what they claim: "Based on the provided guideline, …", "… for this patient (Document 2)."
Such words speak of nothing, but beside the evidence they would count as a part of the claim that it lacks.
Only closed phrases are left out: no figure but a citation's, and no word that could be wrong.
"""

import re
from typing import Final

from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.exchange import Span

_MOST: Final = 4
"""Phrases of which one begins where another ended: "In summary, according to the guideline, …"."""
_NAMES: Final = (
    "provided|supplied|given|available|current|cited|above|retrieved|attached|local|institutional|relevant"
    "|following|latest|clinical|official|departmental|hospital|practice|radiology|same|published|established"
    "|standard|existing|updated|national|international|society|european|american|british|(?:19|20)[0-9]{2}"
    "|aapm|acc|acog|acr|aga|aha|ats|bts|cirse|easl|eau|esc|esge|esmo|esr|esur|idsa|nccn|nice|rcog|rcr|sir|snmmi|who"
)
_SOURCES: Final = (
    "evidence|guidelines?|guidance|documents?|documentation|passages?|texts?|sources?|excerpts?|context"
    "|information|protocols?|polic(?:y|ies)|recommendations?|statements?|materials?|references?|leaflet"
    "|consensus|literature|snippets?"
)
_SOURCE: Final = (
    rf"(?:(?:the|this|that|these|those|your|our) +)?(?:(?:{_NAMES}),? +){{0,5}}(?:{_SOURCES})\b"
    rf"(?: +(?:{_NAMES}|{_SOURCES}|here|you (?:gave|provided|shared|supplied)|in the (?:context|prompt)"
    r"|\[?[0-9]{1,3}\]?(?!\w)|[A-H](?=[ ,:)]))){0,4}"
)
_BOTH: Final = rf"{_SOURCE}(?: +and +{_SOURCE})?"
_GIVEN_IN: Final = (
    "described|given|indicated|listed|mentioned|noted|outlined|recommended|specified|stated|written"
)
_BY: Final = (
    r"(?:(?:solely |only |directly )?(?:based|relying) (?:solely |only |directly |strictly )?(?:up)?on"
    r"|according to|(?:as )?per|in (?:line|accordance|keeping|agreement) with|consistent with"
    rf"|as (?:{_GIVEN_IN}) (?:in|by))"
)
_CASE: Final = (
    r"(?:this|the|your) (?:(?:specific|particular|given|described|clinical|individual) )?"
    r"(?:patient|case|scenario|situation|setting|context|individual)"
    r"(?: (?:described|presented|in question|above))?"
)
_OPENING: Final = re.compile(
    r"[*_]{0,3}(?:"
    rf"(?:{_BY}|from|given|in|within|under|using|following) +{_BOTH} *[*_]{{0,3}}[,:]"
    rf"|{_SOURCE} +(?:(?:also|clearly|explicitly|further|specifically) +)?"
    r"(?:(?:states?|says?|indicates?|notes?|mentions?|explains?|specif(?:y|ies)) +that\b"
    r"|(?:states?|says?|notes?|reads?|recommends?|advises?|suggests?|lists?|gives?)(?: +the following)? *:)"
    r"|(?:it (?:is|should be|must be) (?:also )?(?:important|essential|worth|crucial|useful)"
    r"(?: to)? (?:note|noting|remember|remembering|mention|mentioning)"
    r"|it (?:is|should be) (?:also )?(?:noted|stated)|(?:please )?(?:also )?(?:note|remember)"
    r"|keep in mind|bear in mind) +that\b"
    r"|(?:in (?:summary|short|brief|conclusion|addition|contrast|other words|this context|particular)"
    r"|by contrast|to (?:summari[sz]e|conclude|answer your question)|as such|as a result|for reference"
    r"|additionally|furthermore|moreover|finally|importantly|notably|specifically|accordingly"
    r"|consequently|overall|yes|no|correct) *,"
    rf"|(?:in|for) {_CASE} *[*_]{{0,3}},"
    r"|(?:(?:short|final|direct|clear) )?(?:recommendation|answer|summary|conclusion|key point|bottom line"
    r"|note|response|rationale|explanation|important) *[*_]{0,3}:"
    r")[*_]{0,3} *",
    re.IGNORECASE,
)
_OPENS: Final = wordset(
    "based relying solely only directly strictly according as per in consistent from given within under using"
    " following the this that these those your our it please also note remember keep bear by to for"
    " additionally furthermore moreover finally importantly notably specifically accordingly consequently"
    " overall yes no correct short final direct clear recommendation answer summary conclusion key bottom"
    " response rationale explanation important guideline guidelines guidance evidence document documents"
    " source sources passage local current"
)
_CLOSING: Final = re.compile(
    r"(?:"
    rf"[ ,;]*(?:\(|\[|[–—-] *)?\b{_BY} +{_BOTH}"
    rf"|[ ,]*\b(?:in|for) {_CASE}"
    rf"|[ ,;]*\((?:see |source: ?|from )?{_SOURCE}"
    r")[)\]*_ .!]*$",
    re.IGNORECASE,
)
_CLOSES: Final = wordset(
    "evidence guideline guidelines guidance document documents documentation passage passages text texts"
    " source sources excerpt excerpts context information protocol protocols policy policies recommendation"
    " recommendations statement statements material materials reference references leaflet consensus"
    " literature snippet snippets provided supplied given above cited here gave shared prompt patient case"
    " scenario situation setting individual described presented question"
)
_LONGEST: Final = 120
"""Characters that a phrase may have at most."""
_WORD: Final = re.compile(r"[^\W_]")


def said(text: str, span: Span) -> Span:
    """Return the stretch of a sentence that says something; all of it where nothing else would be left."""
    start, end = span.start, span.end
    for _ in range(_MOST):
        opening = _opening(text, start, end)
        if not opening:
            break
        start = opening
    end = _closing(text, start, end)
    return Span(start, end) if _WORD.search(text, start, end) else span


def _opening(text: str, start: int, end: int) -> int:
    """Return where the phrase that begins at `start` ends, 0 where none begins there."""
    first = start
    while first < end and text[first] in "*_":
        first += 1
    last = first
    while last < end and text[last].isalpha():
        last += 1
    if text[first:last].lower() not in _OPENS:
        return 0
    found = _OPENING.match(text, start, min(end, start + _LONGEST))
    return found.end() if found and found.end() < end else 0


def _closing(text: str, start: int, end: int) -> int:
    """Return where the phrase begins that ends a sentence, `end` where none does."""
    last = end
    while last > start and not text[last - 1].isalnum():
        last -= 1
    first = last
    while first > start and text[first - 1].isalnum():
        first -= 1
    word = text[first:last]
    if word.lower() not in _CLOSES and not (word.isdecimal() and text[last : last + 1] in ("]", ")")):
        return end
    found = _CLOSING.search(text, max(start + 1, end - _LONGEST), end)
    return found.start() if found else end
