"""Draws the live-risk panels of the README: `python -m tests.deploy.picture docs/images/live-risk.png`.

A proxy serves scripted answers under load, outcomes are drawn at random with the rates below, a real
Prometheus scrapes it all, and its HTTP API is asked the very queries of the shipped dashboard. Nothing in it
is clinical: it shows what the panels look like when a model server is swapped for a worse one.
"""

import io
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Final

import click
import httpx
import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image
from pydantic import SecretStr

from gatekeeper.backends.scripted import FINGERPRINT
from gatekeeper.server.app import create_app
from gatekeeper.settings import Settings
from tests.deploy.prometheus import Prometheus, prometheus
from tests.deploy.queries import targets
from tests.deploy.test_queries import EVIDENCE, written
from tests.serving import serving

PANELS: Final = (
    ("Observed risk of delivered answers, beside its ceiling", "share of labelled answers"),
    ("Evidence that a ceiling is crossed", "evidence K"),
    ("Expected risk of delivered answers", "calibrated p(wrong), an upper bound"),
    ("Drift from the reference", "population stability index"),
)
_ANSWER: Final = "Follow-up CT is due at 6 to 12 months."
_SURE, _LESS, _UNSURE = 0.97, 0.3, 0.12
"""Probabilities of a whole answer: its least sure word has 0.99, 0.87 and 0.79."""
_CONFIDENCE: Final = {
    "before": (*[_SURE] * 8, _LESS, _UNSURE),
    "after": (_SURE, *[_LESS] * 5, *[_UNSURE] * 4),
}
_RATES: Final[Mapping[str, Mapping[str, float]]] = {
    "before": {"unsafe_answer": 0.01, "high_risk_error": 0.01, "evidence_contradiction": 0.01},
    "after": {"unsafe_answer": 0.15, "high_risk_error": 0.02, "evidence_contradiction": 0.01},
}
_COLOURS: Final = {
    "unsafe_answer": "#d55e00",
    "high_risk_error": "#0072b2",
    "evidence_contradiction": "#009e73",
    "dangerous_overconfidence": "#cc79a7",
    "confidence": "#0072b2",
    "answer_length": "#e69f00",
    "evidence_state": "#009e73",
    "topic": "#555555",
}
_CEILING: Final = "ceiling "
_STEP_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Line:
    """One series of one panel: seconds since the start, and values."""

    label: str
    times: list[float]
    values: list[float]


@dataclass(frozen=True, slots=True)
class Run:
    """What Prometheus answered per panel, and when (in seconds) the worse model took over."""

    lines: dict[str, list[Line]]
    changed: float
    answers: int


def observe(folder: Path, answers: int, pause_s: float) -> Run:
    """Serve and ask `answers` questions of each model in turn, then read the panels from Prometheus."""
    app = create_app(_settings(folder))
    with serving(app) as port, prometheus(folder, f"127.0.0.1:{port}") as watching:
        watching.wait_for("gatekeeper_risk_ceiling_ratio")
        began, chance = time.time(), random.Random(2605)
        _ask(port, "before", answers, pause_s, chance)
        time.sleep(2 * _STEP_S)  # a quick gate answers all of them between two looks of Prometheus
        changed = time.time() - began
        _ask(port, "after", answers, pause_s, chance)
        time.sleep(2 * _STEP_S)
        return Run({title: list(_lines(watching, title, began)) for title, _ in PANELS}, changed, 2 * answers)


def _settings(folder: Path) -> Settings:
    script = [
        {"match": f"{when} {number}", "answer": _ANSWER, "confidence": confidence}
        for when, confidences in _CONFIDENCE.items()
        for number, confidence in enumerate(confidences)
    ]
    identity = {
        "intercepts": {"supplied": 0.0},
        "terms": [{"signal": "confidence.raw", "transform": "logit", "weight": 1.0}],
    }
    reference = {
        "confidence": {"0.9": 8, "0.8": 1, "0.7": 1},
        "evidence_state": {"supplied": 1},
        "answer_length": {"64": 1},
        "topic": {"none": 1},
    }
    return Settings(
        script=written(folder / "script.json", script),
        calibration=(
            written(folder / "calibration.json", {"fingerprint": FINGERPRINT, "confidence": identity}),
        ),
        audit_sample_rate=1.0,
        review_db=SecretStr(f"sqlite:///{folder / 'review.db'}"),
        review_refresh_s=_STEP_S,
        drift_reference=written(folder / "reference.json", reference),
    )


