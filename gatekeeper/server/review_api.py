"""Decisions for applications, reviews for reviewers. Reviewers' keys and applications' keys are two files."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from gatekeeper.errors import Forbidden, InvalidRequest, NotSupported, Unauthorized
from gatekeeper.exchange import JsonObject
from gatekeeper.policy.criteria import SafetyRate
from gatekeeper.review.verdict import Said
from gatekeeper.server.endpoints import guarded, runtime_of
from gatekeeper.server.requests import header, read_json
from gatekeeper.server.respond import json_response
from gatekeeper.server.runtime import Runtime

if TYPE_CHECKING:
    from gatekeeper.review.service import ReviewService

M = TypeVar("M", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listing(_Strict):
    """Which items to list."""

    settled: bool = False
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0


class Reservation(_Strict):
    """For how long an item is taken."""

    minutes: Annotated[float, Field(gt=0, le=240)] = 15


class Outcome(_Strict):
    """Which risks an answer turned out to show."""

    decision_id: Annotated[str, Field(max_length=48)]
    outcome: Annotated[dict[SafetyRate, bool], Field(min_length=1)]


async def decision(request: Request) -> ASGIApp:
    """`GET /v1/gatekeeper/decisions/{id}`: what became of the application's own decision."""
    review = _review_of(runtime_of(request))
    found = await review.run(review.queue.decision, request.path_params["id"], request.state.client)
    return json_response(found)


async def outcomes(request: Request) -> ASGIApp:
    """`POST /v1/gatekeeper/outcomes`: what an application learned of an answer that was delivered.

    Only an answer that was drawn for the audit sample counts in the observed risk. Which others are
    reported, nobody drew: they are counted apart and stand in the decision log.
    """
    runtime = runtime_of(request)
    review = _review_of(runtime)
    given = _valid(Outcome, await _json(request))
    labels = await review.run(review.queue.report, given.decision_id, request.state.client, given.outcome)
    runtime.record({"event": "outcome", **given.model_dump(), "counted": labels is not None, "at": _now()})
    for risk in given.outcome:
        review.gauges.outcomes.labels(risk, "no" if labels is None else "yes").inc()
    return json_response({"decision_id": given.decision_id, "counted": labels is not None}, 202)


async def reviews(request: Request) -> ASGIApp:
    """`GET /v1/gatekeeper/reviews`: open items, riskiest and oldest first; `settled=true` for the others."""
    review = _review_of(runtime_of(request))
    asked = _valid(Listing, dict(request.query_params))
    return json_response({"data": await review.run(review.queue.listed, **asked.model_dump())})


async def item(request: Request) -> ASGIApp:
    """`GET /v1/gatekeeper/reviews/{id}`: one item with its text, where that is kept. The look is recorded."""
    runtime = runtime_of(request)
    review = _review_of(runtime)
    found = await review.run(review.queue.shown, request.path_params["id"])
    runtime.record({"event": "review_read", "id": found["id"], "by": request.state.client, "at": _now()})
    return json_response(found)


async def reserve(request: Request) -> ASGIApp:
    """`POST /v1/gatekeeper/reviews/{id}/reserve`: take an item for some minutes."""
    runtime = runtime_of(request)
    review = _review_of(runtime)
    asked = _valid(Reservation, await _json(request))
    seconds = asked.minutes * 60
    taken = await review.run(review.queue.reserve, request.path_params["id"], request.state.client, seconds)
    return json_response(taken)


async def resolve(request: Request) -> ASGIApp:
    """`POST /v1/gatekeeper/reviews/{id}/resolve`: what the reviewer says of a reserved item."""
    runtime = runtime_of(request)
    review = _review_of(runtime)
    said = _valid(Said, await _json(request))
    reviewer = request.state.client
    settled = await review.run(review.queue.resolve, request.path_params["id"], reviewer, said)
    runtime.record(
        {
            "event": "review",
            **settled,
            "by": reviewer,
            "verdict": said.verdict,
            "outcome": said.outcome,
            "at": _now(),
        }
    )
    return json_response(settled)


async def _json(request: Request) -> JsonObject:
    return await read_json(request.scope, request.receive, runtime_of(request).settings.max_body_bytes)


def _reviewer_of(request: Request) -> str:
    """Return the reviewer's name; raise Forbidden for an application's key."""
    runtime, given = runtime_of(request), header(request.scope, b"authorization")
    if runtime.reviewers is None:
        raise Forbidden("no reviewer may do this yet; give the gate --reviewer-keys")
    try:
        return runtime.reviewers.check(given)
    except Unauthorized:
        if runtime.keys is not None:
            runtime.keys.check(given)
            raise Forbidden("this is an application's key; reviews need a reviewer's") from None
        raise


def _review_of(runtime: Runtime) -> "ReviewService":
    if runtime.review is None:
        raise NotSupported("this gate keeps no review queue; start it with --review-db")
    return runtime.review


def _valid(model: type[M], data: Any) -> M:
    """Validate a body; what is wrong is named without quoting what was sent."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        named = str(first["loc"][0]) if first["loc"] else ""
        where = named if named in model.model_fields else ""  # any other name is the sender's own word
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidRequest(f"{where}: {message}" if where else message, param=where or None) from None


def _now() -> str:
    return datetime.now(UTC).isoformat()


ROUTES = (
    Route("/v1/gatekeeper/decisions/{id}", guarded(decision), methods=["GET"]),
    Route("/v1/gatekeeper/outcomes", guarded(outcomes), methods=["POST"]),
    Route("/v1/gatekeeper/reviews", guarded(reviews, _reviewer_of), methods=["GET"]),
    Route("/v1/gatekeeper/reviews/{id}", guarded(item, _reviewer_of), methods=["GET"]),
    Route("/v1/gatekeeper/reviews/{id}/reserve", guarded(reserve, _reviewer_of), methods=["POST"]),
    Route("/v1/gatekeeper/reviews/{id}/resolve", guarded(resolve, _reviewer_of), methods=["POST"]),
)
