"""Live risk of one serving process, whose state is in the database and shared with all others."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Final

from sqlalchemy.orm import Session

from gatekeeper.gate import Bundle, Outcome
from gatekeeper.monitoring.risk import tallies
from gatekeeper.monitoring.risk.drift import FEATURES, cells_of, stability_index
from gatekeeper.monitoring.risk.expectation import expected_risks
from gatekeeper.monitoring.risk.gauges import NAN, POPULATIONS, PURPOSES, RiskGauges
from gatekeeper.monitoring.risk.ledger import Observed, Standing, certify, observed, standing
from gatekeeper.monitoring.risk.tallies import HOUR_S, Pending, Sums, take_reference
from gatekeeper.policy import Policy
from gatekeeper.policy.criteria import SAFETY_RATES, SafetyRate
from gatekeeper.review.queue import ReviewQueue
from gatekeeper.review.verdict import STATUSES

_LARGEST_LOG: Final = 700.0
"""Evidence is shown as at most e^700, the largest that a float holds."""
_ENOUGH: Final = 100
"""Answers in the window below which drift would show chance, not change."""


@dataclass(frozen=True, slots=True)
class RiskSettings:
    """`window_s` of expected risk and drift; `delta` bounds the probability of a false alarm per risk.

    `reference` is the drift reference per feature; without one the first `reference_answers` make it.
    """

    window_s: float = 7 * 24 * 3600.0
    delta: float = 0.05
    reference: Mapping[str, Mapping[str, float]] | None = None
    reference_answers: int = 1000


def ceilings_of(policy: Policy) -> dict[SafetyRate, float]:
    """Return each risk's largest ceiling over the conditions that a policy is gated on.

    Live traffic names no condition, so only the laxest ceiling is promised for all of it.
    """
    ceilings: dict[SafetyRate, float] = {}
    for criteria in policy.gate.scope.values() if policy.gate else ():
        for risk, ceiling in criteria.ceilings.items():
            ceilings[risk] = max(ceiling, ceilings.get(risk, 0.0))
    return ceilings


class LiveRisk:
    """`observe` is for the event loop and only counts; `refresh` is for a worker thread."""

    def __init__(
        self,
        queue: ReviewQueue,
        gauges: RiskGauges,
        settings: RiskSettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._queue = queue
        self._gauges = gauges
        self._settings = settings
        self._clock = clock
        self._pending = Pending()
        self._forgot_at = 0

    def observe(self, outcome: Outcome) -> None:
        """Count one request that was answered."""
        policy, hour = outcome.bundle.loaded.digest, int(outcome.at.timestamp() // HOUR_S)
        topics = tuple(outcome.bundle.policy.checks.triage.topics)
        for judgement in outcome.judgements:
            delivered = not judgement.decision.action.holds
            self._pending.add((policy, "answers", hour, "delivered" if delivered else "held"), 1)
            for feature, cell in cells_of(judgement, topics).items():
                self._pending.add((policy, feature, hour, cell), 1)
            risks = expected_risks(judgement.assessment) if delivered else None
            for risk, p in (risks or {}).items():
                self._pending.add((policy, "risk", hour, risk), 1, p)

    def refresh(self, bundle: Bundle) -> None:
        """Write what was counted, and show what all workers together have seen under this policy."""
        counted = self._pending.take()
        try:
            with self._queue.database.transaction() as session:
                tallies.write(session, counted)
        except BaseException:
            self._pending.give_back(counted)
            raise
        self._queue.expire()
        self._show_queue()
        with self._queue.database.transaction() as session:
            self._show_risk(session, bundle)
            self._forget(session)
        self._gauges.refreshed.set(self._clock())

    def _show_queue(self) -> None:
        lengths, oldest = self._queue.lengths()
        for purpose in PURPOSES:
            for status in STATUSES:
                self._gauges.items.labels(purpose, status).set(lengths.get((purpose, status), 0))
        self._gauges.oldest.set(0.0 if oldest is None else max(0.0, self._clock() - oldest))

    def _show_risk(self, session: Session, bundle: Bundle) -> None:
        policy, since = bundle.loaded.digest, self._clock() - self._settings.window_s
        certify(session, policy, ceilings_of(bundle.policy))
        sums = tallies.read(session, policy, int(since // HOUR_S))
        self._show_expected(sums)
        rates, standings = observed(session, policy, since), standing(session, policy)
        for risk in SAFETY_RATES:
            for population in POPULATIONS:
                found = rates.get((risk, population), Observed(NAN, 0))
                self._gauges.observed.labels(risk, population).set(found.rate)
                self._gauges.labels.labels(risk, population).set(found.labels)
            state = standings.get(risk, Standing(NAN, 0.0, 0.0))
            self._gauges.ceiling.labels(risk).set(state.ceiling)
            self._gauges.evidence.labels(risk).set(exp(min(state.log_evidence, _LARGEST_LOG)))
            self._gauges.alarm.labels(risk).set(state.peak >= log(1 / self._settings.delta))
        self._show_drift(session, policy, sums)

    def _show_expected(self, sums: Sums) -> None:
        delivered, _ = sums.get("answers", {}).get("delivered", (0.0, 0.0))
        known = 0.0
        for risk in SAFETY_RATES:
            known, total = sums.get("risk", {}).get(risk, (0.0, 0.0))
            self._gauges.expected.labels(risk).set(total / known if known else NAN)
        self._gauges.known.set(known / delivered if delivered else NAN)

    def _show_drift(self, session: Session, policy: str, sums: Sums) -> None:
        reference = self._settings.reference
        if reference is None:
            hour = int(self._clock() // HOUR_S)
            taken = take_reference(session, policy, hour, self._settings.reference_answers)
            reference = _counts(taken.sums) if taken else {}
            sums = tallies.read(session, policy, taken.hour + 1) if taken else {}
        current = _counts(sums)
        for feature in FEATURES:
            known, seen = reference.get(feature, {}), current.get(feature, {})
            enough = sum(seen.values()) >= _ENOUGH and sum(known.values()) > 0
            self._gauges.drift.labels(feature).set(stability_index(known, seen) if enough else NAN)

    def _forget(self, session: Session) -> None:
        first = int((self._clock() - self._settings.window_s) // HOUR_S)
        if first > self._forgot_at:
            tallies.forget(session, first)
            self._forgot_at = first


def _counts(sums: Sums) -> Mapping[str, Mapping[str, float]]:
    return {name: {cell: n for cell, (n, _) in cells.items()} for name, cells in sums.items()}
