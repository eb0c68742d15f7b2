"""How long texts are kept: the sealed text of an old item goes, everything else about it stays.

First the decision log says whose texts go, then they go: no text is removed without a line. Where several
processes do so at once, the log may say it twice.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import or_, select, update

from gatekeeper.review.database import Database
from gatekeeper.review.tables import Item, Review
from gatekeeper.review.verdict import UNSETTLED

DAY_S: Final = 86_400.0
BATCH: Final = 500
"""Items of one transaction, so that nobody waits long for it."""


def with_old_texts(database: Database, before: float, limit: int = BATCH) -> list[str]:
    """Return the ids of settled items that came before a time and still have texts, the oldest first.

    An item that still waits keeps its text until it is settled or expires.
    """
    with_words = select(Review.item_id).where(Review.sealed.is_not(None))
    old = (
        select(Item.id)
        .where(Item.at < before, Item.status.not_in(UNSETTLED))
        .where(or_(Item.sealed.is_not(None), Item.id.in_(with_words)))
        .order_by(Item.at)
        .limit(limit)
    )
    with database.reading() as session:
        return list(session.scalars(old))


def removal(items: Sequence[str], days: int) -> dict[str, object]:
    """Return the decision log's line on texts that are about to be removed: whose, and from which age on."""
    at = datetime.now(UTC).isoformat()
    return {"event": "text_removal", "ids": list(items), "older_than_days": days, "at": at}


def remove_texts(database: Database, items: Sequence[str]) -> None:
    """Remove question, evidence and answer of items, and what reviewers wrote of them.

    Decision, hashes, verdicts, scores and labels stay.
    """
    in_one_order = select(Item.id).where(Item.id.in_(items)).order_by(Item.id).with_for_update()
    with database.transaction() as session:
        session.execute(in_one_order)
        for table, key in ((Item, Item.id), (Review, Review.item_id)):
            emptied = update(table).where(key.in_(items)).values(sealed=None)
            session.execute(emptied.execution_options(synchronize_session=False))
