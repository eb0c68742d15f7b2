"""The marks that prompts set round questions and evidence, shared by those who read them."""

import re
from collections.abc import Iterator
from typing import Final

TAGS: Final = (
    r"context|documents?|document_content|docs?|evidence|passages?|chunks?|excerpts?|snippets?|sources"
    r"|references?|search_results?|retrieved_[a-z_]{1,20}|knowledge(?:_base)?"
)
"""Names of tags that evidence stands in. `<source>` is the name of a document to some, and left out."""

KINDS: Final = (
    r"(?:the|relevant|retrieved|provided|supporting|clinical|medical|guideline|additional|reference)"
)
MATERIAL: Final = (
    r"(?:context|evidence|documents?|passages?|sources?|excerpts?|snippets|chunks|articles?|references"
    r"|search results|knowledge base"
    r"|(?:reference|source|background|supporting|retrieved|relevant|provided)"
    r" (?:materials?|information|texts?))"
)
"""What prompts call evidence, with the words that may stand before it."""

_QUESTION: Final = re.compile(
    r"[ \t]*(?:#+ ?|\*\*)?(?:(?:User(?:'s)?|Clinical|(?:Now )?answer (?:the|this)(?: following)?) )?"
    r"(?:Question|Query)(?:\*\*)?:(?:\*\*)?[ \t]*"
    r"|[ \t]*(?:#+ ?|\*\*)(?:User )?(?:Question|Query)(?:\*\*)?[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_SHORT: Final = re.compile(r"[ \t]*(?:\*\*)?Q:(?:\*\*)?[ \t]*")


def questions(text: str) -> list[re.Match[str]]:
    """Return the labels and headings of questions in order. A single `Q:` is one where there is no other."""
    found = list(at_lines(_QUESTION, text))
    if found:
        return found
    short = list(at_lines(_SHORT, text)) if "Q:" in text else []
    return short if len(short) == 1 else []


def at_lines(
    pattern: re.Pattern[str], text: str, start: int = 0, end: int | None = None
) -> Iterator[re.Match[str]]:
    """Yield what matches where a line begins; to go from line to line is faster than to search for `^`."""
    end = len(text) if end is None else end
    newline = text.find("\n", start - 1, end) if start else -1
    while newline >= 0 or not start:
        found = pattern.match(text, newline + 1, end)
        if found is not None:
            yield found
        newline = text.find("\n", newline + 1, end)
        if newline < 0:
            return
