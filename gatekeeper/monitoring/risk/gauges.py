"""The metrics of live risk and of the review queue, in Prometheus' words.

All are read from the database, so every replica shows the same numbers: take `max`, never `sum`. Of the
workers of one replica, the numbers of the one that read last are shown.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from gatekeeper.policy.criteria import SAFETY_RATES

POPULATIONS: Final = ("delivered", "generated")
PURPOSES: Final = ("held", "audit")
NAN: Final = float("nan")


class RiskGauges:
    """Set at every refresh, with every label; a number that nothing supports is NaN."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, registry=registry, multiprocess_mode="livemostrecent")

        self.expected = gauge(
            "gatekeeper_expected_risk_ratio",
            "Upper bound of the risk of delivered answers that the calibrated probabilities give.",
            "risk",
        )
        self.known = gauge(
            "gatekeeper_expected_risk_known_ratio", "Share of delivered answers with a calibrated risk."
        )
        self.observed = gauge(
            "gatekeeper_observed_risk_ratio",
            "Risk among labelled answers, weighted by how each was drawn.",
            "risk",
            "population",
        )
        self.labels = gauge(
            "gatekeeper_observed_labels", "Labels that the observed risk rests on.", "risk", "population"
        )
        self.ceiling = gauge("gatekeeper_risk_ceiling_ratio", "Ceiling that the policy promises.", "risk")
        self.evidence = gauge(
            "gatekeeper_risk_evidence", "Evidence K that the risk of delivered answers is above it.", "risk"
        )
        self.alarm = gauge("gatekeeper_risk_alarm", "1 once K has reached 1/δ under this policy.", "risk")
        self.drift = gauge("gatekeeper_drift_psi", "Population stability index to the reference.", "feature")
        self.items = gauge("gatekeeper_review_items", "Items of the review queue.", "purpose", "status")
        self.oldest = gauge("gatekeeper_review_oldest_seconds", "Age of the oldest held answer not settled.")
        self.refreshed = gauge("gatekeeper_risk_refreshed_seconds", "When these numbers were last read.")
        self.outcomes = Counter(
            "gatekeeper_outcomes_total",
            "Outcomes that applications reported; only sampled ones enter the observed risk.",
            ("risk", "counted"),
            registry=registry,
        )
        for risk in SAFETY_RATES:
            for counted in ("yes", "no"):
                self.outcomes.labels(risk, counted)
