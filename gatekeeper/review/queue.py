"""The review queue: who may take which item, what they say of it, and what then becomes of it.

Every method is one transaction and may be called by many workers at once.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import case, func, or_, select, update
from sqlalchemy.orm import Session

from gatekeeper.errors import Conflict, InvalidRequest, NotFound
from gatekeeper.monitoring.risk.ledger import label
from gatekeeper.policy.criteria import SafetyRate
from gatekeeper.review.database import Database
from gatekeeper.review.sealing import Seal
from gatekeeper.review.tables import Item, Review
from gatekeeper.review.verdict import (
    UNSETTLED,
    Opinion,
    Said,
    labels_of,
    settling,
    status_after,
    with_overconfidence,
)
from gatekeeper.review.views import decision_view, full_view, summary_view

MAX_LISTED: Final = 200
_CLINICIANS_RISKS: Final[tuple[SafetyRate, ...]] = (
    "high_risk_error",
    "unsafe_answer",
    "evidence_contradiction",
)


class ReviewQueue:
    """Items on one database. Without a seal no text is kept, so corrections cannot be either."""

    def __init__(
        self, database: Database, seal: Seal | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.database = database
        self.seal = seal
        self._clock = clock

    def enter(self, items: Sequence[Item]) -> None:
        """Put items into the queue; when this returns they are on disk."""
        with self.database.transaction() as session:
            session.add_all(items)

    def listed(self, *, settled: bool = False, limit: int = 50, offset: int = 0) -> list[dict[str, Any]]:
        """Return items without any text: open ones riskiest and oldest first, settled ones newest first."""
        order = [Item.resolved_at.desc()] if settled else [Item.urgency.desc(), Item.at, Item.id]
        statement = select(Item).where(Item.status.not_in(UNSETTLED) if settled else self._open())
        with self.database.reading() as session:
            found = session.scalars(
                statement.order_by(*order).limit(min(limit, MAX_LISTED)).offset(offset)
            ).all()
            return [summary_view(item) for item in found]

    def shown(self, item_id: str) -> dict[str, Any]:
        """Return one item with its reviews, and its text where that was kept."""
        with self.database.reading() as session:
            item = _find(session, item_id)
            return full_view(item, _reviews(session, item_id), self.seal)

    def reserve(self, item_id: str, reviewer: str, seconds: float) -> dict[str, Any]:
        """Take an item for some time, or longer; raise Conflict when it is another's or needs another."""
        now = self._clock()
        free = or_(Item.reserved_until.is_(None), Item.reserved_until <= now, Item.reserved_by == reviewer)
        with self.database.transaction() as session:
            _find(session, item_id)
            _spoke_already(session, item_id, reviewer)
            taken = session.execute(
                update(Item)
                .where(Item.id == item_id, self._open(), free)
                .values(reserved_by=reviewer, reserved_until=now + seconds)
                .returning(Item.id)
            ).one_or_none()
            if taken is None:
                raise Conflict("this item is reserved by another reviewer, or is settled or expired")
            return {"id": item_id, "reserved_by": reviewer, "reserved_until": now + seconds}

    def resolve(self, item_id: str, reviewer: str, said: Said) -> dict[str, Any]:
        """Record what the reviewer who reserved an item says of it, and settle it if that does."""
        now = self._clock()
        with self.database.transaction() as session:
            item = _find(session, item_id, lock=True)
            self._may_resolve(session, item, reviewer, now)
            self._fits(item, said)
            review = self._review(item_id, reviewer, said, now)
            opinions = [_opinion(row) for row in (*_reviews(session, item_id), review)]
            session.add(review)
            item.status = status_after(opinions, high_risk=item.high_risk)
            item.reserved_by = item.reserved_until = None
            settled = settling(opinions, high_risk=item.high_risk)
            if settled:
                item.resolved_at = item.notify_at = now
                label(session, item, labels_of(settled, item.confidence), now)
            return {"id": item_id, "status": item.status, "reviews": len(opinions)}

    def decision(self, decision_id: str, client: str) -> dict[str, Any]:
        """Return what became of an application's own decision, with what a clinician released of it."""
        with self.database.reading() as session:
            items = _of_client(session, decision_id, client)
            reviews = {item.id: _reviews(session, item.id) for item in items}
            return decision_view(decision_id, items, reviews, self.seal, self._clock())

    def report(
        self, decision_id: str, client: str, outcome: dict[SafetyRate, bool]
    ) -> dict[str, list[SafetyRate]] | None:
        """Record an application's outcome of a decision and return which labels counted, per item.

        None: the decision is not in the database, so it was delivered and not drawn. A held answer, and one
        on a high-risk topic, is labelled by reviewers alone.
        """
        with self.database.transaction() as session:
            try:
                items = _of_client(session, decision_id, client)
            except NotFound:
                return None
            if len(items) != 1 or items[0].purpose != "audit" or items[0].high_risk:
                raise Conflict("held answers and those on high-risk topics are labelled by reviewers")
            (item,) = items
            return {
                item.id: label(session, item, with_overconfidence(outcome, item.confidence), self._clock())
            }

    def expire(self) -> int:
        """Withhold for good what nobody settled in time; return how many items that were."""
        now = self._clock()
        with self.database.transaction() as session:
            gone = session.execute(
                update(Item)
                .where(Item.status.in_(UNSETTLED), Item.expires_at <= now)
                .values(
                    status="withheld",
                    resolved_at=now,
                    notify_at=case((Item.purpose == "held", now)),
                )
                .returning(Item.id)
                .execution_options(synchronize_session=False)
            )
            return len(gone.all())

    def news(self, again_after_s: float, limit: int = 100) -> list[tuple[str, str, str]]:
        """Claim changes to tell applications of, as (item id, decision id, status).

        Whoever claims one has `again_after_s` to tell it and call `told`; after that it is news again.
        """
        now = self._clock()
        due = select(Item.id).where(Item.notify_at <= now).order_by(Item.notify_at).limit(limit)
        with self.database.transaction() as session:
            claimed = session.execute(
                update(Item)
                .where(Item.id.in_(due.with_for_update(skip_locked=True)))
                .values(notify_at=now + again_after_s)
                .returning(Item.id, Item.decision_id, Item.status)
                .execution_options(synchronize_session=False)
            )
            return [(item, decision_id, status) for item, decision_id, status in claimed]

    def told(self, item_id: str) -> None:
        """Note that the application knows."""
        with self.database.transaction() as session:
            session.execute(update(Item).where(Item.id == item_id).values(notify_at=None))

    def lengths(self) -> tuple[dict[tuple[str, str], int], float | None]:
        """Return the number of items by (purpose, status), and when the oldest unsettled held one came."""
        with self.database.reading() as session:
            counts = session.execute(
                select(Item.purpose, Item.status, func.count()).group_by(Item.purpose, Item.status)
            ).all()
            waiting = (Item.status.in_(UNSETTLED), Item.purpose == "held")
            oldest = session.scalar(select(func.min(Item.at)).where(*waiting))
            return {(purpose, status): n for purpose, status, n in counts}, oldest

    def _open(self) -> Any:
        return Item.status.in_(UNSETTLED) & (Item.expires_at > self._clock())

    def _may_resolve(self, session: Session, item: Item, reviewer: str, now: float) -> None:
        if item.status not in UNSETTLED or item.expires_at <= now:
            raise Conflict("this item is settled, or expired and withheld")
        if item.reserved_by != reviewer or (item.reserved_until or 0) <= now:
            raise Conflict("reserve the item first; a reservation ends after a while")
        _spoke_already(session, item.id, reviewer)

    def _fits(self, item: Item, said: Said) -> None:
        if said.text is not None and self.seal is None:
            raise InvalidRequest(
                "a corrected text needs the encrypted store; start with GATEKEEPER_REVIEW_KEY"
            )
        missing = [risk for risk in _CLINICIANS_RISKS if risk not in said.outcome]
        if item.purpose == "audit" and said.verdict != "cannot_judge" and missing:
            raise InvalidRequest(
                f"outcome: this answer was drawn for the audit; label {', '.join(missing)} too"
            )

    def _review(self, item_id: str, reviewer: str, said: Said, now: float) -> Review:
        words = {"reason": said.reason, "text": said.text}
        return Review(
            item_id=item_id,
            at=now,
            reviewer=reviewer,
            verdict=said.verdict,
            scores=said.scores.model_dump() if said.scores else {},
            outcome=dict(said.outcome),
            text_sha256=hashlib.sha256(said.text.encode()).hexdigest() if said.text is not None else None,
            reason=None if self.seal else said.reason,
            sealed=self.seal.close(words, f"{item_id}/{reviewer}") if self.seal else None,
        )


