"""Metrics of recorded runs, with what their numbers of questions support."""

from radsafe_bench.scoring.answers import Answers, tabulate
from radsafe_bench.scoring.key import AnswerKey
from radsafe_bench.scoring.measures import OWN, PUBLISHED, Cell, Convention
from radsafe_bench.scoring.published import read_published
from radsafe_bench.scoring.runs import LoadedRuns, ScoredRuns, load_runs, score_runs
from radsafe_bench.scoring.scores import Scores, score, write_scores

__all__ = [
    "OWN",
    "PUBLISHED",
    "AnswerKey",
    "Answers",
    "Cell",
    "Convention",
    "LoadedRuns",
    "ScoredRuns",
    "Scores",
    "load_runs",
    "read_published",
    "score",
    "score_runs",
    "tabulate",
    "write_scores",
]
