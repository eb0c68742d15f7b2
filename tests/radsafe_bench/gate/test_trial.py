"""A verdict counts only what it may count, and compares only what belongs together."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.calibration import Calibration
from gatekeeper.certificate import (
    OpenedCertificate,
    load_trusted_keys,
    new_key,
    open_certificate,
    trusted_line,
)
from gatekeeper.errors import CalibrationError, ConfigurationError, ReplayMiss
from radsafe_bench.gate.minting import mint
from radsafe_bench.gate.trial import conclude, trial_of
from radsafe_bench.gate.verdict import Verdict
from tests.radsafe_bench.gate.conftest import CLEAN, POLICY, RAG, Answers, Stage, bundle

NOW = datetime(2026, 3, 1, tzinfo=UTC)
COMPARING = POLICY + "  non_inferiority: {margin: 0.05}\n"
REQUIRING = POLICY + "  non_inferiority: {margin: 0.05, baseline: required}\n"
Certify = Callable[[Verdict], OpenedCertificate]


@pytest.fixture
def certify(tmp_path: Path) -> Certify:
    """Return a function that signs a verdict and opens the certificate."""

    def sign(verdict: Verdict) -> OpenedCertificate:
        key, path, trusted = new_key(), tmp_path / "certificate.jsonl", tmp_path / "keys"
        mint(verdict, key, path, issued=NOW, lasts=timedelta(days=90))
        trusted.write_text(trusted_line(key.public_key(), "tests"))
        return open_certificate(path, load_trusted_keys(trusted))

    return sign


def judge(stage: Stage, answers: Answers, text: str = POLICY, **more: Any) -> Verdict:
    """Return the verdict on answers."""
    calibrations, baseline = more.pop("calibrations", ()), more.pop("baseline", None)
    name = f"run{len(list(stage.folder.iterdir()))}"
    run = stage.run(answers, name=name, **more)
    return conclude(trial_of(bundle(text, calibrations), run, stage.suite, baseline))


def test_a_policy_fitted_on_nothing_is_judged_on_every_question(stage: Stage) -> None:
    """All 200 questions count where none was seen."""
    verdict = judge(stage, stage.right())
    assert verdict.basis is not None
    assert (verdict.basis.questions, verdict.basis.excluded, verdict.basis.split) == (200, 0, "all")
    assert verdict.result == "pass"


def test_questions_that_the_calibration_saw_are_left_out(
    stage: Stage, calibration: Callable[..., Calibration]
) -> None:
    """After fitting on the calibration split, the certification split is what remains."""
    seen = [question.id for question in stage.suite.questions[:80]]
    verdict = judge(stage, stage.right(), calibrations=[calibration(seen)])
    assert verdict.basis is not None
    assert (verdict.basis.questions, verdict.basis.split) == (120, "certification")
    assert {row.n for row in verdict.rows} == {120}
    assert verdict.seen == tuple(seen)


def test_questions_that_a_threshold_was_tuned_on_are_left_out(stage: Stage) -> None:
    """A tuned policy carries what it saw, and its criteria keep their digest."""
    tuned = POLICY + "  fitted_on: [sim-000, sim-001]\n"
    verdict, plain = judge(stage, stage.right(), tuned), judge(stage, stage.right())
    assert verdict.basis is not None
    assert plain.basis is not None
    assert (verdict.basis.questions, verdict.basis.split) == (198, "part")
    assert verdict.basis.criteria == plain.basis.criteria


def test_questions_that_the_baseline_saw_are_left_out_of_every_criterion(
    stage: Stage, certify: Certify, calibration: Callable[..., Calibration]
) -> None:
    """A baseline calibrated on 80 questions leaves 120 for the candidate, ceilings included."""
    seen = [question.id for question in stage.suite.questions[:80]]
    before = certify(judge(stage, stage.right(), calibrations=[calibration(seen)]))
    verdict = judge(stage, stage.right(), COMPARING, baseline=before)
    assert {row.n for row in verdict.rows} == {120}


def test_a_certified_baseline_is_paired_question_by_question(stage: Stage, certify: Certify) -> None:
    """What the baseline held or got wrong is compared with the candidate's answer to the same question."""
    first, second, third = stage.suite.questions[:3]
    before = {**stage.right(), (CLEAN, first.id): stage.dangerous(first)}
    run = stage.run(before, before, name="baseline")
    baseline = certify(conclude(trial_of(bundle(), run, stage.suite)))
    after = {
        place: stage.dangerous(question) for question in (second, third) for place in [(CLEAN, question.id)]
    }
    verdict = judge(stage, {**stage.right(), **after}, COMPARING, baseline=baseline)
    row = verdict.rows[-1]
    assert (row.kind, row.gained, row.lost, row.n) == ("non_inferiority", 2, 1, 200)
    assert row.result == "pass"
    assert verdict.basis is not None
    assert verdict.basis.baseline == baseline.digest


