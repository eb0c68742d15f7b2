"""The words for auxiliary model calls.

A call is named by its content, so that what was recorded of it serves every later replay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

import orjson

from gatekeeper.exchange import Case, JsonObject


class Whom(StrEnum):
    """The model that is asked: the one that answers clients, or the one that judges."""

    SERVED = "served"
    JUDGE = "judge"


class Problem(StrEnum):
    """Why a call gave nothing. The same call would end alike where the problem is `lasting`."""

    ERROR = "error"
    TIMEOUT = "timeout"
    LOGPROBS = "logprobs"
    REFUSED = "refused"

    @property
    def lasting(self) -> bool:
        """Whether asking again is in vain."""
        return self in {Problem.LOGPROBS, Problem.REFUSED}


@dataclass(frozen=True, slots=True)
class LabelCall:
    """The question how probable each label is as the first token of the answer to `messages`.

    `check` is who asks. `model` is the name that the served model is asked for by, "" for its own.
    """

    check: str
    whom: Whom
    messages: tuple[JsonObject, ...]
    labels: tuple[str, ...]
    model: str = ""

    @property
    def key(self) -> str:
        """SHA-256 over everything that the answer depends on."""
        return _key("label", self.whom, self.model, self.messages, self.labels)


@dataclass(frozen=True, slots=True)
class Reading:
    """The log-probability (nats) of each label of a call, in its order; none where there is a problem.

    They need not sum to 1: a label that was not among the alternatives stands at its upper bound.
    """

    logprobs: tuple[float, ...] = ()
    problem: Problem | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class DrawCall:
    """One more answer of the served model to a case, with the sampling options of its body."""

    check: str
    case: Case

    @property
    def key(self) -> str:
        """SHA-256 over everything that the answer depends on."""
        conversation = self.case.conversation
        return _key("draw", conversation.surface, conversation.body)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The text of a drawn answer; it is compared, and neither delivered nor logged."""

    content: str = ""
    problem: Problem | None = None
    fingerprint: str | None = None


class Auxiliary(Protocol):
    """Whoever answers auxiliary calls. Neither method goes through a gate, or writes to a decision log.

    Calls are made in their order, as many at once as there is room for; those without an answer after
    `within_s` seconds are given up as TIMEOUT. Only a replay raises (ReplayMiss); all else is a Problem.
    """

    async def label(self, calls: Sequence[LabelCall], within_s: float) -> list[Reading]:
        """Answer label calls, all of them to one model, in their order."""

    async def draw(self, calls: Sequence[DrawCall], within_s: float) -> list[Drawn]:
        """Draw answers, in the order of the calls."""


def _key(*content: object) -> str:
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
