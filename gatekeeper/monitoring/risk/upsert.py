"""Insertions that two workers may make at once, in the words of both databases."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from gatekeeper.review.tables import Base, Tally


def _insert(session: Session, table: type[Base]) -> "postgresql.Insert | sqlite.Insert":
    on_postgres = session.get_bind().dialect.name == "postgresql"
    return postgresql.insert(table) if on_postgres else sqlite.insert(table)


def insert_once(session: Session, table: type[Base], **values: Any) -> bool:
    """Insert a row unless there is one of its key; return whether it was inserted."""
    statement = _insert(session, table).values(**values).on_conflict_do_nothing()
    keys = list(table.__table__.primary_key)
    return session.execute(statement.returning(*keys)).one_or_none() is not None


def add(session: Session, **values: Any) -> None:
    """Add `n` and `total` to a tally, which begins at 0."""
    statement = _insert(session, Tally).values(**values)
    sums = {"n": Tally.n + statement.excluded.n, "total": Tally.total + statement.excluded.total}
    keys = list(Tally.__table__.primary_key)
    session.execute(statement.on_conflict_do_update(index_elements=keys, set_=sums))
