"""Schemas of clients become grammars; hostile ones cost nothing and are printed nowhere."""

from typing import Any

import pytest

from gatekeeper.backends.llama_cpp.engine import Engine
from gatekeeper.backends.llama_cpp.grammar import read_grammar
from gatekeeper.backends.llama_cpp.sampling import Sampling
from gatekeeper.errors import InvalidRequest
from tests.fake_upstream import CANARY


def schema(of: Any) -> dict[str, Any]:
    """Return a request for answers of a schema."""
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": of}}}


def nested(depth: int) -> dict[str, Any]:
    """Return a schema of arrays within arrays."""
    return {"type": "array", "items": nested(depth - 1)} if depth else {"type": "integer"}


def test_the_responses_api_names_it_otherwise() -> None:
    """`text.format` with a bare schema is the same wish."""
    of = {"enum": ["left", "right"]}
    body = {"text": {"format": {"type": "json_schema", "name": "x", "schema": of}}}
    assert read_grammar(body) == read_grammar(schema(of)) is not None


@pytest.mark.parametrize("body", [{}, {"response_format": None}, {"response_format": {"type": "text"}}])
def test_plain_text_needs_no_grammar(body: dict[str, Any]) -> None:
    """Without a wish the model writes what it likes."""
    assert read_grammar(body) is None


@pytest.mark.parametrize(
    "of",
    [
        {"type": "string", "minLength": 10**10},
        {"type": "array", "items": {"type": "integer"}, "maxItems": 1e9},
        {"type": "string", "pattern": "^(a{1,10000000}){2}$"},
        {"type": "string", "pattern": "^((a{1,1000}){1,1000}){1,1000}$"},
        {"type": "string", "pattern": "^[$"},
        {"$ref": "#"},
        {"$ref": "http://127.0.0.1:1/schema"},
        {"enum": ["x" * 20_000]},
        {"maximum": 10**30, "type": "integer"},
        nested(400),
    ],
)
def test_hostile_schemas_are_refused_at_once(of: dict[str, Any]) -> None:
    """A schema that would take memory, time or the network to follow is the client's error."""
    with pytest.raises(InvalidRequest) as raised:
        read_grammar(schema(of))
    assert raised.value.param == "response_format"


def test_a_grammar_that_cannot_be_read_is_printed_nowhere(
    engine: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    """llama.cpp prints the grammars that it refuses; a patient's name in one stays inside."""
    engine.read(engine.tokenise("x"), lambda: False)
    sampling = Sampling(grammar=f'root ::= "{CANARY}')
    with pytest.raises(InvalidRequest):
        list(engine.draw(sampling, 0, 1, lambda: False))
    assert capfd.readouterr() == ("", "")