def _find(session: Session, item_id: str, *, lock: bool = False) -> Item:
    item = session.get(Item, item_id, with_for_update=lock) if _may_exist(item_id) else None
    if item is None:
        raise NotFound("there is no such item in the review queue")
    return item


def _of_client(session: Session, decision_id: str, client: str) -> Sequence[Item]:
    named = or_(Item.decision_id == decision_id, Item.id == decision_id)
    mine = select(Item).where(named, Item.client == client).order_by(Item.choice)
    found = session.scalars(mine).all() if _may_exist(decision_id) else ()
    if not found:
        raise NotFound("there is no such decision in the review queue, or it is another application's")
    return found


def _may_exist(name: str) -> bool:
    """Whether a name can be asked for: PostgreSQL fails on NUL, which would look like its own fault."""
    return "\0" not in name


def _reviews(session: Session, item_id: str) -> Sequence[Review]:
    return session.scalars(select(Review).where(Review.item_id == item_id).order_by(Review.id)).all()


def _spoke_already(session: Session, item_id: str, reviewer: str) -> None:
    mine = select(Review.id).where(Review.item_id == item_id, Review.reviewer == reviewer).limit(1)
    if session.scalar(mine) is not None:
        raise Conflict("you have reviewed this item; it needs another reviewer")


def _opinion(review: Review) -> Opinion:
    return Opinion.model_validate(
        {"verdict": review.verdict, "text_sha256": review.text_sha256, "outcome": review.outcome}
    )
