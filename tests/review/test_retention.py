"""Texts are removed by age, on both databases: what goes, what stays, and that the log says so."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.orm import Session

from gatekeeper.audit import verify
from gatekeeper.cli import main
from gatekeeper.errors import ReviewError
from gatekeeper.review.database import Database
from gatekeeper.review.queue import ReviewQueue
from gatekeeper.review.retention import DAY_S, remove_texts, with_old_texts
from gatekeeper.review.sealing import new_key
from tests.processes import wait_for
from tests.review.conftest import NOW
from tests.review.site import Site
from tests.review.test_queue import Held, review
from tests.server.test_chat import WRONG


def test_old_texts_go_and_verdicts_stay(queue: ReviewQueue, held: Held) -> None:
    """Question, answer and correction of an old settled item are gone; who said what of it is not."""
    item = held("old")
    review(queue, item, "ada", "correct", text="6 to 12 months")
    held("new", at=NOW + 10)
    review(queue, "new", "ada", "reject")
    assert with_old_texts(queue.database, NOW + 1) == ["old"]
    remove_texts(queue.database, ["old"])
    shown = queue.shown("old")
    assert (shown["text"], shown["reviews"][0]["text"], shown["reviews"][0]["reason"]) == (None, None, None)
    assert (shown["status"], shown["reviews"][0]["verdict"]) == ("corrected", "correct")
    assert len(shown["reviews"][0]["text_sha256"]) == 64
    assert queue.decision("old", "app")["answers"][0]["answer"] is None
    assert queue.shown("new")["text"]["question"] == "When?"
    assert with_old_texts(queue.database, NOW + 1) == []


def test_what_still_waits_keeps_its_text(queue: ReviewQueue, held: Held) -> None:
    """A reviewer never opens an item whose text was removed under their hands."""
    held("waits")
    assert with_old_texts(queue.database, NOW + DAY_S) == []


def test_the_oldest_go_first_and_not_too_many_at_once(queue: ReviewQueue, held: Held) -> None:
    """Texts of years go in portions, so that nobody waits long for the database."""
    for age in range(3):
        held(f"aged-{age}", at=NOW - age, status="withheld")
    assert with_old_texts(queue.database, NOW + 1, limit=2) == ["aged-2", "aged-1"]


@pytest.mark.parametrize(
    "change", ["sealed = 'x'", "sealed = NULL, verdict = 'release'", "verdict = 'release'"]
)
def test_reviews_may_lose_their_text_and_nothing_else(queue: ReviewQueue, held: Held, change: str) -> None:
    """The database itself refuses every change of a review but the removal of its text."""
    review(queue, held(), "ada", "reject")
    with pytest.raises(ReviewError), queue.database.transaction() as session:
        _execute(session, f"UPDATE reviews SET {change}")
    with queue.database.transaction() as session:
        _execute(session, "UPDATE reviews SET sealed = NULL")


def _execute(session: Session, statement: str) -> None:
    session.execute(text(statement))


def test_several_processes_remove_at_once(url: str, queue: ReviewQueue, held: Held) -> None:
    """Four that remove the same texts in different orders neither fail nor leave one behind."""
    items = [held(f"old-{number:02}", status="withheld") for number in range(40)]
    start, failed = Barrier(4), []

    def remove(order: list[str]) -> None:
        database = Database(url)
        start.wait()
        try:
            remove_texts(database, order)
        except ReviewError as error:
            failed.append(error)
        finally:
            database.close()

    threads = [Thread(target=remove, args=(items[:: 1 - 2 * (number % 2)],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failed, with_old_texts(queue.database, NOW + 1)) == ([], [])


def test_a_server_removes_what_it_has_kept_long_enough(
    site: Callable[..., Site], queue: ReviewQueue, held: Held, tmp_path: Path
) -> None:
    """With a retention of one day the text of yesterday goes, that of today stays, and the log names it."""
    old = held("gkd_old", at=time.time() - 2 * DAY_S, status="withheld")
    held("gkd_today", at=time.time(), status="withheld")
    log = tmp_path / "log.jsonl"
    site(review_keep_days=1, audit_log=log)
    wait_for(lambda: queue.shown(old)["text"] is None)
    assert queue.shown("gkd_today")["text"] is not None
    (line,) = [orjson.loads(line) for line in log.read_bytes().splitlines()]
    assert (line["event"], line["ids"], line["older_than_days"]) == ("text_removal", ["gkd_old"], 1)


def test_the_command_line_removes_and_records(site: Callable[..., Site], tmp_path: Path) -> None:
    """`gatekeeper review purge` says how many texts went, in a log of its own that verifies."""
    key = new_key()
    here = site(review_key=key)
    name = here.ask().json()["gatekeeper"]["decision_id"]
    here.review(name, "ada", "reject").raise_for_status()
    database = Database(here.db)
    with database.transaction() as session:
        _execute(session, f"UPDATE review_items SET at = {time.time() - 91 * DAY_S}")
    log = tmp_path / "removals.jsonl"

    def purge(age: str, *rest: str) -> Any:
        command = ["review", "purge", "--older-than", age, "--audit-log", str(log), *rest]
        return CliRunner().invoke(main, command, env={"GATEKEEPER_REVIEW_DB": here.db})

    assert "texts of 0 items" in purge("92d").output
    assert "texts of 1 items" in purge("90d").output
    assert here.call("GET", f"gatekeeper/reviews/{name}", "ada").json()["text"] is None
    assert (verify(log).lines, WRONG in log.read_text()) == (1, False)
    assert (purge("90").exit_code, "such as 90d" in purge("90").output) == (2, True)
    database.close()
