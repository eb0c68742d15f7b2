"""Prometheus metrics of a serving process. Label sets are closed and created at 0; no client text enters."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gatekeeper.assess import verdicts
from gatekeeper.assessment import Action, Judgement, Verdict
from gatekeeper.auxiliary import Problem
from gatekeeper.calibration import Calibrations
from gatekeeper.checks.judge import TOO_MUCH
from gatekeeper.exchange import EvidenceState, LogprobQuality
from gatekeeper.gate import Bundle, Outcome
from gatekeeper.monitoring.shared import SharedMetrics
from gatekeeper.monitoring.tallies import Spread, Tally
from gatekeeper.policy import Policy
from gatekeeper.policy.model import ASKING, CHECKS, LOOKUP

_FAST = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0)
_WAITING = (*_FAST, 2.5, 5.0, 10.0, 30.0)
_SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_TENTHS = tuple(step / 20 for step in range(1, 21))
DETECTORS = (
    "slots",
    *(
        f"slots.{kind}"
        for kind in (
            "agent",
            "case",
            "category",
            "comparator",
            "condition",
            "device",
            "indication",
            "interval",
            "laterality",
            "level",
            "modality",
            "number",
            "polarity",
            "population",
            "route",
            "sequence",
            "temporal",
            "ungrounded",
            "unit",
        )
    ),
    "judge",
    "other",
)
_KNOWN = frozenset(DETECTORS)
CALIBRATION_STATES = ("none", "fits", "foreign", "by_answer")
"""No artefact; one of the served model; of others only; the model is named by each answer alone."""
FAILURES = ("error", "timeout")
MODEL_FAILURES = (*(problem.value for problem in Problem), TOO_MUCH)
ERRORS = (
    "audit_unavailable",
    "cancelled",
    "conflict",
    "forbidden",
    "internal_error",
    "invalid_api_key",
    "invalid_request",
    "not_certified",
    "not_found",
    "not_supported",
    "overloaded",
    "request_too_large",
    "review_unavailable",
    "upstream_error",
    "upstream_garbled",
    "upstream_timeout",
)


class Metrics:
    """All metrics of one process, in a registry of their own; several workers show theirs as one.

    Their counters, histograms and requests under way add up. What each says of itself alone, such as its
    policy and its decision log, has its number as the label `worker`.
    """

    def __init__(self, shared: SharedMetrics | None = None) -> None:
        self.registry = CollectorRegistry()
        self._shown = shared.join() if shared else self.registry
        self._me = {"worker": str(shared.worker)} if shared else {}
        self._policy: tuple[str, ...] | None = None
        self._followed: list[tuple[Gauge, Callable[[], float]]] = []
        self._tallies: list[Tally | Spread] = []
        self._unwritten = False
        self._counters()
        self._histograms()
        self._tallied()
        self._gauges()
        self._workers(restarted=shared is not None and shared.restarted)

    def _gauges(self) -> None:
        self.in_flight = self._gauge("gatekeeper_requests_in_flight", "Requests being served.")
        self.queued = self._gauge("gatekeeper_requests_queued", "Requests waiting for a place.")
        policy = ("name", "version", "digest", "mode", "certified")
        self.policy_info = self._gauge(
            "gatekeeper_policy_info", "The policy in force.", *policy, *self._me, merged="livemax"
        )
        self.certificate_expiry = self._own_gauge(
            "gatekeeper_certificate_expiry_timestamp_seconds",
            "When the certificate in force expires, 0 without.",
        )
        self.break_glass = self._own_gauge(
            "gatekeeper_break_glass_active", "1 while serving uncertified by a person's decision."
        )
        self.coverage_floor = self._gauge(
            "gatekeeper_coverage_floor_ratio",
            "Share of questions that the policy promises to answer, 0 where it promises none.",
            merged="livemax",
        )
        self.calibration_info = self._gauge(
            "gatekeeper_calibration_info",
            "1 for how the calibration stands to the served model.",
            "state",
            merged="livemax",
        )
        self.calibration_created = self._gauge(
            "gatekeeper_calibration_created_timestamp_seconds",
            "When the calibration that applies, or the oldest that may, was fitted; 0 where nothing says.",
            merged="livemax",
        )
        self.backend_up = self._gauge(
            "gatekeeper_backend_up",
            "1 while a model server answers; numbered as in the settings.",
            "upstream",
            merged="livemax",
        )
        self.audit_lines = self._counter(
            "gatekeeper_audit_lines_total", "Lines that this process added to the decision log."
        )
        self.audit_segment = self._own_gauge("gatekeeper_audit_segment", "Segment of the log being written.")
        self.audit_segment_lines = self._own_gauge("gatekeeper_audit_segment_lines", "Lines in that segment.")
        self.reloads = self._counter("gatekeeper_policy_reloads_total", "Policy reloads.", "result")
        for result in ("ok", "refused"):
            self.reloads.labels(result)

    def _workers(self, *, restarted: bool) -> None:
        self._gauge("gatekeeper_workers", "Workers that run; without workers, the one process.").set(1)
        restarts = self._counter("gatekeeper_worker_restarts_total", "Workers that died and came back.")
        restarts.inc(int(restarted))

    def _counters(self) -> None:
        self.decisions = self._counter(
            "gatekeeper_decisions_total", "Decisions by their leading reason.", "action", "reason"
        )
        self.shadow = self._counter(
            "gatekeeper_shadow_decisions_total", "What enforcing would have done in shadow mode.", "action"
        )
        self.check_failures = self._counter(
            "gatekeeper_check_failures_total", "Checks that could not judge.", "check", "kind"
        )
        self.claims = self._counter("gatekeeper_claims_total", "Claims judged.", "verdict", "detector")
        self.evidence = self._counter("gatekeeper_evidence_total", "Requests by evidence state.", "state")
        self.quality = self._counter(
            "gatekeeper_logprob_quality_total", "Answers by quality of their token probabilities.", "quality"
        )
        self.stripped = self._counter("gatekeeper_stripped_fields_total", "Unknown text fields taken out.")
        self.errors = self._counter("gatekeeper_errors_total", "Requests that ended in an error.", "code")
        for action in Action:
            self.shadow.labels(action.value)
        for check in CHECKS:
            for kind in MODEL_FAILURES if check in ASKING else FAILURES:
                self.check_failures.labels(check, kind)
        for verdict in Verdict:
            for detector in DETECTORS:
                self.claims.labels(verdict.value, detector)
        for state in EvidenceState:
            self.evidence.labels(state.value)
        for quality in LogprobQuality:
            self.quality.labels(quality.value)
        for code in ERRORS:
            self.errors.labels(code)

    def _histograms(self) -> None:
        self.duration = self._histogram("gatekeeper_request_duration_seconds", "Whole request.", _SLOW)
        self.upstream = self._histogram(
            "gatekeeper_upstream_duration_seconds", "Waiting for the backend.", _SLOW
        )
        self.overhead = self._histogram(
            "gatekeeper_overhead_seconds", "Request time not spent waiting for the backend.", _FAST
        )
        self.check_duration = self._histogram(
            "gatekeeper_check_duration_seconds",
            "Time in each check, waiting for a model that it asks included.",
            _WAITING,
            "check",
        )
        self.confidence = self._histogram(
            "gatekeeper_confidence", "Confidence of answers, raw and calibrated.", _TENTHS, "stage"
        )
        for check in CHECKS:
            self.check_duration.labels(check)
        for stage in ("raw", "calibrated"):
            self.confidence.labels(stage)

    def _tallied(self) -> None:
        """Make what every answer counts in, by labels: plain numbers, until somebody looks."""
        self._duration, self._upstream, self._overhead = map(
            self._spread, (self.duration, self.upstream, self.overhead)
        )
        self._of_decision = cache(partial(self._tally, self.decisions))
        self._of_claim = cache(partial(self._tally, self.claims))
        self._of_evidence = cache(partial(self._tally, self.evidence))
        self._of_quality = cache(partial(self._tally, self.quality))
        self._of_check = cache(partial(self._spread, self.check_duration))
        self._of_stage = cache(partial(self._spread, self.confidence))

    def _tally(self, counter: Counter, *labels: str) -> Tally:
        self._tallies.append(tally := Tally(counter.labels(*labels)))
        return tally

    def _spread(self, histogram: Histogram, *labels: str) -> Spread:
        self._tallies.append(spread := Spread(histogram.labels(*labels) if labels else histogram))
        return spread

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(
        self, name: str, text: str, *labels: str, merged: Literal["livesum", "livemax"] = "livesum"
    ) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry, multiprocess_mode=merged)

    def _own_gauge(self, name: str, text: str) -> Gauge:
        gauge = self._gauge(name, text, *self._me, merged="livemax")
        return gauge.labels(**self._me) if self._me else gauge

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)

    def serve(self, bundle: Bundle, fingerprint: str | None = None) -> None:
        """Name the policy now in force and create its decision counters at 0.

        `fingerprint` names the served model where something does before it has answered.
        """
        policy = bundle.policy
        self._retire_policy()
        self.coverage_floor.set(_coverage_floor(policy))
        self._calibrated(bundle.calibrations, fingerprint)
        certified = str(bundle.certified).lower()
        named = (policy.name, policy.version, bundle.loaded.digest, policy.mode, certified)
        self._policy = (*named, *self._me.values())
        self.policy_info.labels(*self._policy).set(1)
        for action, reason in _decisions(policy):
            self.decisions.labels(action.value, reason)

    def _retire_policy(self) -> None:
        if not self._me:
            self.policy_info.clear()
        elif self._policy is not None:  # a series cannot leave the shared file; at 0 it is not shown
            self.policy_info.labels(*self._policy).set(0)

    def _calibrated(self, calibrations: Calibrations, fingerprint: str | None) -> None:
        state = _calibration_state(calibrations, fingerprint)
        for known in CALIBRATION_STATES:
            self.calibration_info.labels(known).set(known == state)
        named = calibrations.fingerprints if state == "by_answer" else (fingerprint,)
        applied = [artefact for name in named if (artefact := calibrations.of(name))]
        created = [artefact.created.timestamp() for artefact in applied if artefact.created]
        self.calibration_created.set(min(created, default=0.0))

    def answering(self, servers: Sequence[bool]) -> None:
        """Show which model servers answer, in the order of the settings."""
        for index, up in enumerate(servers):
            self.backend_up.labels(str(index)).set(up)

    def observe(self, outcome: Outcome) -> None:
        """Count one request that was judged."""
        timings = outcome.timings
        self._duration.observe(timings.total)
        self._upstream.observe(timings.upstream)
        self._overhead.observe(timings.overhead)
        for check, seconds in timings.checks.items():
            self._of_check(check).observe(seconds)
        self._of_evidence(str(outcome.case.evidence.state)).inc()
        for judgement in outcome.judgements:
            self._judged(judgement, shadow=outcome.bundle.policy.mode == "shadow")
        if self._me and not self._unwritten:  # what a worker that dies has not written down is lost
            self._unwritten = True
            asyncio.get_running_loop().call_soon(self._write)  # once for all that this turn of the loop ends

    def _judged(self, judgement: Judgement, *, shadow: bool) -> None:
        decision, assessment = judgement.decision, judgement.assessment
        leading = decision.reasons[0].rule if decision.reasons else "no_rule"
        self._of_decision(str(decision.action), "shadow" if shadow else leading).inc()
        if shadow:
            self.shadow.labels(str(decision.would)).inc()
        self._of_quality(str(assessment.confidence.quality)).inc()
        if assessment.confidence.raw is not None:
            self._of_stage("raw").observe(assessment.confidence.raw)
        if assessment.confidence.calibrated is not None:
            self._of_stage("calibrated").observe(assessment.confidence.calibrated)
        for finding in verdicts(len(assessment.claims), assessment.findings):
            if finding is not None and finding.verdict is not None:
                detector = finding.detector if finding.detector in _KNOWN else "other"
                self._of_claim(str(finding.verdict), detector).inc()
        for finding in assessment.findings:
            if finding.claim is None and finding.verdict is Verdict.UNAVAILABLE:
                self.check_failures.labels(finding.check, finding.detector.rpartition(".")[2]).inc()

    def failed(self, code: str | None) -> None:
        """Count a request that ended in an error."""
        self.errors.labels(code if code in ERRORS else "internal_error").inc()

    def follow(self, gauge: Gauge, value: Callable[[], float]) -> None:
        """Have a gauge show what a function returns; in one of several workers, at every `refresh`."""
        if self._me:
            self._followed.append((gauge, value))
        else:
            gauge.set_function(value)

    def refresh(self) -> None:
        """Write down what was counted, and what other workers cannot ask this one."""
        self._write()
        for gauge, value in self._followed:
            gauge.set(value())

    def _write(self) -> None:
        self._unwritten = False
        for tally in self._tallies:
            tally.write()

    def exposition(self) -> bytes:
        """Return all metrics, those of all workers, in Prometheus' text format."""
        self.refresh()
        return generate_latest(self._shown)


def _coverage_floor(policy: Policy) -> float:
    """Return the lowest floor over the gated conditions; live traffic names none, so no more is promised."""
    scope = policy.gate.scope.values() if policy.gate else ()
    return min((criteria.coverage_floor for criteria in scope), default=0.0)


def _calibration_state(calibrations: Calibrations, fingerprint: str | None) -> str:
    if not calibrations.fingerprints:
        return "none"
    if fingerprint is None:
        return "by_answer"
    return "fits" if calibrations.of(fingerprint) else "foreign"


def _decisions(policy: Policy) -> Iterator[tuple[Action, str]]:
    """Yield every (action, leading reason) that a policy can come to."""
    if policy.mode == "shadow":
        yield Action.RELEASE, "shadow"
        return
    yield Action.RELEASE, "no_rule"
    if policy.evidence.lookups:
        yield Action.RELEASE, LOOKUP
    yield policy.regenerate.then, "regeneration_failed"
    for check in CHECKS:
        yield getattr(policy.checks, check).unavailable, "check_unavailable"
    for rule in policy.rules:
        yield rule.then, rule.id
