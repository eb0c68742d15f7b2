"""An answer, read as claims: sentences, list items, the chosen option, values of tool calls."""

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from gatekeeper.assessment import MAX_CLAIMS, Claim, Field
from gatekeeper.claims.leaves import json_leaves
from gatekeeper.claims.letters import Declared, find_letter
from gatekeeper.claims.sentences import sentences
from gatekeeper.claims.stems import positive_stem
from gatekeeper.claims.tables import table_rows
from gatekeeper.exchange import Answer, Query, Span

_WORD: Final = re.compile(r"\w")
_YES_NO: Final = re.compile(
    r"\W{0,4}(?P<word>yes|no)\b(?=[*_\"')\]]{0,4}\s*(?:[.,;:!–—-]|\n|$))", re.IGNORECASE
)
_POLAR: Final = re.compile(
    r"(?:is|are|was|were|do|does|did|can|could|may|might|must|should|shall|will|would|has|have)\b",
    re.IGNORECASE,
)


def read_claims(answer: Answer, query: Query, *, reasoning: bool) -> tuple[Claim, ...]:
    """Return the checkable statements of an answer, in the order: content, tool calls, refusal, reasoning.

    A claim's span covers exactly the sentence, list item, letter or value that makes it. Of an answer
    with more than MAX_CLAIMS one more than that is returned, so that a check can tell.
    """
    claims = chain(
        _content(answer.content, query),
        chain.from_iterable(
            _tool_call(call.name, call.arguments, position) for position, call in enumerate(answer.tool_calls)
        ),
        _sentences(answer.refusal, Field.REFUSAL),
        _sentences(answer.reasoning, Field.REASONING) if reasoning else (),
    )
    return tuple(islice(claims, MAX_CLAIMS + 1))


def _content(content: str, query: Query) -> Iterator[Claim]:
    chosen = find_letter(content, [option.letter for option in query.options])
    if chosen is not None:
        yield _choice(chosen, query)
    said = None if query.options else _YES_NO.match(content)
    if said is not None and (question := _polar_question(query.text)):
        yield Claim(
            question, Span(*said.span("word")), context=query.text, denied=said["word"].lower() == "no"
        )
    leaves = json_leaves(content)
    if leaves is not None:
        yield from (
            Claim(leaf.statement, leaf.span)
            for leaf in leaves
            if chosen is None or leaf.value != chosen.letter
        )
        return
    for claim in _sentences(content, Field.CONTENT):
        if chosen is None or not _only_declares(claim, chosen, query):
            yield claim


def _choice(chosen: Declared, query: Query) -> Claim:
    option = next(option for option in query.options if option.letter == chosen.letter)
    stem = positive_stem(query.text) if query.negated else query.text
    return Claim(option.text, chosen.statement, context=stem, option=option.letter, denied=query.negated)


def _only_declares(claim: Claim, chosen: Declared, query: Query) -> bool:
    """Whether a sentence says no more than the letter and, perhaps, the option's own text."""
    span, statement = claim.span, chosen.statement
    if span.end <= statement.start or span.start >= statement.end:
        return False
    before = claim.text[: max(0, statement.start - span.start)]
    rest = _words(before + " " + claim.text[max(0, statement.end - span.start) :])
    option = next(option for option in query.options if option.letter == chosen.letter)
    return rest in ("", "the", "the correct", "the best", "final", "the final", "my", _words(option.text))


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _polar_question(text: str) -> str:
    """Return the last sentence of a question that can be answered with yes or no, else nothing."""
    last = next(reversed([sentence.span.of(text) for sentence in sentences(text)]), "")
    return last.rstrip("?") if last.endswith("?") and _POLAR.match(last) else ""


def _sentences(text: str, field: Field) -> Iterator[Claim]:
    rows = table_rows(text)
    for sentence in sentences(text):
        words = sentence.span.of(text)
        if _WORD.search(words):
            lead = sentence.lead.of(text) if sentence.lead else ""
            yield Claim(rows.get(sentence.span.start, words), sentence.span, field, context=lead)


def _tool_call(name: str, arguments: str, call: int) -> Iterator[Claim]:
    """Yield one claim per value; each is read with the tool's name and the other values beside it."""
    leaves = json_leaves(arguments)
    if leaves is None:
        if _WORD.search(arguments):
            yield Claim(arguments, Span(0, len(arguments)), Field.TOOL_CALL, context=name, call=call)
        return
    statements = [leaf.statement for leaf in leaves]
    for position, leaf in enumerate(leaves):
        beside = [name.replace("_", " "), *statements[:position][-8:], *statements[position + 1 :][:8]]
        yield Claim(leaf.statement, leaf.span, Field.TOOL_CALL, context="; ".join(beside), call=call)
