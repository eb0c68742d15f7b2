"""How assertively an answer speaks, whatever its probability."""

import re
from collections.abc import Sequence
from typing import Final

from gatekeeper.assessment import Field, Finding, Subject
from gatekeeper.checks.slots.lexicon.wordset import wordset

_PLAIN: Final = 0.8
"""A sentence that states a fact without a word about certainty."""
_BOOSTED: Final = 1.0
_HEDGED: Final = 0.4
_UNSURE: Final = 0.1
_HEDGED_BELOW: Final = 0.6


class _Phrases:
    """Phrases of which each holds one of the words in `telling`: without one the slow search is spared."""

    def __init__(self, telling: str, *phrases: str) -> None:
        self._telling = wordset(telling)
        # Small letters on both sides: matching that ignores case takes three times as long.
        self._pattern = re.compile(rf"\b(?:{'|'.join(phrases)})\b")

    def occur(self, sentence: str, words: Sequence[str]) -> bool:
        """Whether a sentence with its words, all in small letters, holds one of the phrases."""
        return not self._telling.isdisjoint(words) and self._pattern.search(sentence) is not None


_WORD: Final = re.compile(r"\w+")
_UNSURE_WORDS: Final = _Phrases(
    "sure certain know answer determine determined say tell unclear uncertain information evidence data"
    " state address contain",
    r"(?:am not|'m not|’m not|cannot be|can't be|not entirely|not completely|not) (?:sure|certain)",
    r"i (?:do not|don't|don’t) know",
    r"(?:cannot|unable to|hard to|can't) (?:answer|determine|say|tell|be determined)",
    r"unclear|uncertain",
    r"(?:insufficient|not enough) (?:information|evidence|data)",
    r"does not (?:say|state|address|contain)",
)
_PERMITTED: Final = (
    "administered|carried out|considered|continued|deferred|delayed|discharged|done|followed|given|held"
    "|imaged|injected|obtained|offered|omitted|performed|released|repeated|resumed|scanned|started|stopped"
    "|taken|treated|used|withheld"
)
"""After "may be" these words grant a permission; other words there express a doubt."""
_HEDGE_WORDS: Final = _Phrases(
    "might perhaps possible possibly probable probably likely potentially presumably appear appears seem"
    " seems suggest suggests tend tends could may think believe suspect opinion knowledge generally usually"
    " typically often roughly depends depending necessarily consult verify confirm limited",
    r"might|perhaps|possibl[ey]|probabl[ey]|likely|potentially|presumably",
    rf"appears?|seems?|suggests?|tends? to|could be|may be(?! (?:also )?(?:{_PERMITTED})\b)",
    r"may (?:also )?(?:cause|indicate|suggest|represent|reflect|have|need|help)",
    r"i (?:think|believe|suspect)|in my opinion|to my knowledge",
    r"generally|usually|typically|often|roughly|it depends|depending on|not necessarily",
    r"consult|verify|confirm with|limited evidence",
)
_BOOST_WORDS: Final = _Phrases(
    "definitely certainly clearly undoubtedly absolutely always never obviously unquestionably doubt"
    " guaranteed must cases exception exceptions",
    r"definitely|certainly|clearly|undoubtedly|absolutely|always|never|obviously|unquestionably",
    r"without (?:a |any )?doubt|guaranteed|must|in all cases|no exceptions?",
)
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
        mean = sum(map(assertiveness, texts)) / len(texts)
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
    words = _WORD.findall(sentence)
    if _UNSURE_WORDS.occur(sentence, words):
        return _UNSURE
    if _HEDGE_WORDS.occur(sentence, words):
        return _HEDGED
    return _BOOSTED if _BOOST_WORDS.occur(sentence, words) else _PLAIN
