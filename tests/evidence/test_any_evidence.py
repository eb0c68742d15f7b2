"""Whatever stands in a request as evidence is read or refused by name, and can be shown where it stands."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.errors import InvalidRequest
from gatekeeper.evidence import find_documents, read_evidence
from gatekeeper.exchange import EvidenceState, Span
from tests.cases import TODAY, user

KEYS = st.sampled_from(["text", "id", "title", "expires", "data", "snippet"]) | st.text(max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
)


@given(JSON, st.sampled_from(["evidence", "documents"]))
def test_any_json_is_read_or_refused(value: Any, field: str) -> None:
    """Whatever stands in the field becomes whole documents with ids of their own, or a named refusal."""
    try:
        documents = find_documents(user("How long?", **{field: value}))
    except InvalidRequest as refused:
        assert str(refused.param).startswith(field)
    else:
        assert all(one.span == Span(0, len(one.text)) and one.text.strip() for one in documents)
        assert len({one.id for one in documents}) == len(documents)


@pytest.mark.parametrize(
    "item",
    [{"text": "x", "expires": "secret"}, {"secret": "x"}, {"text": "x", "published": "secret"}, ["secret"]],
)
def test_a_refusal_repeats_nothing_of_the_request(item: object) -> None:
    """An error message carries no text that a client sent."""
    with pytest.raises(InvalidRequest) as refused:
        find_documents(user("How long?", evidence=[item]))
    assert "secret" not in refused.value.message


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"text": "x", "title": ["a"]}, "evidence[0].title"),
        ({"text": "x", "source": {}}, "evidence[0].source"),
        ({"text": "x", "version": 1.0}, "evidence[0].version"),
        ({"text": "x", "published": "last year"}, "evidence[0].published"),
        ({"text": "x", "expires": "2025-02-30"}, "evidence[0].expires"),
        ({"text": "x", "expires": 20250101}, "evidence[0].expires"),
        ({"text": "x", "expires": ""}, "evidence[0].expires"),
        ({"text": ["x"]}, "evidence[0].text"),
    ],
)
def test_every_malformed_part_of_a_document_is_named(item: object, param: str) -> None:
    """The client reads which part of which document is wrong."""
    with pytest.raises(InvalidRequest) as refused:
        find_documents(user("How long?", evidence=[item]))
    assert (refused.value.param, refused.value.status) == (param, 400)


WORDS = [
    "Metformin is withheld for ",
    "48 hours",
    "24 h",
    ". ",
    "\n",
    "| ",
    "|---|",
    "# ",
    "- ",
    "left",
    "eGFR < 30",
]
TEXT = st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=16).map("".join)


@given(st.lists(TEXT, max_size=3))
def test_statements_and_conflicts_can_be_shown(texts: list[str]) -> None:
    """Every statement lies within its document, and every conflict is between two statements."""
    evidence = read_evidence(user("How long?", evidence=texts), TODAY)
    lengths = {document.id: len(document.text) for document in evidence.documents}
    assert all(0 <= one.span.start < one.span.end <= lengths[one.document] for one in evidence.statements)
    places = {(one.document, one.span) for one in evidence.statements}
    for conflict in evidence.conflicts:
        assert (conflict.first.document, conflict.first.span) in places
        assert (conflict.second.document, conflict.second.span) in places
    assert (evidence.state is EvidenceState.CONFLICTING) == bool(evidence.conflicts)
