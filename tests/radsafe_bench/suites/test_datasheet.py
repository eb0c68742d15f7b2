from pathlib import Path
from shutil import copytree

import pytest

from radsafe_bench.suites import Suite, SuiteError, load_suite
from radsafe_bench.suites.datasheet import render_datasheet, write_datasheet
from radsafe_bench.suites.official import import_official
from radsafe_bench.suites.statistics import measure
from tests.radsafe_bench.suites.test_official import official_csv


def test_the_datasheet_says_what_the_suite_is_not(full: Suite) -> None:
    """Nobody can read it and think that clinicians reviewed it or that it is the official data set."""
    page = render_datasheet(full)

    assert "this is not the official RadSaFE-200" in page
    assert "no clinician has reviewed them" in page
    assert "No clinician has reviewed the questions or their labels." in page
    assert "| review status | `draft` |" in page


def test_its_figures_are_those_measured(full: Suite) -> None:
    """Counts, baselines, agreement and sources are read from the suite's own files."""
    page = render_datasheet(full)
    figures = measure(full)

    assert full.digest in page
    assert "| splits | certification 120, calibration 80 |" in page
    assert f"| word overlap, clean evidence | {figures.baselines.clean:.1%} |" in page
    assert "| readings | agreed 200 |" in page
    assert f"| labels set alike before adjudication | {1 - 600 / (3 * 920):.1%} |" in page
    assert "| Guideline 0, 2nd (2020) | 23 |" in page
    assert "$" not in page


def test_it_is_rendered_again_beside_the_suite(small: Suite, tmp_path: Path) -> None:
    """Rendering again replaces the page and leaves the suite loadable."""
    copied = load_suite(copytree(small.path, tmp_path / "copy"))
    (copied.path / "DATASHEET.md").write_text("old")

    assert write_datasheet(copied).read_text(encoding="utf-8") == render_datasheet(copied)
    assert load_suite(copied.path).digest == small.digest


def test_an_imported_suite_gets_no_datasheet_of_ours(tmp_path: Path) -> None:
    """This project does not describe data that it did not write."""
    imported, _ = import_official(official_csv(tmp_path), tmp_path / "imported")

    with pytest.raises(SuiteError, match="was imported"):
        render_datasheet(imported)
