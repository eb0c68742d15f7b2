"""How many, how long, how hard: the numbers that a suite has to keep to."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Range:
    """An inclusive range."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Quotas:
    """What a suite has to keep to; the defaults are those of radsafe200.

    Words are split at white space; shares are fractions of wrong options of stems that are not
    negated (`labels`), of questions (`verbatim`) or expected accuracies (`overlap_clean`, and
    `guessing`: how far closed-book baselines may be above chance). `similar_stems` and `similar_facts`
    limit the similarity of two stems and of two key statements.
    """

    questions: int = 200
    calibration: int = 80
    per_subspecialty: int = 8
    per_type: int = 5
    hinged: int = 30
    medication: int = 25
    negated: Range = Range(15, 20)
    stem_words: Range = Range(12, 100)
    clean_words: Range = Range(60, 180)
    conflict_words: Range = Range(65, 250)
    passage_words: Range = Range(30, 110)
    option_characters: Range = Range(1, 220)
    labels: dict[str, Range] = field(
        default_factory=lambda: {
            "high_risk": Range(0.38, 0.52),
            "unsafe": Range(0.25, 0.48),
            "contradicts": Range(0.40, 0.65),
        }
    )
    five_options: Range = Range(0.40, 0.80)
    overlap_clean: Range = Range(0.45, 0.75)
    guessing: float = 0.10
    verbatim: float = 1 / 3
    similar_stems: float = 0.38
    similar_facts: float = 0.50
    kept_words: float = 0.80
    passages_each: int = 5
    paraphrases: int = 3
    mutations: int = 3
    pairs: int = 1500


RADSAFE200 = Quotas()
