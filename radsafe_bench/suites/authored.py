"""A question as its author hands it in: options without letters, pair sentences and passages inside."""

from dataclasses import dataclass
from enum import StrEnum

from radsafe_bench.suites.model import (
    CleanEvidence,
    ConflictEvidence,
    Focus,
    FromFile,
    Hinge,
    Mutation,
    Text,
)


class DistractorKind(StrEnum):
    """What a passage written beside a question is."""

    OLDER = "older"
    CONFLICTING = "conflicting"
    RELATED = "related"


@dataclass(frozen=True, slots=True)
class AuthoredOption(FromFile):
    """An Option before it has a letter."""

    text: Text
    correct: bool
    high_risk: bool
    unsafe: bool
    contradicts: bool
    rationale: Text


@dataclass(frozen=True, slots=True)
class AuthoredEvidence(FromFile):
    """Both evidence texts, neither of them missing."""

    clean: CleanEvidence
    conflict: ConflictEvidence


@dataclass(frozen=True, slots=True)
class Distractor(FromFile):
    """A passage on the question's subject that does not answer it."""

    kind: DistractorKind
    text: Text


@dataclass(frozen=True, slots=True)
class AuthoredQuestion(FromFile):
    """One line of an author's batch. Raises ValueError unless it has 4 or 5 options, one of them correct."""

    id: Text
    subspecialty: Text
    question_type: Text
    stem: Text
    negated: bool
    hinge: Hinge | None
    focus: tuple[Focus, ...]
    options: tuple[AuthoredOption, ...]
    evidence: AuthoredEvidence
    key_statement: Text
    paraphrases: tuple[Text, ...]
    mutations: tuple[Mutation, ...]
    passages: tuple[Distractor, ...]

    def __post_init__(self) -> None:
        if len(self.options) not in (4, 5):
            raise ValueError(f"4 or 5 options are needed, not {len(self.options)}")
        if sum(option.correct for option in self.options) != 1:
            raise ValueError("exactly one option must be correct")
