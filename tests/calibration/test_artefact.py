"""The calibration artefact: P(correct) by hand, never a foreign model's, never a broken file."""

from math import exp, log
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.assessment import SignalValue
from gatekeeper.calibration import Calibration, Calibrations, Logistic, Term, load_calibration
from gatekeeper.calibration.artefact import logit, sigmoid
from gatekeeper.errors import CalibrationError

PLATT: dict[str, Any] = {
    "intercepts": {"supplied": -0.5},
    "terms": [{"signal": "confidence.raw", "transform": "logit", "weight": 0.5}],
}


def artefact(**rest: Any) -> dict[str, Any]:
    """Return the content of an artefact file."""
    return {"fingerprint": "sha256:model", "confidence": PLATT, **rest}


def test_platt_scaling() -> None:
    """P(correct) is σ(intercept + weight · logit(raw)): 0.9 becomes 1 / (1 + e^0.5 / 3)."""
    model = Logistic.model_validate(PLATT)
    signals: dict[str, SignalValue] = {"evidence.state": "supplied", "confidence.raw": 0.9}
    assert model.probability(signals) == pytest.approx(1 / (1 + exp(0.5) / 3))
    assert model.contributions(signals) == {
        "intercept": -0.5,
        "confidence.raw": pytest.approx(0.5 * log(9)),
    }


def test_signals_add_up_in_logits() -> None:
    """A fused risk sums the terms; identity terms count as they are."""
    model = Logistic.model_validate(
        {
            "intercepts": {"supplied": 0.0},
            "terms": [*PLATT["terms"], {"signal": "p_contradicted", "weight": -2.0}],
        }
    )
    signals: dict[str, SignalValue] = {
        "evidence.state": "supplied",
        "confidence.raw": 0.5,
        "p_contradicted": 1.0,
    }
    assert model.probability(signals) == pytest.approx(1 / (1 + exp(2.0)))


def test_a_state_that_was_not_fitted_gives_no_probability() -> None:
    """Numbers from questions with evidence are not carried over to questions without."""
    assert (
        Logistic.model_validate(PLATT).probability({"evidence.state": "none", "confidence.raw": 0.9}) is None
    )


@pytest.mark.parametrize("signals", [{}, {"confidence.raw": "full"}])
def test_a_missing_signal_gives_no_probability(signals: dict[str, float | str]) -> None:
    """A signal that was not measured is never taken for zero."""
    assert Logistic.model_validate(PLATT).probability({"evidence.state": "supplied", **signals}) is None


def test_a_missing_signal_counts_as_fitting_said() -> None:
    """Where fitting learnt what a missing signal means, that is used."""
    term = Term(signal="hedging.assertiveness", weight=3.0, missing=0.25)
    assert term.value({}) == 0.25
    assert term.value({"hedging.assertiveness": 0.5}) == 1.5


@pytest.mark.parametrize(("stated", "kept"), [(0.0, 1e-6), (1.0, 1 - 1e-6)])
def test_certainty_stays_finite(stated: float, kept: float) -> None:
    """A model that states 0 or 1 is kept a millionth away, as in fitting."""
    assert logit(stated) == pytest.approx(log(kept / (1 - kept)))


@given(st.floats(-1e6, 1e6))
def test_sigmoid_is_a_probability_for_any_number(x: float) -> None:
    """No sum of logits overflows, and the two tails mirror each other."""
    assert 0.0 <= sigmoid(x) <= 1.0
    assert sigmoid(x) + sigmoid(-x) == pytest.approx(1.0)


@given(st.floats(1e-5, 1 - 1e-5))
def test_sigmoid_undoes_logit(probability: float) -> None:
    """A calibration of weight one and intercept zero changes nothing."""
    assert sigmoid(logit(probability)) == pytest.approx(probability)


def test_an_artefact_is_found_by_its_model_alone() -> None:
    """A calibration is applied to the very model that it was fitted on, and to no other."""
    mine = Calibration.model_validate(artefact())
    held = Calibrations([mine])
    assert held.of("sha256:model") is mine
    assert held.of("sha256:other") is None
    assert held.of(None) is None
    assert held.of("") is None
    assert held.fingerprints == ("sha256:model",)


def test_a_required_artefact_that_is_not_there_names_both_models() -> None:
    """An operator who serves the wrong model reads which one was fitted."""
    held = Calibrations([Calibration.model_validate(artefact())])
    assert held.require("sha256:model").fingerprint == "sha256:model"
    with pytest.raises(CalibrationError, match=r"sha256:model.*sha256:other"):
        held.require("sha256:other")
    with pytest.raises(CalibrationError, match="no model"):
        Calibrations().require("sha256:other")


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Writing and reading an artefact changes nothing, its digest included."""
    written = Calibration.model_validate(artefact(risk=PLATT, seen=["q1"], metrics={"ece": 0.03}))
    path = tmp_path / "calibration.json"
    path.write_bytes(orjson.dumps(written.model_dump(mode="json")))
    read = load_calibration(path)
    assert read == written
    assert read.digest == written.digest


def test_the_digest_follows_the_content() -> None:
    """Two artefacts with different weights never share a digest."""
    one = Calibration.model_validate(artefact())
    other = Calibration.model_validate(artefact(seen=["q1"]))
    assert one.digest != other.digest
    assert one.digest.startswith("sha256:")


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"", "artefact"),
        (b"{", "artefact"),
        (b"[]", "artefact"),
        (orjson.dumps(artefact(fingerprint="")), "fingerprint"),
        (orjson.dumps(artefact(schema_version=2)), "schema_version"),
        (orjson.dumps(artefact(extra=1)), "extra"),
        (orjson.dumps(artefact(confidence={"intercepts": {}, "terms": []})), "no intercepts"),
        (
            orjson.dumps(artefact(confidence={"intercepts": {"good": 0}, "terms": []})),
            "confidence.intercepts",
        ),
        (
            orjson.dumps(
                artefact(risk={**PLATT, "terms": [{"signal": "nli.p_contradicted", "weight": 0.1}]})
            ),
            "wrong way with nli.p_contradicted",
        ),
        (orjson.dumps(artefact()).replace(b"-0.5", b"NaN"), "confidence.intercepts"),
        (orjson.dumps(artefact()).replace(b"-0.5", b"1e999"), "confidence.intercepts"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(content: bytes, where: str, tmp_path: Path) -> None:
    """A calibration that cannot be used stops the start, naming file and field."""
    path = tmp_path / "calibration.json"
    path.write_bytes(content)
    with pytest.raises(CalibrationError) as refused:
        load_calibration(path)
    assert str(path) in refused.value.message
    assert where in refused.value.message


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A path that is not there is named."""
    with pytest.raises(CalibrationError, match=r"absent\.json: cannot be read"):
        load_calibration(tmp_path / "absent.json")
