"""The input side: questions on topics that a policy treats more strictly, instructions inside evidence."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gatekeeper.assessment import Finding, Subject
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
    *(
        "ignore",
        "disregard",
        "forget",
        "override",
        "you are now",
        "act as",
        "pretend",
        "instruction",
        "prompt",
    ),
    *("<|im_start|>", "inst]", "<<sys>>", "# system", "##system", "tell", "reveal", "mention"),
    *("answer", "respond", "reply"),
)
"""One of these stands in every text that the pattern matches."""


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
        self._names = tuple(topics)
        self._any = _any_of([term for terms in topics.values() for term in terms])

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Return one signal per topic, then `high_risk` and `injection`."""
        asked = _asked(subject.case)
        hit = self._hit(asked)
        place = next(_instructions(subject.case.evidence.documents), None)
        return (
            *(Finding("triage", f"triage.{topic}", value=float(topic in hit)) for topic in self._names),
            Finding("triage", "triage.high_risk", value=float(bool(hit))),
            Finding("triage", "triage.injection", value=float(place is not None), evidence=place),
        )

    def _hit(self, asked: str) -> set[str]:
        if self._any is not None and asked.isascii() and self._any.search(asked.lower()) is None:
            return set()
        return {topic for topic, pattern in self._topics.items() if pattern.search(asked)}


def _any_of(terms: Sequence[str]) -> re.Pattern[str] | None:
    """Compile all topics' terms in small letters: one search that ignores no case spares one per topic.

    None unless all are ASCII: of other letters, some have more than one capital or small form.
    """
    if not terms or not all(map(str.isascii, terms)):
        return None
    return re.compile(_pattern([term.lower() for term in terms]).pattern)


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


def _instructions(documents: Sequence[Document]) -> Iterator[EvidenceSpan]:
    small = [document.text.lower() for document in documents]
    joined = "\n".join(small)
    telling = [word for word in _TELLTALES if word in joined]
    for document, text in zip(documents, small, strict=True):
        if not any(word in text for word in telling):
            continue  # the pattern is two hundred times as slow
        for found in _INJECTION.finditer(document.text):
            yield EvidenceSpan(document.id, Span(*found.span()))
