"""Queues on both databases, items in them, and a proxy before them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gatekeeper.review.database import Database
from gatekeeper.review.queue import ReviewQueue
from gatekeeper.review.sealing import Seal, new_key, read_keys
from gatekeeper.review.tables import Base, Item
from tests.postgres import BINARIES, postgres
from tests.review.site import site

__all__ = ["site"]
NOW = 1_800_000_000.0


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Return the URL of a throw-away PostgreSQL."""
    if not all(BINARIES):
        pytest.skip("PostgreSQL (postgres, initdb) is not installed here; its half was not run")
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of an empty database, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'review.db'}"
        return
    address: str = request.getfixturevalue("postgres_url")
    yield address
    database = Database(address)
    Base.metadata.drop_all(database._engine)
    with database._engine.begin() as connection:
        connection.exec_driver_sql("DROP FUNCTION reviews_append_only")
    database.close()


@pytest.fixture
def clock() -> Clock:
    """Return a clock at a fixed time."""
    return Clock()


@pytest.fixture
def seal() -> Seal:
    """Return a seal with a fresh key."""
    return Seal(read_keys(new_key()))


@pytest.fixture
def queue(url: str, clock: Clock, seal: Seal) -> Iterator[ReviewQueue]:
    """Return an empty queue that keeps text."""
    database = Database(url)
    yield ReviewQueue(database, seal, clock)
    database.close()


@pytest.fixture
def held(queue: ReviewQueue, seal: Seal) -> Callable[..., str]:
    """Return a function that puts an item into the queue and returns its id."""

    def enter(name: str = "gkd_1", **given: object) -> str:
        answer = {"content": "24 to 36 months", "refusal": "", "tool_calls": [], "reasoning": "because"}
        row = {
            "id": name,
            "decision_id": name,
            "choice": 0,
            "at": NOW,
            "expires_at": NOW + 3600,
            "client": "app",
            "purpose": "held",
            "action": "escalate",
            "status": "open",
            "policy": "sha256:p",
            "high_risk": False,
            "p_wrong": 0.5,
            "confidence": 0.9,
            "urgency": 5,
            "weight": 1.0,
            "detail": {"reasons": []},
            "sealed": seal.close({"question": "When?", "answer": answer}, name),
            **given,
        }
        queue.enter([Item(**row)])
        return name

    return enter
