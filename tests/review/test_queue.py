"""The review queue on both databases: order, reservations, verdicts, four eyes, expiry."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from gatekeeper.errors import Conflict, InvalidRequest, NotFound, ReviewError
from gatekeeper.review.database import Database
from gatekeeper.review.queue import ReviewQueue
from gatekeeper.review.verdict import Said
from tests.review.conftest import NOW, Clock
from tests.review.site import SAFE, SCORES

Held = Callable[..., str]


def said(verdict: str, **rest: Any) -> Said:
    """Return a review."""
    return Said.model_validate(
        {"verdict": verdict, "reason": "as the guideline says", "scores": SCORES, **rest}
    )


def review(queue: ReviewQueue, item: str, reviewer: str, verdict: str, **rest: Any) -> str:
    """Reserve and resolve an item, and return the status that it then has."""
    queue.reserve(item, reviewer, 60)
    status: str = queue.resolve(item, reviewer, said(verdict, **rest))["status"]
    return status


def test_riskiest_and_oldest_come_first(queue: ReviewQueue, held: Held) -> None:
    """The most urgent item leads; among equals the one that waits longest."""
    held("late", urgency=5, at=NOW - 1)
    held("early", urgency=5, at=NOW - 2)
    held("mild", urgency=1, at=NOW - 9)
    held("grave", urgency=15, at=NOW)
    assert [item["id"] for item in queue.listed()] == ["grave", "early", "late", "mild"]
    assert [item["id"] for item in queue.listed(limit=2, offset=1)] == ["early", "late"]


def test_exactly_one_of_many_reviewers_gets_an_item(url: str, queue: ReviewQueue, held: Held) -> None:
    """Eight reviewers on connections of their own reach for one item at once: one wins."""
    item = held()
    start, won = threading.Barrier(8), []

    def reach(reviewer: str) -> None:
        database = Database(url)
        own = ReviewQueue(database, None, queue._clock)
        start.wait()
        try:
            own.reserve(item, reviewer, 60)
            won.append(reviewer)
        except Conflict:
            pass
        finally:
            database.close()

    threads = [threading.Thread(target=reach, args=(f"r{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert queue.shown(item)["reserved_by"] == won[0]


def test_a_reservation_ends(queue: ReviewQueue, held: Held, clock: Clock) -> None:
    """A reservation keeps others away until it expires, and its holder can no longer resolve then."""
    item = held()
    queue.reserve(item, "a", 60)
    with pytest.raises(Conflict, match="reserved by another"):
        queue.reserve(item, "b", 60)
    clock.now += 61
    with pytest.raises(Conflict, match="reserve the item first"):
        queue.resolve(item, "a", said("release"))
    assert queue.reserve(item, "b", 60)["reserved_by"] == "b"


@pytest.mark.parametrize(
    ("verdict", "text", "status", "content"),
    [
        ("release", None, "released", "24 to 36 months"),
        ("correct", "6 to 12 months", "corrected", "6 to 12 months"),
        ("reject", None, "rejected", None),
    ],
)
def test_one_reviewer_settles_an_ordinary_item(
    queue: ReviewQueue, held: Held, verdict: str, text: str | None, status: str, content: str | None
) -> None:
    """The application gets the released or corrected text, and none of a rejected answer."""
    item = held()
    assert queue.decision(item, "app")["status"] == "held"
    assert review(queue, item, "a", verdict, text=text) == status
    found = queue.decision(item, "app")
    assert found["status"] == status
    assert found["answers"][0]["answer"] == (content and {"content": content, "tool_calls": []})
    assert queue.listed() == []
    assert [settled["id"] for settled in queue.listed(settled=True)] == [item]


def test_a_high_risk_item_needs_two_who_agree(queue: ReviewQueue, held: Held) -> None:
    """One reviewer is not enough, and the same one twice is refused."""
    item = held(high_risk=True)
    assert review(queue, item, "a", "release") == "second_review"
    assert queue.decision(item, "app")["answers"][0]["answer"] is None
    with pytest.raises(Conflict, match="another reviewer"):
        queue.reserve(item, "a", 60)
    assert review(queue, item, "b", "release") == "released"


def test_two_who_differ_call_a_third(queue: ReviewQueue, held: Held) -> None:
    """Where two reviewers differ, the third decides between them."""
    item = held(high_risk=True)
    review(queue, item, "a", "release")
    assert review(queue, item, "b", "reject") == "escalated"
    assert review(queue, item, "c", "reject") == "rejected"


def test_different_corrections_do_not_agree(queue: ReviewQueue, held: Held) -> None:
    """Two corrections of a high-risk answer settle it only when they are the same text."""
    item = held(high_risk=True)
    review(queue, item, "a", "correct", text="6 months")
    assert review(queue, item, "b", "correct", text="12 months") == "escalated"
    assert review(queue, item, "c", "correct", text="6 months") == "corrected"
    assert queue.decision(item, "app")["answers"][0]["answer"]["content"] == "6 months"


def test_who_cannot_judge_leaves_the_item_to_others(queue: ReviewQueue, held: Held) -> None:
    """An item that one reviewer cannot judge stays held for the next."""
    item = held()
    assert review(queue, item, "a", "cannot_judge", scores=None) == "escalated"
    assert queue.decision(item, "app")["status"] == "held"
    assert review(queue, item, "b", "release") == "released"


def test_what_expires_is_withheld(queue: ReviewQueue, held: Held, clock: Clock) -> None:
    """From the moment of expiry the application sees `withheld`, and no reviewer can release any more."""
    item = held()
    queue.reserve(item, "a", 7200)
    clock.now += 3601
    assert queue.decision(item, "app")["status"] == "withheld"
    with pytest.raises(Conflict, match="expired"):
        queue.resolve(item, "a", said("release"))
    assert (queue.expire(), queue.expire()) == (1, 0)
    assert queue.decision(item, "app")["status"] == "withheld"
    assert queue.lengths() == ({("held", "withheld"): 1}, None)


def test_a_decision_is_its_own_applications(queue: ReviewQueue, held: Held) -> None:
    """Another application's decision looks like one that does not exist."""
    item = held()
    with pytest.raises(NotFound):
        queue.decision(item, "other")


