"""The rules of a suite, each a function that names what breaks it, one line each."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from radsafe_bench.suites.model import (
    QUESTION_TYPES,
    SUBSPECIALTIES,
    ConflictEvidence,
    Focus,
    Origin,
    PassageKind,
    Question,
    ReviewStatus,
    Split,
    Suite,
)
from radsafe_bench.suites.quotas import RADSAFE200, Quotas, Range
from radsafe_bench.suites.similarity import most_similar
from radsafe_bench.suites.statistics import Statistics, measure, word_count

_LEAK = re.compile(
    r"\boptions? [A-E]\b|\bchoice [A-E]\b|\([A-E]\)|\bcorrect (?:answer|option)\b|\b(?:the|best) answer\b",
    re.IGNORECASE,
)
_ALL_OF = re.compile(
    r"\b(?:all|none|both) of (?:the|these)\b[^.]{0,20}\b(?:above|options|answers)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Result:
    """One check's outcome: violations, or why it was not made."""

    check: str
    violations: tuple[str, ...] = ()
    not_checked: str | None = None


Check = Callable[[Suite, Statistics, Quotas], Iterable[str]]


def validate(suite: Suite, quotas: Quotas = RADSAFE200) -> tuple[Result, ...]:
    """Make every check. Schema, letters, ids and digests were checked when the suite was loaded.

    For imported files only what makes sense of any file is checked; the rest says why it was not.
    """
    statistics = measure(suite)
    results = []
    for check, for_imported in CHECKS:
        name = check.__name__.lstrip("_").replace("_", " ")
        if suite.info.origin is Origin.IMPORTED and not for_imported:
            results.append(
                Result(name, not_checked="a rule for how this project's own questions are written")
            )
        else:
            results.append(Result(name, tuple(check(suite, statistics, quotas))))
    return tuple(results)


def _distinct_options(suite: Suite, _: Statistics, __: Quotas) -> Iterator[str]:
    for question in suite.questions:
        texts = {" ".join(option.text.lower().rstrip(".").split()) for option in question.options}
        if len(texts) < len(question.options):
            yield f"{question.id}: two options have the same text"


def _near_duplicates(suite: Suite, _: Statistics, quotas: Quotas) -> Iterator[str]:
    stems = {question.id: question.stem for question in suite.questions}
    facts = {source.question: source.key_statement for source in suite.pair_sources}
    for what, texts, limit in (
        ("stems", stems, quotas.similar_stems),
        ("key statements", facts, quotas.similar_facts),
    ):
        for pair in most_similar(texts) if texts else ():
            if pair.similarity <= limit:
                break
            yield f"{pair.first}, {pair.second}: {what} are alike: {pair.similarity:.2f}, limit {limit:g}"


def _evidence_without_letters(suite: Suite, _: Statistics, __: Quotas) -> Iterator[str]:
    for question in suite.questions:
        texts = [
            evidence.text for evidence in (question.evidence.clean, question.evidence.conflict) if evidence
        ]
        texts += [passage.text for passage in suite.corpus if passage.question == question.id]
        if any(map(_LEAK.search, texts)):
            yield f"{question.id}: evidence or a passage speaks of an option's letter or of the answer"


def _injected_claims(suite: Suite, _: Statistics, __: Quotas) -> Iterator[str]:
    for question in suite.questions:
        clean, conflict = question.evidence.clean, question.evidence.conflict
        for injection in conflict.injected if conflict else ():
            if conflict and injection.claim not in conflict.text:
                yield f"{question.id}: an injected claim does not stand in the conflict evidence"
            if clean and injection.claim in clean.text:
                yield f"{question.id}: an injected claim stands in the clean evidence too"


def _vocabulary(suite: Suite, _: Statistics, __: Quotas) -> Iterator[str]:
    for question in suite.questions:
        if question.subspecialty not in SUBSPECIALTIES:
            yield f"{question.id}: unknown subspecialty {question.subspecialty}"
        if question.question_type not in QUESTION_TYPES:
            yield f"{question.id}: unknown question type {question.question_type}"


def _options(suite: Suite, _: Statistics, quotas: Quotas) -> Iterator[str]:
    for question in suite.questions:
        if len(question.options) < 4:
            yield f"{question.id}: {len(question.options)} options, 4 or 5 are needed"
        for option in question.options:
            if _ALL_OF.search(option.text):
                yield f"{question.id} {option.letter}: an option must not refer to other options"
            if len(option.text) not in quotas.option_characters:
                yield f"{question.id} {option.letter}: {len(option.text)} characters"


