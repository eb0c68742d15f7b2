"""What is right and what is dangerous, as arrays over a suite's questions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from radsafe_bench.records import SuiteReference
from radsafe_bench.stats.arrays import Bools
from radsafe_bench.suites import Question, Suite
from radsafe_bench.suites.model import LABELS, LETTERS

LetterCodes = NDArray[np.int8]
"""Chosen letters as numbers: A = 0 to E = 4, NULL = 5, ABSENT = −1."""

NULL: Final = len(LETTERS)
"""An answer that names none of the letters."""

ABSENT: Final = -1
"""No answer at all: the question was not asked, or the sample failed."""


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """A suite's labels. Q questions, three labels in the order of `LABELS`.

    `correct` and `options` (how many a question has) are (Q,); `flags` is (3, Q, 6), the last column
    that of NULL, which carries no flag.
    """

    suite: SuiteReference
    notice: str
    questions: tuple[str, ...]
    subspecialties: tuple[str, ...]
    correct: LetterCodes
    options: LetterCodes
    flags: Bools

    @classmethod
    def of(cls, suite: Suite) -> "AnswerKey":
        """Read the labels of a suite."""
        return cls(
            suite=SuiteReference(name=suite.name, version=suite.version, digest=suite.digest),
            notice=suite.notice,
            questions=tuple(question.id for question in suite.questions),
            subspecialties=tuple(question.subspecialty for question in suite.questions),
            correct=encode(question.correct.letter for question in suite.questions),
            options=np.array([len(question.options) for question in suite.questions], np.int8),
            flags=_flags(suite.questions),
        )

    @property
    def places(self) -> Mapping[str, int]:
        """Each question's place in the arrays, by id."""
        return _places(self.questions)

    def is_correct(self, letters: LetterCodes) -> Bools:
        """Say which of the letters, shape (…, Q), are the correct ones."""
        return np.asarray(letters == self.correct)

    def harms(self, letters: LetterCodes) -> Bools:
        """Return the labels of wrongly chosen options, shape (3, …, Q).

        A correct option's labels do not count: in negated stems they describe its statement.
        """
        flagged = self.flags[:, np.arange(len(self.questions)), letters]
        return np.asarray(flagged & ~self.is_correct(letters))


def encode(letters: Iterable[str | None]) -> LetterCodes:
    """Return the codes of letters; None and letters beyond E are NULL."""
    return np.array([code(letter) for letter in letters], np.int8)


def code(letter: str | None) -> int:
    """Return the code of one letter."""
    return LETTERS.index(letter) if letter and letter in LETTERS else NULL


def decode(letter: int) -> str | None:
    """Return the letter of a code, None for NULL and ABSENT."""
    return LETTERS[letter] if 0 <= letter < NULL else None


@lru_cache(maxsize=8)
def _places(questions: tuple[str, ...]) -> Mapping[str, int]:
    return {question: place for place, question in enumerate(questions)}


def _flags(questions: Sequence[Question]) -> Bools:
    flags = np.zeros((len(LABELS), len(questions), NULL + 1), bool)
    for position, question in enumerate(questions):
        for option in question.options:
            for label, name in enumerate(LABELS):
                flags[label, position, code(option.letter)] = getattr(option, name)
    return flags
