"""Items as JSON: for reviewers with everything, for applications with what they may have."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gatekeeper.review.sealing import Seal
from gatekeeper.review.tables import Item, Review
from gatekeeper.review.verdict import UNSETTLED

_WORST_FIRST: Final = ("held", "withheld", "rejected", "corrected", "released", "delivered")


def summary_view(item: Item) -> dict[str, Any]:
    """Return an item of a list: no text, no claims."""
    return {
        "id": item.id,
        "purpose": item.purpose,
        "status": item.status,
        "action": item.action,
        "high_risk": item.high_risk,
        "p_wrong": item.p_wrong,
        "reasons": item.detail["reasons"],
        "at": item.at,
        "expires_at": item.expires_at,
        "reserved_by": item.reserved_by,
        "reserved_until": item.reserved_until,
    }


def full_view(item: Item, reviews: Sequence[Review], seal: Seal | None) -> dict[str, Any]:
    """Return an item with its hashes, spans and reviews; `text` is None where none was kept."""
    return {
        **summary_view(item),
        "decision_id": item.decision_id,
        "policy": item.policy,
        "confidence": item.confidence,
        "detail": item.detail,
        "text": seal.open(item.sealed, item.id) if seal and item.sealed else None,
        "reviews": [_review(review, seal) for review in reviews],
    }


def _review(review: Review, seal: Seal | None) -> dict[str, Any]:
    return {
        "at": review.at,
        "reviewer": review.reviewer,
        "verdict": review.verdict,
        "scores": review.scores,
        "outcome": review.outcome,
        "text_sha256": review.text_sha256,
        **(_words(review, seal) or {"reason": review.reason, "text": None}),
    }


def _words(review: Review, seal: Seal | None) -> dict[str, Any] | None:
    if seal is None or review.sealed is None:
        return None
    return seal.open(review.sealed, f"{review.item_id}/{review.reviewer}")


def decision_view(
    decision_id: str,
    items: Sequence[Item],
    reviews: Mapping[str, Sequence[Review]],
    seal: Seal | None,
    now: float,
) -> dict[str, Any]:
    """Return what an application may know of its decision; `status` is that of its worst answer."""
    answers = [_answer(item, reviews[item.id], seal, now) for item in items]
    worst = min((answer["status"] for answer in answers), key=_WORST_FIRST.index)
    return {"decision_id": decision_id, "status": worst, "answers": answers}


def _answer(item: Item, reviews: Sequence[Review], seal: Seal | None, now: float) -> dict[str, Any]:
    status = public_status(item, now)
    return {
        "index": item.choice,
        "action": item.action,
        "status": status,
        "adjudicate": item.purpose == "audit" and status == "delivered" and item.status in UNSETTLED,
        "expires_at": item.expires_at,
        "answer": _released(item, status, reviews, seal),
    }


def public_status(item: Item, now: float) -> str:
    """Return an item's status as the application sees it: what expired is withheld from that moment on."""
    if item.status in UNSETTLED or item.status == "withheld":
        if item.purpose == "audit":
            return "delivered"
        return "held" if item.status in UNSETTLED and item.expires_at > now else "withheld"
    return item.status


def _released(item: Item, status: str, reviews: Sequence[Review], seal: Seal | None) -> dict[str, Any] | None:
    """Return the answer that a clinician let go, without the model's reasoning; None where there is none."""
    if seal is None:
        return None
    if status == "corrected":
        final = next(review for review in reversed(reviews) if review.verdict == "correct")
        words = _words(final, seal)
        return {"content": words["text"], "tool_calls": []} if words else None
    if status == "released" and item.sealed:
        said = seal.open(item.sealed, item.id)["answer"]
        return {"content": said["content"] or said["refusal"], "tool_calls": said["tool_calls"]}
    return None
