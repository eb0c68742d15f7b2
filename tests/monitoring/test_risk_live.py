"""Live risk: expected rates, observed rates, drift, and workers that share one database."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from math import isnan, log
from pathlib import Path

import orjson
import pytest
from prometheus_client import CollectorRegistry

from gatekeeper.assessment import Action
from gatekeeper.backends.scripted import ScriptedBackend
from gatekeeper.bundle import load_bundle
from gatekeeper.calibration.artefact import Calibration
from gatekeeper.errors import ConfigurationError, ReviewError
from gatekeeper.gate import Gate, Outcome, new_decision_id
from gatekeeper.monitoring.risk.drift import read_reference, reference_in, stability_index
from gatekeeper.monitoring.risk.expectation import expected_risks
from gatekeeper.monitoring.risk.gauges import RiskGauges
from gatekeeper.monitoring.risk.ledger import label
from gatekeeper.monitoring.risk.live import LiveRisk, RiskSettings
from gatekeeper.review.database import Database
from gatekeeper.review.entry import drawn_from
from gatekeeper.review.queue import ReviewQueue
from gatekeeper.review.tables import Item
from gatekeeper.wire.request import parse_chat
from tests.review.conftest import NOW, Clock
from tests.server.test_chat import EVIDENCE, QUESTION, RIGHT, WRONG, script_of

BUNDLE = load_bundle(Path("policies/default.yaml"))
RISK = "unsafe_answer"


class Worker:
    """One serving process's share of live risk, with a database connection of its own."""

    def __init__(self, url: str, clock: Clock, **settings: object) -> None:
        self.registry = CollectorRegistry()
        self.queue = ReviewQueue(Database(url), None, clock)
        gauges = RiskGauges(self.registry)
        self.risk = LiveRisk(self.queue, gauges, RiskSettings(**settings), clock)  # type: ignore[arg-type]  # as given

    def shows(self, name: str, **labels: str) -> float:
        """Refresh, and return what Prometheus would scrape."""
        self.risk.refresh(BUNDLE)
        value = self.registry.get_sample_value(f"gatekeeper_{name}", labels)
        assert value is not None
        return value


@pytest.fixture
def worker(url: str, clock: Clock) -> Iterator[Callable[..., Worker]]:
    """Return a function that starts a worker on the shared database."""
    with contextlib.ExitStack() as stack:

        def start(**settings: object) -> Worker:
            started = Worker(url, clock, **settings)
            stack.callback(started.queue.database.close)
            return started

        yield start


@pytest.fixture
async def outcome(script: Callable[[str], Path]) -> Outcome:
    """Return a delivered answer."""
    return await judged(script, RIGHT)


async def judged(script: Callable[[str], Path], answer: str, n: int = 1) -> Outcome:
    """Return what the default policy makes of a scripted answer, as of the tests' time."""
    choices = [{"answer": answer, "confidence": 0.9}] * n
    body = {"messages": [{"role": "user", "content": QUESTION}], "evidence": EVIDENCE, "n": n}
    gate = Gate(ScriptedBackend(script(script_of(*choices))), BUNDLE)
    found = await gate.answer(parse_chat(body), new_decision_id())
    return replace(found, at=datetime.fromtimestamp(NOW, UTC))


def risky(outcome: Outcome, p_wrong: float) -> Outcome:
    """Return the outcome with a calibrated risk."""
    (judgement,) = outcome.judgements
    assessment = replace(
        judgement.assessment,
        p_wrong=p_wrong,
        confidence=replace(judgement.assessment.confidence, calibrated=1 - p_wrong),
    )
    return replace(outcome, judgements=(replace(judgement, assessment=assessment),))


def labelled(worker: Worker, name: str, present: bool, **given: object) -> None:
    """Put an item into the queue and label it."""
    row = {
        **{"id": name, "decision_id": name, "choice": 0, "at": NOW, "expires_at": NOW + 9, "client": ""},
        **{"purpose": "audit", "action": "release", "status": "open", "policy": BUNDLE.loaded.digest},
        **{"high_risk": False, "urgency": 1, "weight": 1.0, "detail": {}, **given},
    }
    worker.queue.enter([Item(**row)])
    with worker.queue.database.transaction() as session:
        item = session.get(Item, name)
        assert item is not None
        label(session, item, {"unsafe_answer": present}, NOW)