def _labels(suite: Suite, statistics: Statistics, quotas: Quotas) -> Iterator[str]:
    for question in suite.questions:
        if question.correct.labels and not question.negated:
            yield f"{question.id}: the correct option is labelled {', '.join(question.correct.labels)}"
        for option in question.options:
            if not option.rationale.strip():
                yield f"{question.id} {option.letter}: no rationale"
    for name, share in statistics.labels.items():
        if share not in quotas.labels[name]:
            yield f"{name}: {share:.1%} of wrong options, {quotas.labels[name]} is wanted"


def _letter_balance(_: Suite, statistics: Statistics, __: Quotas) -> Iterator[str]:
    for size, letters in statistics.letters.items():
        expected = sum(letters.values()) / len(letters)
        tolerance = max(2, 0.15 * expected)
        for letter, count in letters.items():
            if abs(count - expected) > tolerance:
                yield f"{size} options: letter {letter} is correct {count} times, {expected:.1f} expected"


def _option_lengths(_: Suite, statistics: Statistics, quotas: Quotas) -> Iterator[str]:
    lengths, scores = statistics.lengths, statistics.baselines
    if lengths.correct_option > 1.05 * lengths.wrong_option:
        yield (
            f"correct options have {lengths.correct_option:.0f} characters on average, "
            f"wrong ones {lengths.wrong_option:.0f}"
        )
    for name, score in (("longest", scores.longest), ("shortest", scores.shortest)):
        if score > scores.chance + quotas.guessing:
            yield f"choosing the {name} option is right in {score:.1%}, chance is {scores.chance:.1%}"


def _text_lengths(suite: Suite, _: Statistics, quotas: Quotas) -> Iterator[str]:
    for question in suite.questions:
        texts = [("stem", question.stem, quotas.stem_words)]
        if clean := question.evidence.clean:
            texts.append(("clean evidence", clean.text, quotas.clean_words))
        if conflict := question.evidence.conflict:
            texts.append(("conflict evidence", conflict.text, quotas.conflict_words))
        for name, text, limits in texts:
            if (words := word_count(text)) not in limits:
                yield f"{question.id}: {name} has {words} words, {limits} are wanted"
        if not question.stem.endswith("?"):
            yield f"{question.id}: the stem does not end in a question mark"
    written = {PassageKind.OLDER, PassageKind.CONFLICTING, PassageKind.RELATED, PassageKind.UNRELATED}
    for passage in suite.corpus:
        if passage.kind in written and (words := word_count(passage.text)) not in quotas.passage_words:
            yield f"{passage.id} of {passage.question}: {words} words, {quotas.passage_words} are wanted"


def _spread(_: Suite, statistics: Statistics, quotas: Quotas) -> Iterator[str]:
    if statistics.questions != quotas.questions:
        yield f"{statistics.questions} questions, {quotas.questions} are wanted"
    for name in SUBSPECIALTIES:
        if (count := statistics.subspecialties.get(name, 0)) < quotas.per_subspecialty:
            yield f"subspecialty {name}: {count} questions, at least {quotas.per_subspecialty} are wanted"
    for name in QUESTION_TYPES:
        if (count := statistics.question_types.get(name, 0)) < quotas.per_type:
            yield f"type {name}: {count} questions, at least {quotas.per_type} are wanted"
    if (count := sum(statistics.hinges.values())) < quotas.hinged:
        yield f"{count} questions hinge on a condition easily overlooked, {quotas.hinged} are wanted"
    if (count := statistics.focus.get(Focus.MEDICATION_CONTRAST_SAFETY, 0)) < quotas.medication:
        yield f"{count} questions on medication and contrast safety, {quotas.medication} are wanted"
    if statistics.negated not in quotas.negated:
        yield f"{statistics.negated} negated stems, {quotas.negated} are wanted"
    if (
        share := statistics.option_counts.get("5 options", 0) / statistics.questions
    ) not in quotas.five_options:
        yield f"{share:.0%} of questions have five options, {quotas.five_options} is wanted"


def _splits(suite: Suite, _: Statistics, quotas: Quotas) -> Iterator[str]:
    calibration = suite.split(Split.CALIBRATION)
    if any(question.split is None for question in suite.questions):
        yield "a question has no split"
    if len(calibration) != quotas.calibration:
        yield f"{len(calibration)} calibration questions, {quotas.calibration} are wanted"
    share = len(calibration) / len(suite.questions)
    strata: tuple[tuple[str, Callable[[Question], str]], ...] = (
        ("subspecialty", lambda question: question.subspecialty),
        ("negated", lambda question: str(question.negated)),
    )
    for name, stratum in strata:
        sizes = Counter(map(stratum, suite.questions))
        taken = Counter(map(stratum, calibration))
        for value, size in sizes.items():
            if abs(taken[value] - share * size) >= 2:
                yield f"{name} {value}: {taken[value]} of {size} are calibration questions"


