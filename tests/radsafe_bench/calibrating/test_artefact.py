"""Fitting on recorded runs whose truth is known, and the artefact that comes of it."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from gatekeeper.calibration import load_calibration
from gatekeeper.calibration.artefact import logit
from gatekeeper.errors import CalibrationError, ConfigurationError
from gatekeeper.monitoring.risk.drift import FEATURES, reference_in
from radsafe_bench.calibrating import Wanted, calibrate
from radsafe_bench.cli import main
from radsafe_bench.records import Run, load_run
from radsafe_bench.scoring.key import AnswerKey
from radsafe_bench.simulate import SimulatedModel, simulate, write_run
from radsafe_bench.suites import Suite
from tests.radsafe_bench.gate.conftest import split_suite

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OVERCONFIDENT = SimulatedModel(
    "overconfident", {"closed_book": 0.7, "clean_evidence": 0.8}, slope=2.0, shift=1.0, concentration=3.0
)
SURE = SimulatedModel("sure", {"closed_book": 0.7})


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Return 1,500 questions, nearly all of them for calibration, so that chance is small."""
    return split_suite(tmp_path_factory.mktemp("suites"), 1500, 1400)


@pytest.fixture(scope="module")
def run(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return the answers of a model that is surer than it should be."""
    simulated = simulate(AnswerKey.of(suite), [OVERCONFIDENT], samples=0, seed=1)[0]
    return load_run(write_run(tmp_path_factory.mktemp("runs") / "over", simulated, suite))


def test_fitting_undoes_what_the_model_states_too_strongly(run: Run, suite: Suite) -> None:
    """A model that states 2·logit(p) + 1 is brought back to p: slope 1/2, intercept −1/2."""
    fitted = calibrate([run], suite, NOW).calibration.confidence
    assert fitted.terms[0].weight == pytest.approx(0.5, abs=0.05)
    assert list(fitted.intercepts.values()) == [pytest.approx(-0.5, abs=0.12)]
    stated = 0.95
    probability = fitted.probability({"confidence.raw": stated, "evidence.state": "none"})
    assert probability is not None
    assert logit(probability) == pytest.approx((logit(stated) - 1) / 2, abs=0.15)


def test_calibrated_confidence_is_calibrated_on_questions_it_did_not_see(run: Run, suite: Suite) -> None:
    """Before, calibration is ruled out; after, the error is what a perfect predictor shows. Ranking stays."""
    fit = calibrate([run], suite, NOW)
    assert fit.before["ece_null_p"] < 0.01
    assert fit.after["ece_null_p"] > 0.05
    assert fit.after["brier"] < fit.before["brier"]
    assert fit.after["auroc"] == pytest.approx(fit.before["auroc"], abs=0.01)


def test_the_artefact_says_what_it_was_made_of_and_what_it_saw(
    run: Run, suite: Suite, tmp_path: Path
) -> None:
    """Fingerprint, questions seen, digests and versions stand in the file, and the proxy can load it."""
    fit = calibrate([run], suite, NOW)
    path = tmp_path / "calibration.json"
    path.write_bytes(orjson.dumps(fit.calibration.model_dump(mode="json")))
    loaded = load_calibration(path)
    assert loaded == fit.calibration
    assert loaded.fingerprint == "simulated:overconfident"
    assert set(loaded.seen) == {question.id for question in suite.questions[:1400]}
    assert loaded.sources["suite"] == suite.digest
    assert loaded.sources["over"].startswith("sha256:")
    assert loaded.versions.keys() == {"gatekeeper", "python", "numpy", "scikit-learn"}
    assert loaded.metrics["calibrated.ece"] == fit.after["ece"]


def test_certification_questions_are_never_read(run: Run, suite: Suite) -> None:
    """Whatever a model says to them, the fit is the same."""
    kept = tuple(record for record in run.records if record.question in set(calibrated_ids(suite)))
    blind = Run(run.path, run.manifest, kept)
    assert len(kept) < len(run.records)
    assert calibrate([blind], suite, NOW).calibration == calibrate([run], suite, NOW).calibration


def calibrated_ids(suite: Suite) -> list[str]:
    """Return the ids of the calibration split."""
    return [question.id for question in suite.questions[:1400]]


def test_runs_of_two_models_are_refused_naming_both(run: Run, suite: Suite, tmp_path: Path) -> None:
    """One artefact never mixes two models."""
    other = simulate(AnswerKey.of(suite), [SURE], samples=0)[0]
    second = load_run(write_run(tmp_path / "sure", other, suite))
    with pytest.raises(ConfigurationError, match="simulated:overconfident, simulated:sure"):
        calibrate([run, second], suite, NOW)


def test_a_run_of_another_suite_is_refused(run: Run, tmp_path: Path) -> None:
    """Labels of other questions are never fitted on."""
    with pytest.raises(ConfigurationError, match="--suite"):
        calibrate([run], split_suite(tmp_path, 20, 10), NOW)


def test_a_model_that_is_never_wrong_cannot_be_calibrated(suite: Suite, tmp_path: Path) -> None:
    """Two wrong answers are no basis for a probability of being wrong."""
    flawless = SimulatedModel("flawless", {"closed_book": 0.9999})
    simulated = simulate(AnswerKey.of(suite), [flawless], samples=0)[0]
    with pytest.raises(CalibrationError, match="at least 5 of each"):
        calibrate([load_run(write_run(tmp_path / "flawless", simulated, suite))], suite, NOW)


def test_the_command_shows_the_fit_and_writes_artefact_and_plot(
    run: Run, suite: Suite, tmp_path: Path
) -> None:
    """One command from a run to a file that `gatekeeper serve --calibration` takes."""
    out, plot = tmp_path / "calibration.json", tmp_path / "reliability.svg"
    arguments = ["calibrate", run.path, "--suite", suite.path, "--out", out, "--plot", plot]
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    assert load_calibration(out).fingerprint in result.output
    assert "if perfect" in result.output
    assert plot.read_text().startswith("<svg")


def test_a_fused_risk_is_stored_with_what_it_is_worth_and_what_it_saw(run: Run, suite: Suite) -> None:
    """Signals that never differ are left out by name; figures are of unseen questions, intervals beside."""
    fit = calibrate([run], suite, NOW, wanted=Wanted(risk=True))
    assert fit.risk is not None
    assert fit.calibration.risk == fit.risk.fused.model
    assert [term.signal for term in fit.risk.fused.model.terms] == ["confidence.raw"]
    assert fit.risk.features.left_out["slots.p_contradicted"] == "is the same in every answer"
    metrics = fit.calibration.metrics
    assert metrics["risk.auroc"] == pytest.approx(fit.after["auroc"], abs=0.01)
    assert metrics["risk.separation_pp_ci95.lower"] < metrics["risk.separation_pp"]
    assert {"risk.brier", "risk.ece", "risk.ece_null_p", "risk.smooth_ece", "risk.strength"} < set(metrics)
    assert set(fit.calibration.seen) == set(calibrated_ids(suite))
    assert fit.calibration.sources["policy"].startswith("sha256:")


def test_the_artefact_carries_what_drift_is_measured_from(run: Run, suite: Suite) -> None:
    """The proxy finds its reference in the file: every answer once in every feature that drift watches."""
    fit = calibrate([run], suite, NOW)
    reference = reference_in(fit.calibration)
    assert set(reference) == set(FEATURES)
    assert {sum(cells.values()) for cells in reference.values()} == {len(fit.observations)}
    assert reference["evidence_state"] == {"none": float(len(fit.observations))}
    assert reference["answer_length"] == {"64": float(len(fit.observations))}
    bare = calibrate([run], suite, NOW, wanted=Wanted(reference=False))
    assert reference_in(bare.calibration) == {}


def test_the_command_fuses_and_says_what_is_in_it(run: Run, suite: Suite, tmp_path: Path) -> None:
    """Terms, what a missing signal means and what was left out are printed beside the figures."""
    out = tmp_path / "calibration.json"
    arguments = ["calibrate", run.path, "--suite", suite.path, "--out", out, "--risk"]
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    assert "fused risk" in result.output
    assert "logit(confidence.raw); not measured: no risk" in result.output
    assert "left out: slots.p_contradicted is the same in every answer" in result.output
    assert load_calibration(out).risk is not None


def test_features_without_a_risk_are_a_wrong_command_line(tmp_path: Path) -> None:
    """Naming features that nothing would read is a mistake, not silence."""
    arguments = ["calibrate", str(tmp_path), "--out", str(tmp_path / "c.json"), "--feature", "confidence.raw"]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, "--feature goes with --risk" in result.output) == (3, True)