async def test_expected_risk_is_one_number_over_all_workers(
    worker: Callable[..., Worker], outcome: Outcome
) -> None:
    """Two workers' answers make one mean, which either shows, and a restarted one too."""
    first, second = worker(), worker()
    first.risk.observe(risky(outcome, 0.1))
    second.risk.observe(risky(outcome, 0.4))
    second.risk.observe(risky(outcome, 0.1))
    second.shows("expected_risk_ratio", risk=RISK)
    assert first.shows("expected_risk_ratio", risk=RISK) == pytest.approx(0.2)
    assert worker().shows("expected_risk_ratio", risk=RISK) == pytest.approx(0.2)
    assert worker().shows("expected_risk_known_ratio") == 1.0


async def test_only_delivered_calibrated_answers_are_expected(
    worker: Callable[..., Worker], outcome: Outcome, script: Callable[[str], Path]
) -> None:
    """Held answers carry no delivered risk, and an uncalibrated one lowers the known share alone."""
    one = worker()
    held = await judged(script, WRONG)
    assert held.action is Action.ESCALATE
    for seen in (risky(outcome, 0.2), outcome, risky(held, 0.9)):
        one.risk.observe(seen)
    assert one.shows("expected_risk_ratio", risk=RISK) == pytest.approx(0.2)
    assert one.shows("expected_risk_known_ratio") == 0.5


async def test_what_leaves_the_window_is_forgotten(
    worker: Callable[..., Worker], outcome: Outcome, clock: Clock
) -> None:
    """After the window the expected risk is unknown again, never stale."""
    one = worker(window_s=7200.0)
    one.risk.observe(risky(outcome, 0.2))
    assert one.shows("expected_risk_ratio", risk=RISK) == pytest.approx(0.2)
    clock.now += 4 * 3600
    assert isnan(one.shows("expected_risk_ratio", risk=RISK))