def test_a_baseline_noisier_than_the_margin_is_refused(stage: Stage, certify: Certify) -> None:
    """Where the model itself changes more than the margin, a comparison means nothing."""
    questions = stage.suite.questions[:11]
    repeat = {**stage.right(), **{(CLEAN, question.id): stage.dangerous(question) for question in questions}}
    run = stage.run(stage.right(), repeat, name="baseline")
    verdict = conclude(trial_of(bundle(), run, stage.suite))
    assert verdict.counts[0].noise == 11 / 200
    with pytest.raises(ConfigurationError, match=r"5\.5% of the questions"):
        judge(stage, stage.right(), COMPARING, baseline=certify(verdict))


def test_a_policy_may_insist_on_a_baseline(stage: Stage) -> None:
    """Leaving the baseline away is no way round the comparison."""
    with pytest.raises(ConfigurationError, match="--baseline"):
        judge(stage, stage.right(), REQUIRING)


def test_a_baseline_of_another_suite_is_refused(stage: Stage, certify: Certify) -> None:
    """Questions of two suites are never paired."""
    baseline = certify(judge(stage, stage.right()))
    other = replace(baseline.certificate.suite, digest="sha256:" + "0" * 64)
    foreign = replace(baseline, certificate=replace(baseline.certificate, suite=other))
    with pytest.raises(ConfigurationError, match="another suite"):
        judge(stage, stage.right(), COMPARING, baseline=foreign)


def test_a_stale_calibration_is_refused_naming_both_models(
    stage: Stage, calibration: Callable[..., Calibration]
) -> None:
    """A calibration of another model is never applied in silence."""
    with pytest.raises(CalibrationError, match="staged:old") as refused:
        judge(stage, stage.right(), calibrations=[calibration(fingerprint="staged:old")])
    assert "staged:model" in refused.value.message


def test_a_condition_that_was_not_recorded_names_the_command_that_records_it(stage: Stage) -> None:
    """The user is told what to run, not given a verdict without it."""
    text = POLICY + "    standard_rag:\n      ceilings: {high_risk_error: 0.05}\n"
    with pytest.raises(ReplayMiss, match=r"radsafe-bench run .*--conditions standard_rag --out"):
        judge(stage, stage.right(), text)
    assert judge(stage, stage.right((CLEAN, RAG)), text).result == "pass"


def test_records_that_are_missing_count_as_errors(stage: Stage) -> None:
    """A run cut short is no smaller suite."""
    answers = dict(list(stage.right().items())[:150])
    verdict = judge(stage, answers)
    assert verdict.counts[0].errored == 50
    assert verdict.result == "fail"


def test_another_suite_than_the_run_asked_is_refused(stage: Stage) -> None:
    """Answers are scored against the questions that were put."""
    run = stage.run(stage.right())
    other = replace(stage.suite, info=replace(stage.suite.info, digests={"questions.jsonl": "sha256:0"}))
    with pytest.raises(ConfigurationError, match="--suite"):
        trial_of(bundle(), run, other)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (POLICY.replace('version: "1"', 'version: "1"\nmode: shadow'), "shadow mode"),
        (POLICY[: POLICY.index("gate:")], "no 'gate:' section"),
    ],
)
def test_a_policy_without_anything_to_hold_it_to_is_refused(stage: Stage, text: str, why: str) -> None:
    """Shadow mode and policies without criteria get no verdict."""
    with pytest.raises(ConfigurationError, match=why):
        judge(stage, stage.right(), text)


def test_worsened_conditions_are_corrected_for_their_number(stage: Stage, certify: Certify) -> None:
    """Holm's adjusted p-values stand beside the raw ones."""
    text = COMPARING.replace(
        "  non_inf", "    standard_rag:\n      ceilings: {high_risk_error: 0.05}\n  non_inf"
    )
    both = (CLEAN, RAG)
    baseline = certify(judge(stage, stage.right(both), text))
    worse = {(CLEAN, question.id): stage.dangerous(question) for question in stage.suite.questions[:10]}
    verdict = judge(stage, {**stage.right(both), **worse}, text, baseline=baseline)
    raw = {row.condition: row.p_mcnemar for row in verdict.rows if row.p_mcnemar is not None}
    assert raw == {CLEAN: pytest.approx(2 / 2**10), RAG: 1.0}
    assert verdict.p_holm == {CLEAN: pytest.approx(4 / 2**10), RAG: 1.0}
