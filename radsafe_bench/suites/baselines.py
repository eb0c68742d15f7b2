"""What can be scored without understanding: shared words, and the length of an option.

These baselines guard the suite's difficulty. A suite that counting words can answer measures nothing.
"""

import re
from collections.abc import Callable, Sequence

from radsafe_bench.suites.model import Option, Question

_WORD = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*|[<>≤≥%]")
_FUNCTION_WORDS = frozenset(
    """a an the of in on at to for and or is are was were be been by with without from as it its this that
    these those which who whom what when where how than then so such can may should must will would could not
    no do does did has have had into within after before over under if any all each per""".split()  # noqa: SIM905  # a list of words reads better as words
)

Guess = Callable[[Question], frozenset[str]]
"""A baseline: the letters that it cannot tell apart as its best answer."""


def content_words(text: str) -> tuple[str, ...]:
    """Lower-case words, numbers and comparison signs of a text, without function words."""
    return tuple(word for word in _WORD.findall(text.lower()) if word not in _FUNCTION_WORDS)


def overlap(option: str, context: frozenset[str]) -> float:
    """Share of an option's distinct content words that occur in the context, in [0, 1]."""
    words = frozenset(content_words(option))
    return len(words & context) / len(words) if words else 0.0


def closed_book_overlap(question: Question) -> frozenset[str]:
    """Guess the option that shares most words with the stem (least, where the stem is negated)."""
    return _by_overlap(question, question.stem)


def clean_evidence_overlap(question: Question) -> frozenset[str]:
    """Guess the option that shares most words with stem and clean evidence (least, where negated)."""
    clean = question.evidence.clean
    return _by_overlap(question, f"{question.stem} {clean.text if clean else ''}")


def longest_option(question: Question) -> frozenset[str]:
    """Guess the option with most characters."""
    return _best(question, lambda option: len(option.text))


def shortest_option(question: Question) -> frozenset[str]:
    """Guess the option with fewest characters."""
    return _best(question, lambda option: -len(option.text))


def chance(question: Question) -> frozenset[str]:
    """Guess any option."""
    return frozenset(question.letters)


def accuracy(questions: Sequence[Question], guess: Guess) -> float:
    """Return the expected share of questions that a baseline gets right when it breaks its ties at random."""
    guesses = [(guess(question), question.correct.letter) for question in questions]
    return sum((correct in letters) / len(letters) for letters, correct in guesses) / len(questions)


def _by_overlap(question: Question, context: str) -> frozenset[str]:
    words = frozenset(content_words(context))
    sign = -1 if question.negated else 1
    return _best(question, lambda option: sign * overlap(option.text, words))


def _best(question: Question, score: Callable[[Option], float]) -> frozenset[str]:
    scores = {option.letter: score(option) for option in question.options}
    best = max(scores.values())
    return frozenset(letter for letter, value in scores.items() if value == best)
