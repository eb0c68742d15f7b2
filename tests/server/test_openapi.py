"""The OpenAPI document, held against the server that it describes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import schemathesis
import yaml
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import SecretStr
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Route

import gatekeeper
from gatekeeper.review.sealing import new_key as new_review_key
from gatekeeper.server import endpoints
from gatekeeper.server.app import create_app
from gatekeeper.server.auth import new_key
from gatekeeper.settings import POLICIES, Settings
from tests.serving import Proxy, Serve, serving

DOCUMENT: Final[dict[str, Any]] = yaml.safe_load(
    (Path(endpoints.__file__).parent / "openapi.yaml").read_text(encoding="utf-8")
)
DESCRIBED: Final = {
    (method.upper(), path)
    for path, operations in DOCUMENT["paths"].items()
    for method in operations
    if method != "parameters"
}
SCHEMA: Final = schemathesis.openapi.from_dict(
    DOCUMENT, config=SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
)
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


class Gate:
    """A served gate with an application, a reviewer and answers to review."""

    def __init__(self, proxy: Proxy, keys: dict[str, str]) -> None:
        self.proxy, self._keys = proxy, keys

    def headers(self, who: str) -> dict[str, str]:
        """Return the headers of the application (`app`) or of the reviewer (`ada`)."""
        return {"authorization": f"Bearer {self._keys[who]}"}

    def reserved(self) -> str:
        """Return the id of a new item that the reviewer has reserved."""
        body = {"messages": [{"role": "user", "content": "When is metformin withheld?"}]}
        url = f"{self.proxy.url}/v1"
        reply = httpx.post(f"{url}/chat/completions", json=body, headers=self.headers("app"))
        item: str = reply.raise_for_status().json()["gatekeeper"]["decision_id"]
        reserving = f"{url}/gatekeeper/reviews/{item}/reserve"
        httpx.post(reserving, json={}, headers=self.headers("ada")).raise_for_status()
        return item


@pytest.fixture(scope="module", params=["default", "shadow"])
def gate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """Serve the embedded baseline, once holding answers and once delivering all of them."""
    folder = tmp_path_factory.mktemp("gate")
    keys = {"app": new_key("app", folder / "keys"), "ada": new_key("ada", folder / "reviewers")}
    app = create_app(
        Settings(
            policy=POLICIES / f"{request.param}.yaml",
            api_keys=folder / "keys",
            reviewer_keys=folder / "reviewers",
            review_db=SecretStr(f"sqlite:///{folder / 'review.db'}"),
            review_key=SecretStr(new_review_key()),
            audit_sample_rate=1.0,
            audit_log=folder / "decisions.jsonl",
        )
    )
    with serving(app) as port:
        yield Gate(Proxy(app, port), keys)


def test_every_route_is_described_and_nothing_else(serve: Serve) -> None:
    """Whoever generates a client from the document finds every endpoint, and none that is not there."""
    routes = [route for route in serve().app.routes if isinstance(route, Route)]
    served = {(method, route.path) for route in routes for method in (route.methods or ())}
    assert {(method, path) for method, path in served if method != "HEAD"} == DESCRIBED


def test_refusals_name_every_route() -> None:
    """The hint that an unknown path is answered with leaves no endpoint out."""
    assert {tuple(named.split()) for named in endpoints.SUPPORTED} == DESCRIBED


def test_the_document_is_served_to_anybody(gate: Gate) -> None:
    """Tools fetch the document without a key, and it is of the version that serves."""
    reply = httpx.get(f"{gate.proxy.url}/openapi.json")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json() == DOCUMENT
    assert reply.json()["info"]["version"] == gatekeeper.__version__
    SCHEMA.validate()


@SCHEMA.parametrize()
@SCHEMA.given(known=st.booleans())
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
def test_what_is_served_is_what_is_described(case: schemathesis.Case[Any], gate: Gate, known: bool) -> None:
    """No request that the document allows breaks the gate, and every reply has the form it promises."""
    if known and "id" in case.path_parameters:
        case.path_parameters["id"] = gate.reserved()
    who = "ada" if "/reviews" in case.path else "app"
    case.call_and_validate(base_url=gate.proxy.url, headers=gate.headers(who), checks=CHECKS, timeout=20)
