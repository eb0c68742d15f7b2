"""Outcome → HTTP bodies: what is delivered, what is held, and what the client may see of either."""

from typing import Any

import orjson
from starlette.responses import Response

from gatekeeper.assessment import Action, Judgement
from gatekeeper.envelope import choice_envelopes, envelope_of
from gatekeeper.errors import GatekeeperError
from gatekeeper.exchange import JsonObject
from gatekeeper.gate import Outcome
from gatekeeper.policy import Policy
from gatekeeper.wire.errors import error_body
from gatekeeper.wire.render import Rendered, Reply
from gatekeeper.wire.surfaces import WIRES


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


def whole(outcome: Outcome, rendered: Rendered) -> Response:
    """Return the response to a request that does not stream."""
    status = outcome.bundle.policy.held.http_status if outcome.action.holds else 200
    return json_response(rendered.body, status, headers_of(outcome))


def headers_of(outcome: Outcome) -> dict[str, str]:
    """Return the headers that name a decision."""
    return {
        "x-gatekeeper-action": outcome.action.value,
        "x-gatekeeper-decision-id": outcome.decision_id,
    }


def error_response(error: GatekeeperError) -> Response:
    """Return an error in OpenAI's shape."""
    wait = getattr(error, "retry_after", None)
    headers = {"retry-after": str(wait)} if wait is not None else {}
    return json_response(error_body(error), error.status, headers)


def json_response(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Serialise a body once."""
    return Response(orjson.dumps(body), status, headers, media_type="application/json")
