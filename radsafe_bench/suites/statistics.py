"""What a suite measures to: the one source of every figure that stats, validation and datasheet print."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from radsafe_bench.suites import baselines
from radsafe_bench.suites.model import LABELS, LETTERS, Question, ReadingOutcome, Suite
from radsafe_bench.suites.pairs import make_pairs
from radsafe_bench.suites.similarity import Similar, most_similar

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Baselines:
    """Expected accuracies in [0, 1]; `clean` None where there is no clean evidence.

    `verbatim` is the share of questions whose correct option stands word for word in the evidence.
    """

    chance: float
    closed_book: float
    clean: float | None
    longest: float
    shortest: float
    verbatim: float | None


@dataclass(frozen=True, slots=True)
class Lengths:
    """Mean lengths: words of stems and evidence, characters of options."""

    stem: float
    clean: float | None
    conflict: float | None
    correct_option: float
    wrong_option: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the second, independent reading went: counts by outcome, and shares in [0, 1].

    `unchanged` is the share of questions left as they stood, `answers` that of blind answers equal to
    the marked one, `labels` that of labels set alike; None where the log does not say.
    """

    outcomes: Counts
    unchanged: float | None
    answers: float | None
    labels: float | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """Measured figures of one suite. Every key of a Counts is printed as it stands.

    `without_high_risk` counts the questions of which no wrong answer is a high-risk error.
    """

    questions: int
    subspecialties: Counts
    question_types: Counts
    splits: Counts
    hinges: Counts
    focus: Counts
    negated: int
    option_counts: Counts
    letters: Mapping[str, Counts]
    wrong_options: int
    labels: Mapping[str, float]
    flags_on_correct_of_negated: int
    without_high_risk: int
    baselines: Baselines
    lengths: Lengths
    similar_stems: Similar | None
    similar_facts: Similar | None
    passages: Counts
    pairs: Counts
    mutations: Counts
    conflicts: Counts
    readings: Agreement
    review: Counts
    sources: Counts


def measure(suite: Suite) -> Statistics:
    """Measure a suite; `similar_stems` and `similar_facts` are its most similar stems and key statements."""
    questions = suite.questions
    wrong = [option for question in questions if not question.negated for option in question.wrong]
    pairs = make_pairs(suite) if suite.pair_sources else ()
    return Statistics(
        questions=len(questions),
        subspecialties=_count(question.subspecialty for question in questions),
        question_types=_count(question.question_type for question in questions),
        splits=_count(question.split or "none" for question in questions),
        hinges=_count(question.hinge for question in questions if question.hinge),
        focus=_count(theme for question in questions for theme in question.focus),
        negated=sum(question.negated for question in questions),
        option_counts=_count(f"{len(question.options)} options" for question in questions),
        letters=_letters(questions),
        wrong_options=len(wrong),
        labels={name: fmean(name in option.labels for option in wrong) if wrong else 0.0 for name in LABELS},
        flags_on_correct_of_negated=sum(
            bool(question.correct.labels) for question in questions if question.negated
        ),
        without_high_risk=sum(
            not any(option.high_risk for option in question.wrong) for question in questions
        ),
        baselines=_baselines(questions),
        lengths=_lengths(questions),
        similar_stems=_closest({question.id: question.stem for question in questions}),
        similar_facts=_closest({source.question: source.key_statement for source in suite.pair_sources}),
        passages=_count(passage.kind for passage in suite.corpus),
        pairs=_count(pair.label for pair in pairs),
        mutations=_count(mutation.kind for source in suite.pair_sources for mutation in source.mutations),
        conflicts=_count(
            injection.kind or "not stated"
            for question in questions
            for injection in (question.evidence.conflict.injected if question.evidence.conflict else ())
        ),
        readings=_agreement(suite),
        review=_count(question.review.status for question in questions),
        sources=_sources(questions),
    )


def word_count(text: str) -> int:
    """Words of a text, split at white space."""
    return len(text.split())


def stands_verbatim(question: Question) -> bool:
    """Whether the correct option stands word for word in the clean evidence."""
    clean = question.evidence.clean
    return clean is not None and question.correct.text.rstrip(".").lower() in clean.text.lower()


def _count(values: Iterable[str]) -> Counts:
    """Count values, most frequent first."""
    counter = Counter(map(str, values))
    return dict(sorted(counter.items(), key=lambda entry: (-entry[1], entry[0])))


def _letters(questions: Sequence[Question]) -> Mapping[str, Counts]:
    """Correct letters by number of options."""
    return {
        str(size): {letter: group.count(letter) for letter in LETTERS[:size]}
        for size in sorted({len(question.options) for question in questions})
        if (group := [item.correct.letter for item in questions if len(item.options) == size])
    }


def _baselines(questions: Sequence[Question]) -> Baselines:
    has_evidence = all(question.evidence.clean for question in questions)
    return Baselines(
        chance=baselines.accuracy(questions, baselines.chance),
        closed_book=baselines.accuracy(questions, baselines.closed_book_overlap),
        clean=baselines.accuracy(questions, baselines.clean_evidence_overlap) if has_evidence else None,
        longest=baselines.accuracy(questions, baselines.longest_option),
        shortest=baselines.accuracy(questions, baselines.shortest_option),
        verbatim=fmean(map(stands_verbatim, questions)) if has_evidence else None,
    )


def _lengths(questions: Sequence[Question]) -> Lengths:
    clean = [question.evidence.clean for question in questions if question.evidence.clean]
    conflict = [question.evidence.conflict for question in questions if question.evidence.conflict]
    return Lengths(
        stem=fmean(word_count(question.stem) for question in questions),
        clean=fmean(word_count(evidence.text) for evidence in clean) if clean else None,
        conflict=fmean(word_count(evidence.text) for evidence in conflict) if conflict else None,
        correct_option=fmean(len(question.correct.text) for question in questions),
        wrong_option=fmean(len(option.text) for question in questions for option in question.wrong),
    )


def _agreement(suite: Suite) -> Agreement:
    labels = {question.id: len(LABELS) * len(question.options) for question in suite.questions}
    answers = [item.answered_as_marked for item in suite.readings if item.answered_as_marked is not None]
    compared = [item for item in suite.readings if item.labels_differing is not None]
    total = sum(labels[item.question] for item in compared)
    return Agreement(
        outcomes=_count(reading.outcome for reading in suite.readings),
        unchanged=_mean_or_none(reading.outcome is ReadingOutcome.AGREED for reading in suite.readings),
        answers=_mean_or_none(answers),
        labels=1 - sum(item.labels_differing or 0 for item in compared) / total if total else None,
    )


def _mean_or_none(values: Iterable[bool]) -> float | None:
    listed = list(values)
    return fmean(listed) if listed else None


def _closest(texts: Mapping[str, str]) -> Similar | None:
    return most_similar(texts)[0] if len(texts) > 1 else None


def _sources(questions: Sequence[Question]) -> Counts:
    """Questions by source, each source once a question."""
    return _count(
        name
        for question in questions
        if question.evidence.clean
        for name in {
            f"{source.name}, {source.edition} ({source.year})" for source in question.evidence.clean.sources
        }
    )
