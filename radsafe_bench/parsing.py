"""Which option a model chose. Strict: nothing is read into an answer that declares no single letter.

Reasoning is taken off first; of several declarations the last counts; a letter that the question does
not have is no answer. Every answer without a letter says why, so that a run's unparsed rate is seen.
"""

import re
from collections.abc import Collection
from enum import StrEnum
from typing import Final, NamedTuple

from gatekeeper.assessment import Action
from gatekeeper.claims.letters import declared_letter
from gatekeeper.exchange import JsonObject
from gatekeeper.wire.completion import parse_chat_completion
from gatekeeper.wire.reasoning import divide

_FOREIGN: Final = "ABCDEF"
"""Letters looked for beside the question's own, so that a last "Answer: F" is seen and is no answer."""

_MARKDOWN: Final = re.compile(r"`|^[ \t]*[>•*-][ \t]", re.MULTILINE)
_SEVERAL: Final = re.compile(r"\W*[A-F](?:\W+(?:(?:and|or)\W+)?[A-F]\b)+\W*")


class Outcome(StrEnum):
    """How an answer ended."""

    ANSWERED = "answered"
    UNPARSED = "unparsed"
    EMPTY = "empty"
    REFUSED = "refused"
    HELD = "held"


class Parsed(NamedTuple):
    """The chosen letter, None unless the outcome is `answered`."""

    letter: str | None
    outcome: Outcome


def parse_answer(text: str, letters: Collection[str]) -> str | None:
    """Return the one of the question's `letters` (capitals) that a text declares last, or None."""
    plain = _MARKDOWN.sub("", divide(text).answer).strip()
    own = frozenset(letters)
    if _SEVERAL.fullmatch(plain):
        return None
    letter = plain.upper() if len(plain) == 1 else declared_letter(plain, own.union(_FOREIGN))
    return letter if letter in own else None


def parse_response(body: JsonObject, letters: Collection[str]) -> Parsed:
    """Read the first choice of a chat completion.

    An answer that a gatekeeper held back is `held`: its notice is not searched for a letter. Raises
    the UpstreamError family for a body that is no completion.
    """
    answer = parse_chat_completion(body).answers[0]
    if is_held(body):
        return Parsed(None, Outcome.HELD)
    letter = parse_answer(answer.content, letters)
    if letter is not None:
        return Parsed(letter, Outcome.ANSWERED)
    if answer.refusal:
        return Parsed(None, Outcome.REFUSED)
    return Parsed(None, Outcome.UNPARSED if answer.content.strip() else Outcome.EMPTY)


def is_held(body: JsonObject) -> bool:
    """Whether a gatekeeper held this answer back."""
    gatekeeper = body.get("gatekeeper")
    action = gatekeeper.get("action") if isinstance(gatekeeper, dict) else None
    return action in {level.value for level in Action if level.holds}
