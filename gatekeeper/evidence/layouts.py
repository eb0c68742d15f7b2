"""Evidence in prompts that applications write themselves: under a label or heading, or in numbered passages.

A user's message could hold such marks in the user's own words, so there it is read only where the question
can be told from it.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Final

from gatekeeper.claims.marks import KINDS, MATERIAL, at_lines, questions
from gatekeeper.claims.sentences import trimmed
from gatekeeper.evidence.messages import current_parts, current_turn, tagged_blocks
from gatekeeper.exchange import Conversation, Document, Part, Span

_FLAGS: Final = re.MULTILINE | re.IGNORECASE
_LABEL: Final = re.compile(
    rf"[ \t]*(?P<mark>#{{1,6}} ?|\*\*|={{2,}} ?|\[)?(?:{KINDS} ){{0,2}}{MATERIAL}"
    r"(?:(?:\*\*)?:(?:\*\*)?|(?(mark)(?:\*\*|\]| ?={2,})?(?=[ \t]*$)|(?!)))",
    _FLAGS,
)
_COLON: Final = re.compile(r":(?=[ \t]*$)", re.MULTILINE)
_LONGEST_LEAD: Final = 300
_LEADS_TO: Final = re.compile(
    r"(?!.*\b(?:rules?|steps|format|cit(?:e|ing))\b)"
    r"(?=.*\b(?:following|these|below|here (?:is|are)|retrieved|provided|relevant)\b)"
    rf".*\b{MATERIAL}(?: (?:provided )?below| provided| to (?:answer|support)[^:]{{0,60}})?:\Z",
    re.IGNORECASE,
)
_TOLD: Final = re.compile(
    rf"\b(?:following|these|provided|retrieved|given)\b[^\n]{{0,40}}\b{MATERIAL}\b"
    rf"|\b(?:from|use|using) (?:only )?the {MATERIAL}\b|\b{MATERIAL} (?:below|that follows?|provided)\b",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(
    r"[ \t]*(?:#{1,6} |\*\*)?(?P<open>\[)?"
    r"(?P<kind>(?:Document|Doc|Passage|Source|Chunk|Excerpt|Context|Result|Article|Reference) ?#?)?"
    r"(?P<n>\d{1,3})"
    r"(?(open)\][:.]?|(?(kind)\b(?P<title>[^\n:]{0,120}):|(?!)))(?:\*\*)?",
    _FLAGS,
)
_TALK: Final = (
    r"(?:Chat history|Conversation(?: history| so far)?|User|Human|Assistant|AI"
    r"|(?:Helpful |Final |Your )?Answer)"
)
_PARTS: Final = r"(?:Chat history|Conversation history|Instructions?|Rules|Task|Output format|Answer)"
_ENDS: Final = re.compile(
    "|".join(
        (
            rf"[ \t]*(?:[=\-#\[(*]{{1,6}} ?)?END(?: OF)?(?: THE)? (?:{KINDS} ){{0,2}}{MATERIAL}\b",
            rf"[ \t]*The above (?:is|are) the {MATERIAL}\b",
            rf"[ \t]*(?:#{{1,6}} ?|\*\*|={{2,}} ?)?{_TALK}(?:\*\*)?:",
            rf"(?:#{{1,6}} ?|\*\*|={{2,}} ?){_PARTS}[*:= \t]*$",
            r"(?<=\n\n)(?:Please )?(?:Answer|Respond|Reply) \w",
            r"(?<=\n\n)If (?:you (?:do not|don't|cannot|can't)|the answer) ",
            rf"(?<=\n\n)(?:Using|Based on|Given) (?:only )?(?:the|these) (?:above )?{MATERIAL}\b",
        )
    ),
    _FLAGS,
)
"""Where a section is over: at its closing mark, at another section, or where the model is addressed again."""
_NO_EVIDENCE: Final = re.compile(
    r"(?:you(?:'re| are| will| must| should)\b|[\[<{(][^\n\"]{0,80}[\]>})]\Z)", re.IGNORECASE
)
"""A description of the model's part, or a place of a form that is to be filled in."""
_ANSWER: Final = re.compile(r"[ \t]*(?:#+ ?|\*\*)?Answer:", _FLAGS)
_ASKS: Final = re.compile(r"[ \t]*(?:#+ ?|\*\*)?(?:Options|Answer):", _FLAGS)
_REST: Final = re.compile(r"[ \t]*$", re.MULTILINE)
_BLANK: Final = re.compile(r"\n(?:[ \t]*\n)+")


def labelled(conversation: Conversation) -> Iterable[Document]:
    """Yield what a label such as `Context:`, a heading, or a line that leads to it marks, or numbers."""
    for part, closes in current_parts(conversation):
        if next(tagged_blocks(part.text), None) is None:
            span = _section(part.text, closes=closes)
            if span is not None:
                yield from passages(part, span, "labelled")


