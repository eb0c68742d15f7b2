"""An answer, read as claims: sentences, list items, the chosen option, values of tool calls."""

import re
from typing import Final

from gatekeeper.assessment import MAX_CLAIMS, Claim, Field
from gatekeeper.checks.slots.lexicon import Role
from gatekeeper.checks.slots.tokens import outline
from gatekeeper.claims.framing import said
from gatekeeper.claims.leaves import json_leaves
from gatekeeper.claims.letters import Declared, find_letter
from gatekeeper.claims.sentences import is_emphasised, sentences
from gatekeeper.claims.stems import positive_stem
from gatekeeper.claims.tables import table_rows
from gatekeeper.exchange import Answer, Query, Span

_WORD: Final = re.compile(r"\w")
_DIGIT: Final = re.compile(r"\d")
_MORE: Final = re.compile(r"[\s*_]*[^\s*_]")
_LIST: Final = re.compile(r"[*_: \t]*\n\s*(?:[-*•–·‣][ \t]|\(?\d{1,2}[.)][ \t]|\|)")
_NAMING: Final = frozenset({Role.WORD, Role.QUALIFIER})
_LONGEST_LABEL: Final = 60
"""Characters that a line which only names what follows may have."""
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
    claims = _content(answer.content, query)
    for position, call in enumerate(answer.tool_calls):
        if len(claims) > MAX_CLAIMS:
            break
        claims += _tool_call(call.name, call.arguments, position)
    claims += _sentences(answer.refusal, Field.REFUSAL)
    if reasoning:
        claims += _sentences(answer.reasoning, Field.REASONING)
    return tuple(claims[: MAX_CLAIMS + 1])


def _content(content: str, query: Query) -> list[Claim]:
    claims: list[Claim] = []
    chosen = find_letter(content, [option.letter for option in query.options])
    if chosen is not None:
        claims.append(_choice(chosen, query))
    said = None if query.options else _YES_NO.match(content)
    if said is not None and (question := _polar_question(query.text)):
        denied = said["word"].lower() == "no"
        claims.append(Claim(question, Span(*said.span("word")), context=query.text, denied=denied))
    leaves = json_leaves(content)
    if leaves is not None:
        return claims + [
            Claim(leaf.statement, leaf.span)
            for leaf in leaves
            if chosen is None or leaf.value != chosen.letter
        ]
    return claims + [
        claim
        for claim in _sentences(content, Field.CONTENT)
        if chosen is None or not _only_declares(claim, chosen, query)
    ]


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
    found = sentences(text)
    last = found[-1].span.of(text) if found else ""
    return last.rstrip("?") if last.endswith("?") and _POLAR.match(last) else ""


def _sentences(text: str, field: Field) -> list[Claim]:
    rows = table_rows(text)
    claims: list[Claim] = []
    for sentence in sentences(text):
        words = sentence.span.of(text)
        if (words[0].isalnum() or _WORD.search(words)) and not _is_label(text, sentence.span, words):
            lead = sentence.lead.of(text) if sentence.lead else ""
            row = rows.get(sentence.span.start)
            span = said(text, sentence.span) if row is None else sentence.span
            claims.append(Claim(span.of(text) if row is None else row, span, field, lead))
    return claims


def _is_label(text: str, span: Span, words: str) -> bool:
    """Whether a line only names what follows it: "**Dose**" over a list, "Further imaging:" before anything.

    What could be the answer itself is a claim: a drug, "**Contraindicated**", a bold line that ends the text.
    """
    opens = words[-1] == ":"
    if len(words) > _LONGEST_LABEL or ":" in words[:-1] or _DIGIT.search(words):
        return False
    if not (opens and _MORE.match(text, span.end)) and not (
        is_emphasised(text, span) and _LIST.match(text, span.end)
    ):
        return False
    found = outline(words).lexemes
    names_only = all(one.role in _NAMING for one in found)
    return names_only or (opens and not any(one.is_subject for one in found))


def _tool_call(name: str, arguments: str, call: int) -> list[Claim]:
    """Return one claim per value; each is read with the tool's name and the other values beside it."""
    leaves = json_leaves(arguments)
    if leaves is None:
        if not _WORD.search(arguments):
            return []
        return [Claim(arguments, Span(0, len(arguments)), Field.TOOL_CALL, context=name, call=call)]
    claims: list[Claim] = []
    statements = [leaf.statement for leaf in leaves]
    for position, leaf in enumerate(leaves):
        near = statements[max(0, position - 8) : position] + statements[position + 1 : position + 9]
        context = "; ".join([name.replace("_", " "), *near])
        claims.append(Claim(leaf.statement, leaf.span, Field.TOOL_CALL, context=context, call=call))
    return claims
