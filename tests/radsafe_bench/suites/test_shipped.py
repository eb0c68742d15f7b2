"""The suite that ships: these tests are its continuous validation."""

import pytest

from radsafe_bench import Suite, load_suite
from radsafe_bench.suites import ReviewStatus, Split
from radsafe_bench.suites.datasheet import render_datasheet
from radsafe_bench.suites.pairs import make_pairs
from radsafe_bench.suites.store import DATASHEET
from radsafe_bench.suites.validation import validate


@pytest.fixture(scope="module")
def shipped() -> Suite:
    return load_suite("radsafe200")


def test_it_keeps_every_rule(shipped: Suite) -> None:
    """No question that ships breaks a rule of the suite."""
    results = validate(shipped)

    assert [line for result in results for line in result.violations] == []
    assert [result.check for result in results if result.not_checked] == []


def test_it_has_the_promised_size(shipped: Suite) -> None:
    """200 questions, 80 to calibrate and 120 to certify, and enough pairs."""
    assert len(shipped.questions) == 200
    assert len(shipped.split(Split.CALIBRATION)) == 80
    assert len(shipped.split(Split.CERTIFICATION)) == 120
    assert len(make_pairs(shipped)) >= 1500


def test_its_datasheet_is_up_to_date(shipped: Suite) -> None:
    """The figures that people read are those of the files that run."""
    assert (shipped.path / DATASHEET).read_text(encoding="utf-8") == render_datasheet(shipped)


def test_it_does_not_claim_a_review_that_was_not_made(shipped: Suite) -> None:
    """Without review records beside it, every question is a draft."""
    records = shipped.path / "review_records.jsonl"
    drafts = all(question.review.status is ReviewStatus.DRAFT for question in shipped.questions)

    assert drafts != records.exists()