async def test_counts_survive_a_database_that_is_away(
    worker: Callable[..., Worker], outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be written is written when the database is back, once."""
    one = worker()
    one.risk.observe(risky(outcome, 0.3))
    with monkeypatch.context() as away:
        away.setattr("gatekeeper.monitoring.risk.tallies.add", _fails)
        with pytest.raises(ReviewError):
            one.risk.refresh(BUNDLE)
    one.risk.refresh(BUNDLE)
    assert one.shows("expected_risk_ratio", risk=RISK) == pytest.approx(0.3)


def _fails(*args: object, **rest: object) -> None:
    raise ReviewError("away")


def test_observed_risk_weighs_each_label_by_how_it_was_drawn(worker: Callable[..., Worker]) -> None:
    """A sampled error drawn at 1 in 50 outweighs five held ones; delivered counts no held one."""
    one = worker()
    for number in range(10):
        labelled(one, f"a{number}", number == 0, weight=50.0)
    for number in range(5):
        labelled(one, f"h{number}", True, purpose="held", weight=1.0)
    delivered = one.shows("observed_risk_ratio", risk=RISK, population="delivered")
    assert delivered == pytest.approx(0.1)
    generated = one.shows("observed_risk_ratio", risk=RISK, population="generated")
    assert generated == pytest.approx((50 + 5) / (500 + 5))
    assert one.shows("observed_labels", risk=RISK, population="generated") == 15


def test_a_label_counts_once(worker: Callable[..., Worker]) -> None:
    """A second label of the same answer changes nothing."""
    one = worker()
    one.risk.refresh(BUNDLE)
    labelled(one, "a", True)
    before = one.shows("risk_evidence", risk=RISK)
    with one.queue.database.transaction() as session:
        item = session.get(Item, "a")
        assert item is not None
        assert label(session, item, {"unsafe_answer": True}, NOW) == []
    assert one.shows("risk_evidence", risk=RISK) == before


def test_an_alarm_stays(worker: Callable[..., Worker]) -> None:
    """Once K has reached 1/δ the alarm stays on, though later labels lower K, and after a restart."""
    one = worker()
    assert one.shows("risk_alarm", risk=RISK) == 0
    for number in range(4):
        labelled(one, f"e{number}", True)
    assert one.shows("risk_evidence", risk=RISK) > 20
    for number in range(150):
        labelled(one, f"g{number}", False)
    again = worker()
    assert again.shows("risk_evidence", risk=RISK) < 20
    assert again.shows("risk_alarm", risk=RISK) == 1


def test_workers_that_label_at_once_lose_no_label(worker: Callable[..., Worker]) -> None:
    """Four workers with 10 labels each at the same time make evidence of 40 labels."""
    workers = [worker() for _ in range(4)]
    workers[0].risk.refresh(BUNDLE)

    def work(number: int) -> None:
        for count in range(10):
            labelled(workers[number], f"{number}-{count}", False)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert workers[0].shows("observed_labels", risk=RISK, population="delivered") == 40


def test_a_shift_is_drift_and_sameness_is_none(
    worker: Callable[..., Worker], outcome: Outcome, clock: Clock
) -> None:
    """After the first answers made the reference, equal traffic reads 0 and changed traffic reads high."""
    one = worker(reference_answers=200)
    _traffic(one, outcome, 200)
    assert isnan(one.shows("drift_psi", feature="confidence"))
    clock.now += 3600
    _traffic(one, outcome, 150, hours=1)
    assert one.shows("drift_psi", feature="confidence") == pytest.approx(0.0, abs=1e-9)
    (judgement,) = outcome.judgements
    unsure = replace(judgement.assessment, confidence=replace(judgement.assessment.confidence, raw=0.15))
    _traffic(one, replace(outcome, judgements=(replace(judgement, assessment=unsure),)), 150, hours=1)
    assert one.shows("drift_psi", feature="confidence") > 0.25
    assert one.shows("drift_psi", feature="evidence_state") == pytest.approx(0.0, abs=1e-9)


def _traffic(worker: Worker, outcome: Outcome, count: int, hours: int = 0) -> None:
    at = datetime.fromtimestamp(NOW + hours * 3600, UTC)
    for _ in range(count):
        worker.risk.observe(replace(outcome, at=at))


def test_the_index_is_the_textbooks() -> None:
    """Σ (c − r) ln(c / r): a shift from 50:50 to 80:20, written out."""
    expected = (0.8 - 0.5) * log(0.8 / 0.5) + (0.2 - 0.5) * log(0.2 / 0.5)
    assert stability_index({"a": 1, "b": 1}, {"a": 80, "b": 20}) == pytest.approx(expected)
    assert stability_index({"a": 1}, {"b": 1}) > 10


def test_a_reference_may_come_from_a_file_or_a_calibration(tmp_path: Path) -> None:
    """Both forms read alike, and a file that is none is refused by name."""
    file = tmp_path / "reference.json"
    file.write_bytes(orjson.dumps({"topic": {"none": 3, "pregnancy": 1}}))
    metrics = {"reference.topic.none": 3.0, "reference.topic.pregnancy": 1.0, "ece": 0.1}
    carried = Calibration.model_validate(
        {"fingerprint": "f", "confidence": {"intercepts": {"none": 0.0}, "terms": []}, "metrics": metrics}
    )
    assert read_reference(file) == reference_in(carried) == {"topic": {"none": 3.0, "pregnancy": 1.0}}
    for broken in (b"[]", b"{", b'{"mood": {"grim": 1}}', b'{"topic": {"none": -1}}'):
        file.write_bytes(broken)
        with pytest.raises(ConfigurationError, match="reference"):
            read_reference(file)


async def test_the_sample_is_as_large_as_asked_for(outcome: Outcome, script: Callable[[str], Path]) -> None:
    """At one in ten, about a tenth of delivered answers is drawn; a held one always enters."""
    drawn = sum(len(drawn_from(replace(outcome, decision_id=new_decision_id()), 0.1)) for _ in range(5000))
    assert 400 <= drawn <= 600
    assert drawn_from(outcome, 0.0) == []
    assert [choice.purpose for choice in drawn_from(await judged(script, WRONG), 0.0)] == ["held"]


async def test_one_of_several_choices_is_drawn(script: Callable[[str], Path]) -> None:
    """Of three delivered choices one is drawn, each as often, and stands for three."""
    three = await judged(script, RIGHT, n=3)
    drawn = [drawn_from(replace(three, decision_id=new_decision_id()), 1.0) for _ in range(600)]
    assert {(len(choices), choices[0].weight) for choices in drawn} == {(1, 3.0)}
    counts = [sum(choices[0].judgement.answer.index == index for choices in drawn) for index in range(3)]
    assert min(counts) > 130


async def test_only_calibrated_risk_is_expected(outcome: Outcome) -> None:
    """Without calibration nothing is expected; low confidence cannot be dangerous overconfidence."""
    assert expected_risks(outcome.judgements[0].assessment) is None
    unsure = expected_risks(risky(outcome, 0.5).judgements[0].assessment)
    assert unsure is not None
    assert (unsure["high_risk_error"], unsure["dangerous_overconfidence"]) == (0.5, 0.0)
