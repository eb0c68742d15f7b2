"""Run directories, scored together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from gatekeeper.errors import ConfigurationError
from radsafe_bench.records import RECORDS, Manifest, load_manifest, read_records
from radsafe_bench.scoring.answers import Answers, tabulate
from radsafe_bench.scoring.ensembles import Members
from radsafe_bench.scoring.key import AnswerKey
from radsafe_bench.scoring.scores import Scores, score
from radsafe_bench.suites import Suite, load_suite


class LoadedRuns(NamedTuple):
    """Runs of one suite as arrays, with their manifests in the same order."""

    suite: Suite
    key: AnswerKey
    models: tuple[Answers, ...]
    manifests: tuple[Manifest, ...]


class ScoredRuns(NamedTuple):
    """Scores, the suite that all runs asked, and each run's manifest in the order of `scores.models`."""

    scores: Scores
    suite: Suite
    manifests: tuple[Manifest, ...]


def load_runs(folders: Sequence[Path], suite: str | None = None) -> LoadedRuns:
    """Load and tabulate run directories, one at a time.

    `suite` is a name or directory, else the suite that the first run names. Runs of one model are told
    apart by their directories' names. Raises ConfigurationError where runs asked different suites, and
    SuiteError where the suite is not found.
    """
    if not folders:
        raise ConfigurationError("name at least one run directory")
    found = load_suite(suite or load_manifest(folders[0]).suite.name)
    key = AnswerKey.of(found)
    manifests = tuple(map(load_manifest, folders))
    models = [
        tabulate(manifest, read_records(folder / RECORDS), key)
        for folder, manifest in zip(folders, manifests, strict=True)
    ]
    return LoadedRuns(found, key, _told_apart(models, folders), manifests)


def score_runs(
    folders: Sequence[Path], suite: str | None = None, ensembles: Sequence[Members] | None = None
) -> ScoredRuns:
    """Load and score run directories; see `load_runs`."""
    loaded = load_runs(folders, suite)
    return ScoredRuns(score(loaded.key, loaded.models, ensembles=ensembles), loaded.suite, loaded.manifests)


def _told_apart(models: Sequence[Answers], folders: Sequence[Path]) -> tuple[Answers, ...]:
    names = Counter(one.model for one in models)
    return tuple(
        replace(one, model=f"{one.model} ({folder.name})") if names[one.model] > 1 else one
        for one, folder in zip(models, folders, strict=True)
    )
