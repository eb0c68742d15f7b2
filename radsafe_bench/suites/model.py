"""The suite's words: Question, Option, Evidence, Passage, Pair, Reading, Suite.

The classes are read from JSON lines by pydantic (`radsafe_bench.suites.store`), so the annotations
are the file schema: unknown keys, wrong types and empty texts are refused there.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import ConfigDict, StringConstraints

LETTERS = "ABCDE"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200_000)]
LongText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000_000)]
Letter = Annotated[str, StringConstraints(pattern="^[A-E]$")]

SUBSPECIALTIES = (
    "thoracic",
    "breast",
    "neuro",
    "abdominal",
    "genitourinary",
    "musculoskeletal",
    "paediatric",
    "pregnancy",
    "cardiovascular",
    "interventional",
    "contrast_media",
    "mr_safety",
    "radiation",
    "nuclear_medicine",
    "emergency",
)
QUESTION_TYPES = ("diagnosis", "management", "safety", "protocol", "measurement", "anatomy", "physics")
LABELS = ("high_risk", "unsafe", "contradicts")

INDEPENDENT_NOTICE = (
    "Independently written questions in the form of RadSaFE-200; this is not the official RadSaFE-200."
)
IMPORTED_NOTICE = (
    "Imported from a file in the form of RadSaFE-200; its text, labels and licence are those of that file."
)


class FromFile:
    """What every class that is read from a file shares: nothing is coerced, no key is ignored."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)


class Split(StrEnum):
    """The fixed halves of a suite: what may be fitted on, and what is kept for the gate."""

    CALIBRATION = "calibration"
    CERTIFICATION = "certification"


class Hinge(StrEnum):
    """A condition of the stem that is easily overlooked and decides the answer."""

    RENAL_FUNCTION = "renal_function"
    PREGNANCY = "pregnancy"
    DEVICE = "device"
    AGE = "age"
    LATERALITY = "laterality"
    UNIT = "unit"


class Focus(StrEnum):
    """A theme that cuts across subspecialties."""

    MEDICATION_CONTRAST_SAFETY = "medication_contrast_safety"


class ConflictKind(StrEnum):
    """How the statement injected into conflict evidence comes to be wrong."""

    OUTDATED_EDITION = "outdated_edition"
    OTHER_POPULATION = "other_population"
    MISREAD_UNIT = "misread_unit"
    FLIPPED_SIDE = "flipped_side"
    WEAKER_SOURCE = "weaker_source"


class MutationKind(StrEnum):
    """The one slot in which a mutated statement differs from the true one."""

    NUMBER = "number"
    UNIT = "unit"
    COMPARATOR = "comparator"
    INTERVAL = "interval"
    LATERALITY = "laterality"
    NEGATION = "negation"
    DRUG = "drug"
    DEVICE = "device"
    LEVEL = "level"
    TIME = "time"
    INDICATION = "indication"
    POPULATION = "population"
    OMITTED_CONDITION = "omitted_condition"
    CATEGORY = "category"


class PassageKind(StrEnum):
    """A passage's part in the retrieval corpus, as seen from its question."""

    CLEAN = "clean"
    INJECTED = "injected"
    OLDER = "older"
    CONFLICTING = "conflicting"
    RELATED = "related"
    UNRELATED = "unrelated"


class PairLabel(StrEnum):
    """What evidence says of a claim, by construction."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_ADDRESSED = "not_addressed"


class ReviewStatus(StrEnum):
    """How far clinicians have read a question, or all questions of a suite."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    REVIEWED = "reviewed"


class ReadingOutcome(StrEnum):
    """What came of the second reading: `replaced` marks a new question, itself read in turn."""

    AGREED = "agreed"
    CHANGED = "changed"
    REPLACED = "replaced"


class Origin(StrEnum):
    """Where a suite's questions come from."""

    INDEPENDENT = "independent"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class Option(FromFile):
    """One option. The three flags say what choosing it would mean.

    `high_risk`: plausible serious harm; `unsafe`: never to be recommended; `contradicts`: conflicts
    with what the clean evidence says. In negated stems the flags describe the option's statement, so
    the correct option may carry them. `rationale` says why it is right, or why each flag is set.
    """

    letter: Letter
    text: Text
    correct: bool
    high_risk: bool
    unsafe: bool
    contradicts: bool
    rationale: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the flags that are set, in the order of `LABELS`."""
        return tuple(name for name in LABELS if getattr(self, name))


@dataclass(frozen=True, slots=True)
class Source(FromFile):
    """A public guideline, manual, label or regulation, by name, edition and year."""

    name: Text
    edition: Text
    year: int


@dataclass(frozen=True, slots=True)
class CleanEvidence(FromFile):
    """What is needed to answer, among other true statements."""

    text: Text
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Injection(FromFile):
    """The false statement worked into conflict evidence, verbatim; `kind` None where not known."""

    claim: Text
    kind: ConflictKind | None = None


@dataclass(frozen=True, slots=True)
class ConflictEvidence(FromFile):
    """The clean evidence with a plausible contradiction worked in."""

    text: Text
    injected: tuple[Injection, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence(FromFile):
    """The texts that come with a question; None where an imported file has none.

    `report` is the published multi-step research report (`deep_research_report`), empty in
    independent suites.
    """

    clean: CleanEvidence | None = None
    conflict: ConflictEvidence | None = None
    report: LongText = ""


@dataclass(frozen=True, slots=True)
class Review(FromFile):
    """How far clinicians have read this, and the ids of those who did."""

    status: ReviewStatus = ReviewStatus.DRAFT
    reviewers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question(FromFile):
    """One question with 4 or 5 options (2 to 5 in imported files), lettered from A in order.

    `split` is None in imported files that have none. `version` is the suite version in which the
    question took its present form.

    Raises ValueError unless the letters run from A without a gap and exactly one option is correct.
    """

    id: Text
    subspecialty: str
    question_type: str
    stem: Text
    negated: bool
    options: tuple[Option, ...]
    evidence: Evidence
    split: Split | None = None
    hinge: Hinge | None = None
    focus: tuple[Focus, ...] = ()
    review: Review = Review()
    version: str = ""

    def __post_init__(self) -> None:
        letters = "".join(option.letter for option in self.options)
        if len(letters) < 2 or letters != LETTERS[: len(letters)]:
            raise ValueError(f"the options' letters must run from A without a gap, not {letters or 'none'}")
        correct = sum(option.correct for option in self.options)
        if correct != 1:
            raise ValueError(f"exactly one option must be correct, not {correct}")

    @property
    def letters(self) -> tuple[str, ...]:
        """The options' letters, in order."""
        return tuple(option.letter for option in self.options)

    @property
    def correct(self) -> Option:
        """The correct option."""
        return next(option for option in self.options if option.correct)

    @property
    def wrong(self) -> tuple[Option, ...]:
        """The other options, in order."""
        return tuple(option for option in self.options if not option.correct)

    def option(self, letter: str) -> Option:
        """Return the option with this letter; KeyError if the question has none."""
        for option in self.options:
            if option.letter == letter:
                return option
        raise KeyError(letter)


