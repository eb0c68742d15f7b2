"""The operations database: SQLite in a file, or PostgreSQL where several hosts share it."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from gatekeeper.errors import ConfigurationError, ReviewError
from gatekeeper.review.tables import Base

_WAIT_S: Final = 5
"""Seconds that one statement may wait for another writer before it counts as failed."""
_SETTING_UP: Final = 718_293
"""Advisory lock under which one process at a time creates the tables in PostgreSQL."""


class Database:
    """Transactions on one database; made for worker threads, never for the event loop.

    Raises ConfigurationError for an address that cannot be used, ReviewError when the database fails. Who
    looks at what `exists` must not mistake an empty queue, just made at a mistyped path, for the real one.
    """

    def __init__(self, url: str, *, exists: bool = False) -> None:
        address = _address(url)
        if exists and address.get_backend_name() == "sqlite" and not Path(str(address.database)).is_file():
            raise ConfigurationError(f"review_db: {address.database}: there is no such database")
        self._engine = _engine(address)
        with self._failing_clearly(), self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SETTING_UP})
            Base.metadata.create_all(connection)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Session]:
        """Commit when the block ends, roll back when it raises."""
        with self._failing_clearly(), Session(self._engine) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """Read one consistent state; in SQLite without waiting for whoever writes."""
        engine = self._engine.execution_options(reading=True)
        with self._failing_clearly(), Session(engine) as session:
            yield session

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _failing_clearly(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise ReviewError(
                f"the review database cannot be read or written ({type(error).__name__}); check that it runs"
            ) from error


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        raise ConfigurationError(
            "review_db: is no database address; give sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from None
    if address.drivername in {"postgresql", "postgres"}:
        return address.set(drivername="postgresql+psycopg")
    if address.drivername not in {"sqlite", "postgresql+psycopg"} or not address.database:
        raise ConfigurationError("review_db: give sqlite:///FILE or postgresql://USER@HOST/NAME")
    return address


def _engine(address: URL) -> Engine:
    options: dict[str, Any] = {
        "hide_parameters": True,  # parameters may be a reviewer's words; errors must not quote them
        "json_serializer": lambda value: orjson.dumps(value).decode(),
        "json_deserializer": orjson.loads,
        "pool_timeout": _WAIT_S,
    }
    if address.get_backend_name() == "sqlite":
        return _sqlite(address, options)
    limits = f"-c statement_timeout={_WAIT_S * 1000} -c lock_timeout={_WAIT_S * 1000}"
    try:
        return create_engine(
            address,
            pool_pre_ping=True,
            connect_args={"connect_timeout": _WAIT_S, "options": limits},
            **options,
        )
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "review_db: PostgreSQL needs its driver; install radsafe-gatekeeper[postgres]"
        ) from error


def _sqlite(address: URL, options: dict[str, Any]) -> Engine:
    try:
        Path(str(address.database)).touch(mode=0o600)
    except OSError as error:
        raise ConfigurationError(f"review_db: {address.database}: {error.strerror}") from error
    engine = create_engine(address, connect_args={"timeout": _WAIT_S}, **options)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None  # the driver would begin late, and fail where it should wait
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")  # what is removed is overwritten

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _write_ahead(connection: Any) -> None:
    """Switch to the write-ahead log, for which SQLite itself waits for no other process that does so too."""
    until = time.monotonic() + _WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.01)
        else:
            return