def prompt_context(conversation: Conversation) -> Iterable[Document]:
    """Yield the text before `Question:` where a user's message has the suite's form.

    The form is: context, blank line, `Question:`, `Options:`, `Answer:`. A message with several
    questions is a few-shot prompt, whose worked answers are no evidence.
    """
    for part in (part for message in current_turn(conversation) for part in message.parts):
        text, marks = part.text, questions(part.text)
        if part.kind != "text" or len(marks) != 1 or not next(at_lines(_ASKS, text, marks[0].end()), None):
            continue
        end = marks[0].start()
        if text[:end].rstrip(" \t").endswith("\n\n") and next(tagged_blocks(text), None) is None:
            yield from passages(part, Span(0, end), "prompt_context")


def passages(part: Part, span: Span, extractor: str) -> Iterator[Document]:
    """Yield the numbered passages of a section, or the whole where it does not begin with a number."""
    text, span = part.text, section(part.text, *span)
    marks = _numbered(text, span)
    if not marks:
        yield Document("", span.of(text), extractor, part.pointer, span)
    for mark, following in zip_longest(marks, marks[1:]):
        inner = trimmed(text, mark.end(), following.start() if following else span.end)
        title = (mark["title"] or "").strip(" ()") or None
        yield Document(mark["n"], inner.of(text), extractor, part.pointer, inner, title=title)


def section(text: str, start: int, end: int) -> Span:
    """Return the stretch up to where its section is over, without fences round it."""
    over = next(at_lines(_ENDS, text, start, end), None)
    span = trimmed(text, start, over.start() if over else end)
    for fence in ("```", '"""'):
        inside = Span(span.start + len(fence), span.end - len(fence))
        fenced = text.startswith(fence, span.start) and text.endswith(fence, span.start, span.end)
        if fenced and inside.start < inside.end:
            return trimmed(text, *inside)
    return span


def _section(text: str, *, closes: bool) -> Span | None:
    """Return where the evidence of a message stands; `closes` says that the end of the text may end it.

    Several questions are a few-shot prompt, whose examples are no evidence.
    """
    marks = questions(text)
    if len(marks) > 1:
        return None
    question = marks[0] if marks else None
    start = _start(text, question)
    if start is None or _NO_EVIDENCE.match(section(text, start, len(text)).of(text)):
        return None
    if question is not None:
        return Span(start, question.start() if start <= question.start() else len(text))
    return Span(start, len(text)) if closes else _beside_a_question(text, start)


def _start(text: str, question: re.Match[str] | None) -> int | None:
    """Return where the text under the first label begins, else passages that are numbered or told of."""
    label = next((mark for mark in at_lines(_LABEL, text) if _is_label(text, mark, question)), None)
    lead = next((colon.end() for colon in _COLON.finditer(text) if _leads(text, colon.end())), None)
    if label is not None or lead is not None:
        return min(place for place in (label.end() if label else None, lead) if place is not None)
    first = next((mark for mark in at_lines(_NUMBER, text) if int(mark["n"]) <= 1), None)
    told = _TOLD.search(text) if first or question else None
    if first is not None and (told or first["kind"]):
        return first.start()
    blank = _BLANK.search(text, told.end()) if told and question else None
    return blank.end() if blank and question and blank.end() <= question.start() else None


def _leads(text: str, end: int) -> bool:
    """Whether the line that ends with a colon leads to evidence: "Answer from the following passages:"."""
    start = text.rfind("\n", max(0, end - _LONGEST_LEAD), end) + 1
    return (start > 0 or end <= _LONGEST_LEAD) and _LEADS_TO.match(text, start, end) is not None


def _is_label(text: str, mark: re.Match[str], question: re.Match[str] | None) -> bool:
    """Tell a label from the form of an answer, where `Answer:` stands first, or `Sources: 1, 2` in a line."""
    if question is None and next(at_lines(_ANSWER, text, 0, mark.start()), None):
        return False
    inline = _REST.match(text, mark.end()) is None
    return not inline or question is not None or mark[0].lower().rstrip(":* ").endswith("context")


def _beside_a_question(text: str, start: int) -> Span | None:
    """Return the evidence of a user's message whose question has no label and ends or begins it."""
    if _REST.match(text, start) is None and text[start - 1] != "\n":
        return None
    blanks = list(_BLANK.finditer(text, start))
    if blanks and text.rstrip().endswith("?"):
        return Span(start, blanks[-1].start())
    return Span(start, len(text)) if "?" in text[:start] else None


def _numbered(text: str, span: Span) -> list[re.Match[str]]:
    """Return the marks of passages that follow each other, where the section begins with one."""
    marks: list[re.Match[str]] = []
    for mark in at_lines(_NUMBER, text, *span):
        if not marks and mark.start() > span.start:
            return []
        if not marks or int(mark["n"]) == int(marks[-1]["n"]) + 1:
            marks.append(mark)
    return marks