@dataclass(frozen=True, slots=True)
class Passage(FromFile):
    """One text of the retrieval corpus. `question` is None for passages that belong to no question.

    Ids are opaque, so that a passage's id tells a model nothing of its kind.
    """

    id: Text
    kind: PassageKind
    text: Text
    question: str | None = None


@dataclass(frozen=True, slots=True)
class Mutation(FromFile):
    """A statement made false in exactly one slot."""

    kind: MutationKind
    text: Text


@dataclass(frozen=True, slots=True)
class PairSource(FromFile):
    """The sentences of a question that pairs are made from.

    `key_statement` is the fact the answer rests on, `paraphrases` say the same, `mutations` are false.
    """

    question: Text
    key_statement: Text
    paraphrases: tuple[Text, ...]
    mutations: tuple[Mutation, ...]


@dataclass(frozen=True, slots=True)
class Pair(FromFile):
    """Evidence and a claim with the verdict that is right by construction.

    `kind` is `key_statement`, `paraphrase`, `other_question`, or a `MutationKind`.
    """

    id: str
    question: str
    kind: str
    label: PairLabel
    evidence: str
    claim: str


@dataclass(frozen=True, slots=True)
class Reading(FromFile):
    """What the second, independent reading of a question came to.

    `question` is the id that its author gave it until assembly, which keeps that in `author_id`.
    `answered_as_marked` says whether the reader, who did not see the key, chose the marked option;
    `labels_differing` counts the labels (three an option) that the reader set otherwise. Both are None
    where the log does not say. Raises ValueError when a change or replacement gives no reason.
    """

    question: Text
    outcome: ReadingOutcome
    reason: str = ""
    reader: str = ""
    author_id: str = ""
    answered_as_marked: bool | None = None
    labels_differing: int | None = None

    def __post_init__(self) -> None:
        if self.outcome is not ReadingOutcome.AGREED and not self.reason.strip():
            raise ValueError(f"outcome {self.outcome} needs a reason")


@dataclass(frozen=True, slots=True)
class Ancestor(FromFile):
    """The version that a version was cut from."""

    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class SuiteInfo(FromFile):
    """`suite.json`: a suite's name, version, origin, review and the digests of its files.

    `digests` maps file names to `sha256:` of their canonical lines; the suite's digest is that of
    `questions.jsonl`. `seed` made letters, ids and split; `authored_as` maps question ids to the
    ids they had before assembly; `imported_from` names an imported file and its sha256.
    """

    name: Text
    version: Text
    origin: Origin
    review: ReviewStatus
    digests: dict[str, str]
    seed: int | None = None
    imported_from: str | None = None
    previous: Ancestor | None = None
    authored_as: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """A loaded suite: immutable, with every digest checked."""

    info: SuiteInfo
    questions: tuple[Question, ...]
    corpus: tuple[Passage, ...]
    pair_sources: tuple[PairSource, ...]
    readings: tuple[Reading, ...]
    path: Path

    @property
    def name(self) -> str:
        """The suite's name."""
        return self.info.name

    @property
    def version(self) -> str:
        """The suite's version."""
        return self.info.version

    @property
    def digest(self) -> str:
        """`sha256:` over the canonical question lines."""
        return self.info.digests["questions.jsonl"]

    @property
    def notice(self) -> str:
        """What every surface that shows this suite has to say of it."""
        if self.info.origin is Origin.IMPORTED:
            return IMPORTED_NOTICE
        reviewed = sum(bool(question.review.reviewers) for question in self.questions)
        if reviewed == 0:
            return f"{INDEPENDENT_NOTICE} Labels await clinicians' review: no clinician has reviewed them."
        done = sum(question.review.status is ReviewStatus.REVIEWED for question in self.questions)
        return (
            f"{INDEPENDENT_NOTICE} Of {len(self.questions)} questions {reviewed} have been read by at least "
            f"one reviewer and {done} are reviewed; the other labels await clinicians' review."
        )

    def question(self, question_id: str) -> Question:
        """Return the question with this id; KeyError if there is none."""
        for question in self.questions:
            if question.id == question_id:
                return question
        raise KeyError(question_id)

    def split(self, split: Split) -> tuple[Question, ...]:
        """Return the questions of one half, in order."""
        return tuple(question for question in self.questions if question.split is split)
