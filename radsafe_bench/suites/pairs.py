"""Pairs of evidence and claim whose verdict is known by construction, for testing checks."""

from collections.abc import Iterator, Mapping

from radsafe_bench.suites.baselines import content_words
from radsafe_bench.suites.errors import SuiteError
from radsafe_bench.suites.model import Pair, PairLabel, PairSource, Question, Suite
from radsafe_bench.suites.ordering import shuffled

NOT_ADDRESSED_EACH = 4
MAX_SHARED_WORDS = 0.34
"""A statement of another question is taken only if fewer of its content words occur in the evidence."""


def make_pairs(suite: Suite, seed: int = 0) -> tuple[Pair, ...]:
    """Return all pairs of a suite, in the order of its questions; the same for the same seed.

    `supported`: the key statement and its paraphrases beside the question's clean evidence.
    `contradicted`: the key statement with one slot made false. `not_addressed`: key statements of
    questions of other subspecialties that share few words with the evidence.

    Raises SuiteError when the suite has no pair sources (imported files have none).
    """
    if not suite.pair_sources:
        raise SuiteError(f"suite {suite.name} has no {'pairs_source.jsonl'} entries to make pairs from")
    questions = {question.id: question for question in suite.questions}
    return tuple(
        pair
        for source in suite.pair_sources
        for pair in _pairs_of(source, questions, suite.pair_sources, seed)
    )


def _pairs_of(
    source: PairSource, questions: Mapping[str, Question], sources: tuple[PairSource, ...], seed: int
) -> Iterator[Pair]:
    question = questions[source.question]
    clean = question.evidence.clean
    evidence = clean.text if clean else ""
    claims = [("key_statement", PairLabel.SUPPORTED, source.key_statement)]
    claims += [("paraphrase", PairLabel.SUPPORTED, text) for text in source.paraphrases]
    claims += [(mutation.kind.value, PairLabel.CONTRADICTED, mutation.text) for mutation in source.mutations]
    claims += [
        ("other_question", PairLabel.NOT_ADDRESSED, text)
        for text in _foreign_statements(question, evidence, questions, sources, seed)
    ]
    for number, (kind, label, claim) in enumerate(claims, start=1):
        yield Pair(f"{question.id}-p{number:02d}", question.id, kind, label, evidence, claim)


def _foreign_statements(
    question: Question,
    evidence: str,
    questions: Mapping[str, Question],
    sources: tuple[PairSource, ...],
    seed: int,
) -> list[str]:
    words = frozenset(content_words(evidence))

    def foreign(source: PairSource) -> bool:
        claim = frozenset(content_words(source.key_statement))
        other = questions[source.question]
        return other.subspecialty != question.subspecialty and len(claim & words) < MAX_SHARED_WORDS * len(
            claim
        )

    candidates = shuffled(
        filter(foreign, sources), seed, f"foreign {question.id}", lambda source: source.question
    )
    return [source.key_statement for source in candidates[:NOT_ADDRESSED_EACH]]
