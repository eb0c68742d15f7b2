"""The tables of the operations database: review, labels, and the sums that live risk is read from.

Times are seconds since the epoch. Sums are only ever added to, so workers and replicas share them freely.
"""

from typing import Any

from sqlalchemy import DDL, JSON, Float, ForeignKey, Index, LargeBinary, String, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Root of the tables."""

    type_annotation_map = {dict[str, Any]: JSON, float: Float(53), bytes: LargeBinary}  # noqa: RUF012  # SQLAlchemy reads it from the class


class Item(Base):
    """One answer that a clinician is to look at: it was held, or drawn for the audit sample.

    `weight` is the inverse of the probability of being drawn, 1 for held answers. `detail` holds hashes,
    spans, numbers and enums; text stands in `sealed` alone. At `notify_at` the application is to be told.
    """

    __tablename__ = "review_items"

    id: Mapped[str] = mapped_column(String(48), primary_key=True)
    decision_id: Mapped[str] = mapped_column(String(40), index=True)
    choice: Mapped[int]
    at: Mapped[float]
    expires_at: Mapped[float]
    client: Mapped[str] = mapped_column(String(200))
    purpose: Mapped[str] = mapped_column(String(10))
    action: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20))
    policy: Mapped[str] = mapped_column(String(80))
    high_risk: Mapped[bool]
    p_wrong: Mapped[float | None]
    confidence: Mapped[float | None]
    urgency: Mapped[int]
    weight: Mapped[float]
    detail: Mapped[dict[str, Any]]
    sealed: Mapped[bytes | None]
    reserved_by: Mapped[str | None] = mapped_column(String(200))
    reserved_until: Mapped[float | None]
    resolved_at: Mapped[float | None]
    notify_at: Mapped[float | None] = mapped_column(index=True)

    __table_args__ = (Index("review_items_order", "status", "urgency", "at"),)


class Review(Base):
    """What one reviewer said of one item. Rows are added, never changed or removed.

    The reviewer's own words (reason, corrected text) are sealed where a key is configured; when they have
    been kept long enough, they go and the rest of the row stays.
    """

    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("review_items.id"), index=True)
    at: Mapped[float]
    reviewer: Mapped[str] = mapped_column(String(200))
    verdict: Mapped[str] = mapped_column(String(20))
    scores: Mapped[dict[str, Any]]
    outcome: Mapped[dict[str, Any]]
    text_sha256: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(String(4000))
    sealed: Mapped[bytes | None]


class Label(Base):
    """Whether one adjudicated answer showed one risk. The first label of an answer stands."""

    __tablename__ = "labels"

    item_id: Mapped[str] = mapped_column(ForeignKey("review_items.id"), primary_key=True)
    risk: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[float] = mapped_column(index=True)
    policy: Mapped[str] = mapped_column(String(80))
    purpose: Mapped[str] = mapped_column(String(10))
    weight: Mapped[float]
    present: Mapped[bool]


class Evidence(Base):
    """Counts of labels of delivered answers under one policy, and the highest log K they ever gave."""

    __tablename__ = "risk_evidence"

    policy: Mapped[str] = mapped_column(String(80), primary_key=True)
    risk: Mapped[str] = mapped_column(String(40), primary_key=True)
    ceiling: Mapped[float]
    labels: Mapped[int] = mapped_column(default=0)
    events: Mapped[int] = mapped_column(default=0)
    peak: Mapped[float] = mapped_column(default=0.0)


class Tally(Base):
    """Sums over the requests of one policy in one stretch of time (`bucket`), or of the drift reference."""

    __tablename__ = "tallies"

    policy: Mapped[str] = mapped_column(String(80), primary_key=True)
    bucket: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    cell: Mapped[str] = mapped_column(String(64), primary_key=True)
    n: Mapped[float] = mapped_column(default=0.0)
    total: Mapped[float] = mapped_column(default=0.0)


def _after_create(table: str, dialect: str, statement: str) -> None:
    ddl = DDL(statement)  # type: ignore[no-untyped-call]  # SQLAlchemy left this constructor untyped
    event.listen(Base.metadata.tables[table], "after_create", ddl.execute_if(dialect=dialect))


def _append_only(table: str) -> None:
    """Have the database itself refuse to change or remove rows of a table; only `sealed` may be emptied."""
    refusal = f"{table} is append-only"
    kept = ", ".join(column.name for column in Base.metadata.tables[table].columns if column.name != "sealed")
    abort = f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
    for name, when in (
        ("no_delete", f"DELETE ON {table}"),
        ("no_update", f"UPDATE OF {kept} ON {table}"),
        ("no_other_text", f"UPDATE OF sealed ON {table} WHEN NEW.sealed IS NOT NULL"),
    ):
        _after_create(table, "sqlite", f"CREATE TRIGGER {table}_{name} BEFORE {when} {abort}")
    _after_create(
        table,
        "postgresql",
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'UPDATE' THEN IF NEW.sealed IS NULL "
        "AND to_jsonb(NEW) - 'sealed' = to_jsonb(OLD) - 'sealed' THEN RETURN NEW; END IF; END IF; "
        f"RAISE EXCEPTION '{refusal}'; END $$",
    )
    _after_create(
        table,
        "postgresql",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_append_only()",
    )


_append_only("reviews")
