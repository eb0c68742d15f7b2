"""The wording of every question that is put to a model. Any change here is a new PROMPT_VERSION."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import orjson

from radsafe_bench.suites import Question

PROMPT_VERSION: Final = "1"

SYSTEM: Final = (
    "You answer multiple-choice questions in radiology. Exactly one option is the best answer. "
    "Reply with the letter of that option and nothing else."
)

PLAN: Final = (
    "You prepare a multiple-choice question in radiology for a colleague, who will answer it from your "
    "report. You can search a library of short texts. For each option write one search query that would "
    "find out whether that option is right. Reply with one line per option, its letter first, such as\n"
    "A: query\nB: query\nand nothing else. Do not answer the question."
)
NOTE: Final = (
    "You study one option of a multiple-choice question in radiology. Say in at most three sentences what "
    "the passages state that speaks for or against the option, with numbers and conditions. Use the "
    "passages only; where they say nothing of it, say so. If one further search could settle it, end with "
    "a line of its own: SEARCH: query"
)
REPORT: Final = (
    "You write a report for a colleague who will answer a multiple-choice question in radiology. From the "
    "notes, weigh every option in turn in at most 250 words: what speaks for it, what against it, and "
    "where notes disagree or are silent. Use the notes only."
)


def template_digest() -> str:
    """Return `sha256:` over everything here that a model reads, so that a run names its very wording."""
    form = user_message("question", {"A": "option", "B": "option"}, "context")
    return f"sha256:{sha256(orjson.dumps([SYSTEM, PLAN, NOTE, REPORT, form])).hexdigest()}"


def user_message(stem: str, options: Mapping[str, str], context: str) -> str:
    """Return context, blank line, `Question:`, `Options:`, `Answer:`.

    The context comes first, so that a server's prefix cache serves it to every sample.
    """
    asked = f"{question_text(stem, options)}\nAnswer:"
    return f"{context}\n\n{asked}" if context else asked


def question_text(stem: str, options: Mapping[str, str]) -> str:
    """Return the stem and the lettered options."""
    listed = "\n".join(f"{letter}. {text}" for letter, text in options.items())
    return f"Question: {stem}\nOptions:\n{listed}"


def messages(system: str, user: str) -> list[dict[str, str]]:
    """Return the two messages of a chat."""
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def options_of(question: Question) -> dict[str, str]:
    """Return the options' texts by letter; no label of an option ever reaches a model."""
    return {option.letter: option.text for option in question.options}


def question_body(
    question: Question, context: str, evidence: Sequence[Mapping[str, str]], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the chat body of a question in one condition.

    `evidence` are the documents that `context` is made of; without any the field is left out.
    `settings` are the model and the sampling options.
    """
    asked = user_message(question.stem, options_of(question), context)
    body = {**settings, "messages": messages(SYSTEM, asked)}
    return {**body, "evidence": [dict(document) for document in evidence]} if evidence else body