def test_the_worst_answer_names_the_decision(queue: ReviewQueue, held: Held) -> None:
    """Of several choices one may be released while the decision as a whole is still held."""
    held("gkd_2-0", decision_id="gkd_2")
    held("gkd_2-1", decision_id="gkd_2", choice=1)
    review(queue, "gkd_2-1", "a", "release")
    found = queue.decision("gkd_2", "app")
    assert found["status"] == "held"
    assert [answer["status"] for answer in found["answers"]] == ["held", "released"]
    assert queue.decision("gkd_2-1", "app")["status"] == "released"


def test_reviews_cannot_be_rewritten(queue: ReviewQueue, held: Held) -> None:
    """The database itself refuses to change or remove what a reviewer said."""
    review(queue, held(), "a", "reject")
    for statement in ("UPDATE reviews SET verdict = 'release'", "DELETE FROM reviews"):
        with pytest.raises(ReviewError), queue.database.transaction() as session:
            session.execute(text(statement))
    assert queue.shown("gkd_1")["reviews"][0]["verdict"] == "reject"


def test_the_history_stays_beside_the_decision(queue: ReviewQueue, held: Held) -> None:
    """An item shows the answer as it was and every review with scores, reason and corrected text."""
    item = held(high_risk=True)
    review(queue, item, "a", "reject")
    review(queue, item, "b", "correct", text="6 to 12 months")
    shown = queue.shown(item)
    assert shown["text"]["answer"]["content"] == "24 to 36 months"
    assert [(r["reviewer"], r["verdict"], r["text"], r["scores"]) for r in shown["reviews"]] == [
        ("a", "reject", None, SCORES),
        ("b", "correct", "6 to 12 months", SCORES),
    ]
    assert shown["reviews"][0]["reason"] == "as the guideline says"


def test_no_text_is_in_the_database(queue: ReviewQueue, held: Held) -> None:
    """Neither answer, correction nor reason can be read from the tables."""
    item = held()
    review(queue, item, "a", "correct", text="6 to 12 months")
    with queue.database.transaction() as session:
        rows = [
            session.execute(text(f"SELECT * FROM {table}")).all() for table in ("review_items", "reviews")
        ]
    for word in ("24 to 36", "6 to 12", "guideline"):
        assert word not in repr(rows)


def test_without_a_key_nothing_is_corrected(queue: ReviewQueue, held: Held) -> None:
    """Where no text may be kept, a correction is refused; a release only says that it was released."""
    item = held(sealed=None)
    keyless = ReviewQueue(queue.database, None, queue._clock)
    keyless.reserve(item, "a", 60)
    with pytest.raises(InvalidRequest, match="GATEKEEPER_REVIEW_KEY"):
        keyless.resolve(item, "a", said("correct", text="6 months"))
    keyless.resolve(item, "a", said("release"))
    found = keyless.decision(item, "app")
    assert (found["status"], found["answers"][0]["answer"]) == ("released", None)


def test_an_audited_answer_needs_its_labels(queue: ReviewQueue, held: Held) -> None:
    """Who reviews an answer of the audit sample labels all three risks that a clinician can see."""
    item = held(purpose="audit", action="release")
    assert queue.decision(item, "app")["status"] == "delivered"
    queue.reserve(item, "a", 60)
    with pytest.raises(InvalidRequest, match="evidence_contradiction"):
        queue.resolve(item, "a", said("reject", outcome={"high_risk_error": True, "unsafe_answer": True}))
    queue.resolve(item, "a", said("release", outcome=SAFE))
    assert queue.decision(item, "app")["status"] == "released"


def test_news_is_told_once(queue: ReviewQueue, held: Held, clock: Clock) -> None:
    """A change is claimed by one worker; it is news again only when that one does not report back."""
    review(queue, held(), "a", "reject")
    assert queue.news(60) == [("gkd_1", "gkd_1", "rejected")]
    assert queue.news(60) == []
    clock.now += 61
    assert len(queue.news(60)) == 1
    queue.told("gkd_1")
    clock.now += 61
    assert queue.news(60) == []
