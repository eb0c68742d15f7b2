"""From authors' batches to a suite: ids, letters, split, corpus and pair sources, by one seed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from radsafe_bench.suites.authored import AuthoredQuestion
from radsafe_bench.suites.errors import SuiteError
from radsafe_bench.suites.model import (
    LETTERS,
    Evidence,
    FromFile,
    Option,
    Origin,
    PairSource,
    Passage,
    PassageKind,
    Question,
    Reading,
    ReviewStatus,
    Split,
    Suite,
    SuiteInfo,
    Text,
)
from radsafe_bench.suites.ordering import balanced_letters, interleaved, shuffled, stratified_split
from radsafe_bench.suites.store import SuiteContent, read_lines, write_suite

UNRELATED = Path(__file__).with_name("unrelated.jsonl")


@dataclass(frozen=True, slots=True)
class UnrelatedPassage(FromFile):
    """A passage of the corpus that belongs to no question."""

    text: Text


def assemble(
    batches: Sequence[Path],
    out: Path,
    *,
    seed: int,
    name: str,
    version: str,
    readings: Sequence[Path] = (),
    prefix: str = "rsg",
) -> Suite:
    """Merge authors' batches into a suite directory and load it.

    `readings` are JSON lines of Reading by author id. Raises SuiteError when a line does not fit its
    schema, an author id occurs twice or is unknown, or `out` is not empty.
    """
    authored = [item for path in batches for item in read_lines(path, AuthoredQuestion)]
    repeated = sorted(name for name, count in Counter(item.id for item in authored).items() if count > 1)
    if repeated or not authored:
        raise SuiteError("each question must be handed in once:", repeated or ["there are no questions"])
    ordered = interleaved(authored, seed, lambda item: item.subspecialty, lambda item: item.id)
    ids = {item.id: f"{prefix}-{number:03d}" for number, item in enumerate(ordered, start=1)}
    content = SuiteContent(
        questions=_questions(ordered, ids, seed, version),
        corpus=_corpus(ordered, ids, seed),
        pair_sources=tuple(_pair_source(item, ids[item.id]) for item in ordered),
        readings=_readings(readings, ids),
    )
    info = SuiteInfo(
        name=name,
        version=version,
        origin=Origin.INDEPENDENT,
        review=ReviewStatus.DRAFT,
        digests={},
        seed=seed,
        authored_as={ids[item.id]: item.id for item in ordered},
    )
    return write_suite(out, info, content)


def _readings(paths: Sequence[Path], ids: dict[str, str]) -> tuple[Reading, ...]:
    """Give the log's entries the ids of the suite, in the order of its questions."""
    entries = [entry for path in paths for entry in read_lines(path, Reading)]
    if unknown := sorted({entry.question for entry in entries} - set(ids)):
        raise SuiteError("the reading log names questions that were not handed in:", unknown)
    known = (replace(entry, question=ids[entry.question], author_id=entry.question) for entry in entries)
    return tuple(sorted(known, key=lambda entry: entry.question))


def _questions(
    ordered: Sequence[AuthoredQuestion], ids: dict[str, str], seed: int, version: str
) -> tuple[Question, ...]:
    splits = stratified_split(
        ordered, seed, lambda item: (str(item.negated), item.subspecialty), lambda item: item.id
    )
    letters = balanced_letters(
        ordered, seed, lambda item: len(item.options), lambda item: splits[item.id], lambda item: item.id
    )
    return tuple(
        _question(item, ids[item.id], seed, splits[item.id], letters[item.id], version) for item in ordered
    )


def _question(
    item: AuthoredQuestion, question_id: str, seed: int, split: Split, letter: str, version: str
) -> Question:
    return Question(
        id=question_id,
        subspecialty=item.subspecialty,
        question_type=item.question_type,
        stem=item.stem,
        negated=item.negated,
        hinge=item.hinge,
        focus=item.focus,
        options=_lettered(item, letter, seed),
        evidence=Evidence(clean=item.evidence.clean, conflict=item.evidence.conflict),
        split=split,
        version=version,
    )


def _lettered(item: AuthoredQuestion, correct_letter: str, seed: int) -> tuple[Option, ...]:
    """Put the correct option at its letter and the others around it in seeded order."""
    correct = next(option for option in item.options if option.correct)
    options = shuffled(
        (option for option in item.options if not option.correct),
        seed,
        f"options {item.id}",
        lambda option: option.text,
    )
    options.insert(LETTERS.index(correct_letter), correct)
    return tuple(
        Option(
            letter=letter,
            text=option.text,
            correct=option.correct,
            high_risk=option.high_risk,
            unsafe=option.unsafe,
            contradicts=option.contradicts,
            rationale=option.rationale,
        )
        for letter, option in zip(LETTERS, options, strict=False)
    )


def _corpus(ordered: Sequence[AuthoredQuestion], ids: dict[str, str], seed: int) -> tuple[Passage, ...]:
    """Every text that retrieval may find, in seeded order under ids that tell nothing.

    Of the conflict evidence only the injected statement goes in: its full text repeats the clean
    evidence and would count as a hit for a passage that it is not.
    """
    drafts: list[tuple[str | None, PassageKind, str]] = []
    for item in ordered:
        question = ids[item.id]
        drafts.append((question, PassageKind.CLEAN, item.evidence.clean.text))
        drafts += [
            (question, PassageKind.INJECTED, injection.claim) for injection in item.evidence.conflict.injected
        ]
        drafts += [(question, PassageKind(passage.kind), passage.text) for passage in item.passages]
    drafts += [
        (None, PassageKind.UNRELATED, passage.text) for passage in read_lines(UNRELATED, UnrelatedPassage)
    ]
    return tuple(
        Passage(id=f"psg-{number:04d}", kind=kind, text=text, question=question)
        for number, (question, kind, text) in enumerate(
            shuffled(drafts, seed, "corpus", lambda draft: f"{draft[0]} {draft[2]}"), start=1
        )
    )


def _pair_source(item: AuthoredQuestion, question_id: str) -> PairSource:
    return PairSource(
        question=question_id,
        key_statement=item.key_statement,
        paraphrases=item.paraphrases,
        mutations=item.mutations,
    )