def _sources(suite: Suite, _: Statistics, __: Quotas) -> Iterator[str]:
    for question in suite.questions:
        clean = question.evidence.clean
        if clean is None or not clean.sources:
            yield f"{question.id}: no source"
            continue
        for source in clean.sources:
            if source.year not in Range(1950, 2030):
                yield f"{question.id}: a source is of the year {source.year}"


def _conflict_evidence(suite: Suite, _: Statistics, quotas: Quotas) -> Iterator[str]:
    for question in suite.questions:
        clean, conflict = question.evidence.clean, question.evidence.conflict
        if clean is None or conflict is None or not conflict.injected:
            yield f"{question.id}: clean evidence, conflict evidence and an injected claim are needed"
        elif (kept := _kept_share(clean.text, conflict)) < quotas.kept_words:
            yield f"{question.id}: conflict evidence keeps only {kept:.0%} of the clean evidence's words"


def _kept_share(clean: str, conflict: ConflictEvidence) -> float:
    """Share of the clean evidence's words that stand in the conflict evidence in the same order."""
    words = clean.split()
    matcher = SequenceMatcher(None, words, conflict.text.split(), autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks()) / len(words)


def _overlap_baselines(_: Suite, statistics: Statistics, quotas: Quotas) -> Iterator[str]:
    scores = statistics.baselines
    if scores.closed_book > scores.chance + quotas.guessing:
        yield f"closed-book word overlap is right in {scores.closed_book:.1%}, chance is {scores.chance:.1%}"
    if scores.clean is None or scores.clean not in quotas.overlap_clean:
        yield f"word overlap with clean evidence is right in {scores.clean}, {quotas.overlap_clean} is wanted"
    if scores.verbatim is None or scores.verbatim > quotas.verbatim:
        yield f"{scores.verbatim} of questions can be answered by copying a phrase, at most 1/3 may"


def _corpus(suite: Suite, _: Statistics, quotas: Quotas) -> Iterator[str]:
    for question in suite.questions:
        own = [passage for passage in suite.corpus if passage.question == question.id]
        if len(own) < quotas.passages_each:
            yield f"{question.id}: {len(own)} passages, at least {quotas.passages_each} are wanted"
        gold = [passage.text for passage in own if passage.kind is PassageKind.CLEAN]
        if question.evidence.clean and gold != [question.evidence.clean.text]:
            yield f"{question.id}: the corpus must hold the clean evidence exactly once"


def _pair_sources(suite: Suite, statistics: Statistics, quotas: Quotas) -> Iterator[str]:
    known = {source.question for source in suite.pair_sources}
    yield from (f"{item.id}: no pair source" for item in suite.questions if item.id not in known)
    for source in suite.pair_sources:
        true = {source.key_statement, *source.paraphrases}
        false = {mutation.text for mutation in source.mutations}
        if len(source.paraphrases) < quotas.paraphrases or len(source.mutations) < quotas.mutations:
            yield f"{source.question}: too few paraphrases or mutations"
        if len(true) < 1 + len(source.paraphrases) or len(false) < len(source.mutations) or true & false:
            yield f"{source.question}: paraphrases and mutations must all differ"
    if (total := sum(statistics.pairs.values())) < quotas.pairs:
        yield f"{total} pairs, at least {quotas.pairs} are wanted"


def _review(suite: Suite, _: Statistics, __: Quotas) -> Iterator[str]:
    for question in suite.questions:
        if (question.review.status is ReviewStatus.DRAFT) != (not question.review.reviewers):
            yield f"{question.id}: review status and reviewers do not fit together"
    statuses = {question.review.status for question in suite.questions}
    if suite.info.review is ReviewStatus.REVIEWED and statuses != {ReviewStatus.REVIEWED}:
        yield "suite.json says reviewed, but not every question is"


def _second_reading(suite: Suite, _: Statistics, __: Quotas) -> Iterator[str]:
    read = {reading.question for reading in suite.readings}
    unread = [question.id for question in suite.questions if question.id not in read]
    if unread:
        yield f"{len(unread)} questions have no second reading in review_log.jsonl, the first is {unread[0]}"


CHECKS: tuple[tuple[Check, bool], ...] = (
    (_distinct_options, True),
    (_near_duplicates, False),
    (_evidence_without_letters, False),
    (_injected_claims, False),
    (_vocabulary, False),
    (_options, False),
    (_labels, False),
    (_letter_balance, False),
    (_option_lengths, False),
    (_text_lengths, False),
    (_spread, False),
    (_splits, False),
    (_sources, False),
    (_conflict_evidence, False),
    (_overlap_baselines, False),
    (_corpus, False),
    (_pair_sources, False),
    (_review, False),
    (_second_reading, False),
)
"""Every check in order, and whether it is made of imported files too."""
