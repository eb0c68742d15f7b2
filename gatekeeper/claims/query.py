"""What is asked: the last user turn without its evidence, its options and its labels."""

import re
from typing import Final

from gatekeeper.claims.marks import KINDS, MATERIAL, TAGS, questions
from gatekeeper.claims.options import find_options, given_options
from gatekeeper.claims.stems import is_negated
from gatekeeper.exchange import Conversation, Evidence, Query, Span

_LABEL: Final = re.compile(
    r"^[ \t]*(?:#+ ?|\*\*)?"
    rf"(?:Options|Choices|(?:{KINDS} )?{MATERIAL}|(?:Helpful |Refined |Original |New )?Answer|Question|Query)"
    r"\s*:(?:\*\*)?[ \t]*"
    rf"|</?(?:{TAGS}|source)(?:\s[^<>]{{0,500}})?>",
    re.MULTILINE | re.IGNORECASE,
)
# It begins where a run of spaces begins: tried at each of them, a long run would take quadratic time.
_BLANK_LINES: Final = re.compile(r"(?<![ \t])[ \t]*\n(?:[ \t]*\n)+")


def read_query(conversation: Conversation, evidence: Evidence) -> Query:
    """Read the question out of the last user message.

    Options come from `options` in the body where it is given, else from the text. Raises
    InvalidRequest for malformed `options`.
    """
    given = given_options(conversation.body)
    text = _question(_last_turn(conversation, evidence))
    found, span = find_options(text)
    if found:
        text = text[: span.start] + text[span.end :]
    if ":" in text or "<" in text:
        text = _LABEL.sub("", text)
    if "\n" in text:
        text = _BLANK_LINES.sub("\n", text)
    text = text.strip()
    options = given or found
    return Query(text, options, negated=bool(options) and is_negated(text))


def _last_turn(conversation: Conversation, evidence: Evidence) -> str:
    last = next((message for message in reversed(conversation.messages) if message.role == "user"), None)
    if last is None:
        return ""
    taken: dict[str, list[Span]] = {}
    for document in evidence.documents:
        taken.setdefault(document.pointer, []).append(document.span)
    return "\n".join(
        _without(part.text, sorted(taken.get(part.pointer, ()))) for part in last.parts if part.kind == "text"
    )


def _without(text: str, spans: list[Span]) -> str:
    kept, position = [], 0
    for span in spans:
        kept.append(text[position : span.start])
        position = max(position, span.end)
    return "".join(kept) + text[position:]


def _question(turn: str) -> str:
    """Return what follows `Question:` where the turn has that form, else the whole turn."""
    marks = questions(turn)
    return turn[marks[-1].end() :] if marks else turn
