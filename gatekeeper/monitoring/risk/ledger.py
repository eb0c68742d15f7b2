"""Labels and what they say: observed rates, and the evidence that a ceiling is crossed."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from gatekeeper.monitoring.risk.eprocess import log_evidence
from gatekeeper.monitoring.risk.upsert import insert_once
from gatekeeper.policy.criteria import SAFETY_RATES, SafetyRate
from gatekeeper.review.tables import Evidence, Item, Label


@dataclass(frozen=True, slots=True)
class Observed:
    """An observed rate, and the number of labels that it rests on."""

    rate: float
    labels: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A ceiling, ln K now, and the largest ln K that there ever was."""

    ceiling: float
    log_evidence: float
    peak: float


def certify(session: Session, policy: str, ceilings: Mapping[SafetyRate, float]) -> None:
    """Note the ceilings that a policy promises; a policy's digest fixes them, so they never change."""
    for risk, ceiling in ceilings.items():
        insert_once(
            session, Evidence, policy=policy, risk=risk, ceiling=ceiling, labels=0, events=0, peak=0.0
        )


def label(session: Session, item: Item, outcome: Mapping[SafetyRate, bool], now: float) -> list[SafetyRate]:
    """Record which risks an answer showed and return those that were new; an earlier label stands.

    Labels of the audit sample are evidence on delivered answers. Held answers were never delivered.
    """
    new: list[SafetyRate] = []
    for risk, present in outcome.items():
        row = {"item_id": item.id, "risk": risk, "at": now, "policy": item.policy, "purpose": item.purpose}
        if insert_once(session, Label, **row, weight=item.weight, present=present):
            new.append(risk)
            if item.purpose == "audit":
                _bet(session, item.policy, risk, present=present)
    return new


def _bet(session: Session, policy: str, risk: str, *, present: bool) -> None:
    """Add one label to the counts; the update locks the row, so every K that occurs is seen."""
    mine = (Evidence.policy == policy, Evidence.risk == risk)
    added = session.execute(
        update(Evidence)
        .where(*mine)
        .values(labels=Evidence.labels + 1, events=Evidence.events + int(present))
        .returning(Evidence.labels, Evidence.events, Evidence.ceiling, Evidence.peak)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if added is None:  # a policy without a ceiling for this risk promises nothing to test
        return
    reached = log_evidence(added.events, added.labels, added.ceiling)
    if reached > added.peak:
        session.execute(
            update(Evidence).where(*mine).values(peak=reached).execution_options(synchronize_session=False)
        )


def standing(session: Session, policy: str) -> dict[str, Standing]:
    """Return how each risk of a policy stands to its ceiling."""
    rows = session.scalars(select(Evidence).where(Evidence.policy == policy))
    return {
        row.risk: Standing(row.ceiling, log_evidence(row.events, row.labels, row.ceiling), row.peak)
        for row in rows
    }


def observed(session: Session, policy: str, since: float) -> dict[tuple[str, str], Observed]:
    """Return the observed rate per (risk, population) over labels since a time.

    `delivered`: the audit sample alone. `generated`: what the model said before the gate, held answers
    beside the sample. Each label counts by the inverse of its probability of being drawn (the ratio
    estimator of Hájek 1971), so a sample of one in fifty stands for fifty.
    """
    rows = session.execute(
        select(
            Label.risk,
            Label.purpose,
            func.count(),
            func.sum(Label.weight),
            func.sum(Label.weight).filter(Label.present),
        )
        .where(Label.policy == policy, Label.at >= since)
        .group_by(Label.risk, Label.purpose)
    ).all()
    found = {(risk, purpose): (int(n), float(w), float(hit or 0.0)) for risk, purpose, n, w, hit in rows}
    rates: dict[tuple[str, str], Observed] = {}
    for risk in SAFETY_RATES:
        if (risk, "audit") not in found:  # held answers alone say nothing of the others
            continue
        for population, purposes in (("delivered", ("audit",)), ("generated", ("audit", "held"))):
            parts = [found[risk, purpose] for purpose in purposes if (risk, purpose) in found]
            n, weight, hit = (sum(column) for column in zip(*parts, strict=True))
            rates[risk, population] = Observed(hit / weight, int(n))
    return rates
