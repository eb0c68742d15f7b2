"""How assertively an answer speaks, whatever its probability."""

import re
from collections.abc import Sequence
from typing import Final, final

from gatekeeper.assessment import Field, Finding, Subject
from gatekeeper.checks.words import words_of

_PLAIN: Final = 0.8
"""A sentence that states a fact without a word about certainty."""
_BOOSTED: Final = 1.0
_HEDGED: Final = 0.4
_UNSURE: Final = 0.1
_HEDGED_BELOW: Final = 0.6


@final
class _Phrases:
    """Phrases of which each holds one of the words in `telling`: without one the slow search is spared."""

    def __init__(self, assertive: float, telling: str, phrases: str, *, first: str = "") -> None:
        self.assertive = assertive
        self.telling = frozenset(words_of(telling))
        # A literal word is found many times as fast as a boundary: where all phrases begin alike, it leads.
        begin = rf"{first}(?<=\b{first})" if first else r"\b"
        # Small letters on both sides: matching that ignores case takes three times as long.
        self._pattern = re.compile(rf"{begin}(?:{phrases})\b")

    def occur(self, sentence: str, told: list[bytes]) -> bool:
        """Whether a sentence in small letters, with the telling words that it holds, holds a phrase."""
        return any(word in self.telling for word in told) and self._pattern.search(sentence) is not None


_PERMITTED: Final = (
    "administered|carried out|considered|continued|deferred|delayed|discharged|done|followed|given|held"
    "|imaged|injected|obtained|offered|omitted|performed|released|repeated|resumed|scanned|started|stopped"
    "|taken|treated|used|withheld"
)
"""After "may be" these words grant a permission; other words there express a doubt."""
_PHRASES: Final = (
    _Phrases(
        _UNSURE,
        "sure certain",
        r"(?:am not|'m not|’m not|cannot be|can't be|not entirely|not completely|not) (?:sure|certain)",
    ),
    _Phrases(_UNSURE, "know", r"i (?:do not|don't|don’t) know"),
    _Phrases(
        _UNSURE,
        "answer determine determined say tell",
        r"(?:cannot|unable to|hard to|can't) (?:answer|determine|say|tell|be determined)",
    ),
    _Phrases(_UNSURE, "unclear uncertain", r"unclear|uncertain"),
    _Phrases(
        _UNSURE,
        "information evidence data",
        r"(?:insufficient|not enough) (?:information|evidence|data)",
    ),
    _Phrases(_UNSURE, "say state address contain", r"does not (?:say|state|address|contain)"),
    _Phrases(
        _HEDGED,
        "may",
        rf" (?:be(?! (?:also )?(?:{_PERMITTED})\b)"
        r"|(?:also )?(?:cause|indicate|suggest|represent|reflect|have|need|help))",
        first="may",
    ),
    _Phrases(
        _HEDGED,
        "might perhaps possible possibly probable probably likely potentially presumably",
        r"might|perhaps|possibl[ey]|probabl[ey]|likely|potentially|presumably",
    ),
    _Phrases(
        _HEDGED,
        "appear appears seem seems suggest suggests tend tends could",
        r"appears?|seems?|suggests?|tends? to|could be",
    ),
    _Phrases(
        _HEDGED,
        "think believe suspect opinion knowledge",
        r"i (?:think|believe|suspect)|in my opinion|to my knowledge",
    ),
    _Phrases(
        _HEDGED,
        "generally usually typically often roughly depends depending necessarily",
        r"generally|usually|typically|often|roughly|it depends|depending on|not necessarily",
    ),
    _Phrases(_HEDGED, "consult verify confirm limited", r"consult|verify|confirm with|limited evidence"),
    _Phrases(
        _BOOSTED,
        "definitely certainly clearly undoubtedly absolutely always never obviously unquestionably",
        r"definitely|certainly|clearly|undoubtedly|absolutely|always|never|obviously|unquestionably",
    ),
    _Phrases(
        _BOOSTED,
        "doubt guaranteed must cases exception exceptions",
        r"without (?:a |any )?doubt|guaranteed|must|in all cases|no exceptions?",
    ),
)
"""The first of these that a sentence holds decides."""
_TELLING: Final = frozenset(word for phrases in _PHRASES for word in phrases.telling)
_STATED: Final = re.compile(
    r"\b(?:(?P<before>\d{1,3})\s?%\s(?:sure|certain|confident)"
    r"|(?:confidence|certainty)(?: is| of|:)?\s(?P<after>\d{1,3})\s?%)",
    re.IGNORECASE,
)


class Hedging:
    """Reads assertiveness in [0, 1] from the words of the answer.

    `hedging.assertiveness` is the mean over the answer's claims: 1.0 boosted ("definitely"), 0.8 plain,
    0.4 hedged ("probably"), 0.1 unsure ("I am not sure"), or the percentage that the text itself
    states. `hedging.hedged` is 1 where that mean is below 0.6. Both are absent for an empty answer.
    """

    name = "hedging"
    inline = True

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Return the two signals of one answer."""
        content = subject.answer.content
        texts = [claim.span.of(content) for claim in subject.claims if claim.field is Field.CONTENT]
        texts = texts or ([content] if content.strip() else [])
        if not texts:
            return ()
        mean = sum([assertiveness(text) for text in texts]) / len(texts)
        return (
            Finding("hedging", "hedging.assertiveness", value=mean),
            Finding("hedging", "hedging.hedged", value=float(mean < _HEDGED_BELOW)),
        )


def assertiveness(sentence: str) -> float:
    """Return how assertively one sentence speaks, in [0, 1]."""
    stated = _STATED.search(sentence) if "%" in sentence else None
    if stated:
        return min(100, int(stated["before"] or stated["after"])) / 100
    sentence = sentence.lower()
    told = [word for word in words_of(sentence) if word in _TELLING]
    if told:
        for phrases in _PHRASES:
            if phrases.occur(sentence, told):
                return phrases.assertive
    return _PLAIN
