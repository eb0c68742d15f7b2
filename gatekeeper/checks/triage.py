"""The input side: questions on topics that a policy treats more strictly, instructions inside evidence."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, final

from gatekeeper.assessment import Finding, Subject
from gatekeeper.checks.words import words_of
from gatekeeper.exchange import Case, Document, EvidenceSpan, Span

_INJECTION: Final = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}"
    r"\b(?:instructions?|prompts?|rules|guidelines above|everything above)\b"
    r"|\b(?:you are now|act as|pretend to be)\b (?:an? )?(?:\w+ ){0,4}(?:assistant|model|ai|doctor|system)\b"
    r"|\b(?:new|updated|real|hidden) (?:system )?(?:instructions?|prompt):"
    r"|\bsystem prompt\b|<\|im_start\|>|\[/?INST\]|<<SYS>>|^#{2,} ?(?:system|instruction)"
    r"|\b(?:do not|don't|never) (?:tell|reveal|mention (?:this|these))\b"
    r"|\b(?:always|only|must) (?:answer|respond|reply)(?: only)? (?:with|that)\b"
    r"|\b(?:answer|respond|reply) (?:only )?with (?:option |the letter )?\(?[A-E]\b",
    re.IGNORECASE | re.MULTILINE,
)

_TELLTALES: Final = (
    *("ignore", "disregard", "forget", "override", "instruction", "system prompt", "prompt:"),
    *("you are now ", "act as ", "pretend to be "),
    *(" tell", " reveal", " mention th", "answer ", "respond ", "reply "),
)
_SIGNS: Final = (("|", "<|im_start|>"), ("]", "inst]"), ("<", "<<sys>>"), ("#", "##"))
"""One of these stands in every text that the pattern matches; a sign is first sought by its rarest letter."""


class Triage:
    """Flags high-risk topics of the question, and evidence that gives instructions.

    `topics` maps a topic's name to its terms: words or phrases, matched whole and in any case; a
    trailing `*` matches any ending. Signals: `triage.<topic>` and `triage.high_risk` (any topic) say
    what the user's turns speak of; `triage.injection` says that the evidence tries to instruct. It
    names the place; what it asks for changes no verdict, since evidence is data.
    """

    name = "triage"
    inline = True

    def __init__(self, topics: Mapping[str, Sequence[str]]) -> None:
        self._topics = {topic: _pattern(terms) for topic, terms in topics.items() if terms}
        self._signals = [(topic, f"triage.{topic}") for topic in topics]
        self._terms = _Terms([term for terms in topics.values() for term in terms])

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Return one signal per topic, then `high_risk` and `injection`."""
        asked = _asked(subject.case)
        hit = self._hit(asked)
        place = _instruction(subject.case.evidence.documents)
        return (
            *[Finding("triage", signal, value=float(topic in hit)) for topic, signal in self._signals],
            Finding("triage", "triage.high_risk", value=float(bool(hit))),
            Finding("triage", "triage.injection", value=float(place is not None), evidence=place),
        )

    def _hit(self, asked: str) -> set[str]:
        if not self._terms.may_stand_in(asked):
            return set()
        return {topic for topic, pattern in self._topics.items() if pattern.search(asked)}


@final
class _Terms:
    """The terms of all topics by their first word, to rule out texts without a search for each topic."""

    def __init__(self, terms: Sequence[str]) -> None:
        self._told = True  # whether words tell every term: other letters than ASCII have several small forms
        self._rests: dict[bytes, list[list[bytes]]] = {}
        self._stems: list[bytes] = []
        for term in terms:
            words = words_of(term.lower())
            if not words or not term.isascii():
                self._told = False
            elif len(words) == 1 and term.endswith("*"):
                self._stems.append(words[0])
            else:
                rest = words[1:-1] if term.endswith("*") else words[1:]
                self._rests.setdefault(words[0], []).append(rest)

    def may_stand_in(self, text: str) -> bool:
        """Whether one of the terms may stand in a text; its pattern then says whether it does."""
        if not (self._told and text.isascii()):
            return True
        words = words_of(text.lower())
        for place, word in enumerate(words):
            for rest in self._rests.get(word, ()):
                if words[place + 1 : place + 1 + len(rest)] == rest:
                    return True
            for stem in self._stems:
                if word.startswith(stem):
                    return True
        return False


def _pattern(terms: Sequence[str]) -> re.Pattern[str]:
    """Compile the terms of a topic; white space in a term matches any white space or hyphen."""
    alternatives = []
    for term in terms:
        words = [re.escape(word) for word in term.rstrip("*").split()]
        alternatives.append(r"[\s-]+".join(words) + (r"\w*" if term.endswith("*") else ""))
    return re.compile(rf"(?<!\w)(?:{'|'.join(alternatives)})(?!\w)", re.IGNORECASE)


def _asked(case: Case) -> str:
    """Return what the user says: the question with its options, and the user's earlier turns."""
    users = [message.text for message in case.conversation.messages if message.role == "user"]
    return "\n".join([*users[:-1], case.query.text, *(option.text for option in case.query.options)])


def _instruction(documents: Sequence[Document]) -> EvidenceSpan | None:
    """Return where the evidence first gives an instruction."""
    small = [_small(document.text) for document in documents]
    joined = "\n".join(small)
    telling = [word for word in _TELLTALES if word in joined]
    telling += [sign for letter, sign in _SIGNS if letter in joined and sign in joined]
    if not telling:
        return None
    for document, text in zip(documents, small, strict=True):
        if any(word in text for word in telling):  # the pattern is two hundred times as slow
            found = _INJECTION.search(document.text)
            if found:
                return EvidenceSpan(document.id, Span(found.start(), found.end()))
    return None


def _small(text: str) -> str:
    """Return a text in small letters, with those that count as "i" or "s" where case is ignored."""
    small = text.lower()
    return small if small.isascii() else small.replace("i\u0307", "i").replace("ı", "i").replace("ſ", "s")