def _ask(port: int, when: str, answers: int, pause_s: float, chance: random.Random) -> None:
    """Ask, and report for each answer which errors it turned out to have: drawn, not observed."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/v1", timeout=20) as client:
        for number in range(answers):
            messages = [{"role": "user", "content": f"Nodule, {when} {number % len(_CONFIDENCE[when])}"}]
            body = {"model": "any", "messages": messages, "evidence": EVIDENCE}
            answer = client.post("/chat/completions", json=body).raise_for_status().json()
            drawn = {risk: chance.random() < rate for risk, rate in _RATES[when].items()}
            report = {"decision_id": answer["gatekeeper"]["decision_id"], "outcome": drawn}
            client.post("/gatekeeper/outcomes", json=report).raise_for_status()
            time.sleep(pause_s)


def _lines(watching: Prometheus, title: str, began: float) -> Iterator[Line]:
    for target in targets("risk", title):
        for series in watching.ask_over(target["expr"], began, time.time(), _STEP_S):
            label = target["legendFormat"]
            for name, value in series["metric"].items():
                label = label.replace("{{" + name + "}}", value)
            points = [(at - began, float(value)) for at, value in series["values"]]
            known = [(at, value) for at, value in points if isfinite(value)]
            yield Line(label, [at for at, _ in known], [value for _, value in known])


def draw(run: Run, path: Path) -> None:
    """Draw four panels into a PNG that says what it shows."""
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(10, 6.4), layout="constrained")
        for axis, (title, scale) in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
            for labels, line in _distinct(run.lines[title]):
                axis.plot(line.times, line.values, label=labels, **_style(line.label))
            axis.axvline(run.changed, color="#999999", linewidth=0.8, linestyle=":")
            axis.set(ylabel=scale, xlabel="seconds", xlim=(0, None))
            axis.set_title(title, fontweight="bold", fontsize=10)
        _explain(figure, run)
        drawn = io.BytesIO()
        figure.savefig(drawn, dpi=100)
    Image.open(drawn).convert("RGB").quantize(64).save(path, optimize=True)


def _distinct(lines: Sequence[Line]) -> Iterator[tuple[str | None, Line]]:
    """Yield lines with their label in the legend; equal ones share one, ceilings have none."""
    together: dict[tuple[float, ...], list[Line]] = {}
    for line in lines:
        together.setdefault(tuple(round(value, 9) for value in line.values), []).append(line)
    for same in together.values():
        label = ",\n".join(line.label.replace("_", " ") for line in same)
        yield (None if label.startswith(_CEILING) else label), same[0]


def _style(label: str) -> dict[str, Any]:
    if label.startswith(_CEILING):
        return {"color": "#333333", "linewidth": 1, "linestyle": "--"}
    return {"color": _COLOURS[label], "linewidth": 1.8}


def _explain(figure: Figure, run: Run) -> None:
    observed, evidence, expected, drift = figure.axes
    for axis in (observed, expected):
        axis.yaxis.set_major_formatter(mpl.ticker.PercentFormatter(1.0, decimals=0))
        axis.yaxis.set_major_locator(mpl.ticker.MultipleLocator(0.05))
    observed.set_ylim(0, 0.2)
    observed.plot([], [], label="ceilings (3 % and 5 %)", **_style(_CEILING))
    observed.annotate(" a worse model takes over", (run.changed, 0.19), fontsize=8, color="#555555")
    expected.set_ylim(0, 0.2)
    evidence.set(yscale="log", ylim=(1e-7, 1e9))
    evidence.axhline(20, label="alarm (K = 20)", **_style(_CEILING))
    drift.set_ylim(0, 1)
    drift.axhline(0.25, label="commonly read as shifted (0.25)", **_style(_CEILING))
    for axis in figure.axes:
        axis.legend(fontsize=8, frameon=False, loc="upper left")
    figure.suptitle(
        f"SIMULATED TRAFFIC AND OUTCOMES: {run.answers} scripted answers, errors drawn at random. "
        "No clinical result.\nRead from a real Prometheus with the queries of the shipped dashboard.",
        fontsize=10,
        color="#a00000",
    )


@click.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--answers", default=400, show_default=True, help="Of each model.")
@click.option("--pause", default=0.08, show_default=True, help="Seconds between two questions.")
def main(path: Path, answers: int, pause: float) -> None:
    """Serve, load, scrape, ask, draw."""
    with tempfile.TemporaryDirectory() as folder:
        draw(observe(Path(folder), answers, pause), path)


if __name__ == "__main__":
    main()
