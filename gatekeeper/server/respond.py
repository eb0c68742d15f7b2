"""Outcome → HTTP bodies: what is delivered, what is held, and what the client may see of either."""

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from gatekeeper.assessment import Action, Judgement
from gatekeeper.envelope import choice_envelopes, envelope_of
from gatekeeper.errors import GatekeeperError
from gatekeeper.exchange import JsonObject
from gatekeeper.gate import Outcome
from gatekeeper.policy import Policy
from gatekeeper.wire.errors import error_body
from gatekeeper.wire.render import Rendered, Reply
from gatekeeper.wire.surfaces import WIRES

Headers = Sequence[tuple[bytes, bytes]]


def replies_of(outcome: Outcome) -> list[Reply]:
    """Return what becomes of each choice."""
    policy = outcome.bundle.policy
    annotatable = _is_prose(outcome.case.conversation.body)
    return [
        _reply(judgement, own, policy, annotatable=annotatable)
        for judgement, own in zip(outcome.judgements, choice_envelopes(outcome), strict=True)
    ]


def _is_prose(body: JsonObject) -> bool:
    """Whether a note may be added to the text: in JSON that a program parses it would only break it."""
    text = body.get("text")
    form = body.get("response_format") or (text.get("format") if isinstance(text, dict) else None)
    return not isinstance(form, dict) or form.get("type", "text") == "text"


def _reply(judgement: Judgement, own: dict[str, Any] | None, policy: Policy, *, annotatable: bool) -> Reply:
    action = judgement.decision.action
    if action.holds:
        message = getattr(policy.messages, action.value)
        return Reply(judgement.answer.index, "held", judgement.answer, message=message, envelope=own)
    notice = f"\n\n{policy.messages.annotate}" if action is Action.ANNOTATE and annotatable else ""
    keep = policy.reasoning == "judge"
    return Reply(
        judgement.answer.index,
        "released",
        judgement.answer,
        notice=notice,
        keep_reasoning=keep,
        envelope=own,
    )


def render(outcome: Outcome) -> Rendered:
    """Return the body of a response that does not stream."""
    conversation = outcome.case.conversation
    return WIRES[conversation.surface].render(
        outcome.completion,
        replies_of(outcome),
        envelope_of(outcome),
        wants_logprobs=conversation.wants_logprobs,
        wants_top_logprobs=conversation.wants_top_logprobs,
    )


def whole(outcome: Outcome, rendered: Rendered) -> ASGIApp:
    """Return the response to a request that does not stream."""
    action = outcome.action
    status = outcome.bundle.policy.held.http_status if action.holds else 200
    named = (
        (b"x-gatekeeper-action", action.encode()),
        (b"x-gatekeeper-decision-id", outcome.decision_id.encode()),
    )
    return json_response(rendered.body, status, named)


def error_response(error: GatekeeperError) -> ASGIApp:
    """Return an error in OpenAI's shape."""
    wait = getattr(error, "retry_after", None)
    headers = () if wait is None else ((b"retry-after", b"%d" % wait),)
    return json_response(error_body(error), error.status, headers)


def json_response(body: object, status: int = 200, headers: Headers = ()) -> ASGIApp:
    """Serialise a body once, and return the response that holds it."""
    return _Json(orjson.dumps(body), status, headers)


class _Json:
    """A response of JSON. Starlette's own would make its headers from text for every answer."""

    __slots__ = ("_body", "_headers", "_status")

    def __init__(self, body: bytes, status: int, headers: Headers) -> None:
        self._body = body
        self._status = status
        self._headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            *headers,
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})
