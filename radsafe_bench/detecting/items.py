"""What detectors are tried on: an answer beside its request, and whether it should be flagged."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gatekeeper.exchange import Answer, JsonObject


class Section(StrEnum):
    """Where items come from, which says what makes one positive.

    `pairs`: the evidence contradicts the claim. `options`: choosing the option is wrong and contradicts
    the evidence. `answers`: the model's answer is wrong.
    """

    PAIRS = "pairs"
    OPTIONS = "options"
    ANSWERS = "answers"


@dataclass(frozen=True, slots=True)
class Item:
    """One answer to judge.

    `positive` says that a detector should flag it; `kind` is how it came to be what it is, `condition`
    what stood before the question ("" for pairs). Items of one `question` are not independent. `text`
    is what people read: the claim, or the option's text. `correct` and `high_risk` are of answers to
    questions; for pairs an answer is correct where nothing contradicts it. `fingerprint` and `day` are
    those of the recording.
    """

    id: str
    question: str
    kind: str
    positive: bool
    text: str
    request: JsonObject
    answer: Answer
    condition: str = ""
    correct: bool = False
    high_risk: bool = False
    fingerprint: str | None = None
    day: date | None = None
