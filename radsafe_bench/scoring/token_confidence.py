"""What the token probabilities of a recorded answer say of the letter it chose."""

from collections.abc import Coroutine, Sequence
from math import nan
from typing import Any

from gatekeeper.assessment import Finding, Subject
from gatekeeper.checks import Confidence
from gatekeeper.claims import read_claims
from gatekeeper.errors import UpstreamError
from gatekeeper.exchange import (
    Case,
    Conversation,
    Evidence,
    EvidenceState,
    JsonObject,
    Option,
    Query,
    Surface,
)
from gatekeeper.wire.completion import parse_chat_completion

_CONFIDENCE = Confidence()


def token_confidence(response: JsonObject, letters: Sequence[str]) -> float:
    """Return P(chosen letter) among the question's letters, in [0, 1]: the signal `confidence.option`.

    NaN where the response declares no letter, or has no token probabilities that can be true.
    """
    try:
        answer = parse_chat_completion(response).answers[0]
    except UpstreamError:
        return nan
    query = Query("", tuple(Option(letter, letter) for letter in letters))
    case = Case(Conversation(Surface.CHAT, "", (), {}), Evidence((), EvidenceState.NONE), query)
    subject = Subject(case, answer, read_claims(answer, query, reasoning=False))
    found = {finding.detector: finding.value for finding in _result(_CONFIDENCE(subject))}
    value = found.get("confidence.option")
    return value if isinstance(value, float) else nan


def _result(call: Coroutine[Any, Any, Sequence[Finding]]) -> Sequence[Finding]:
    """Run an inline check, which never waits, without an event loop."""
    try:
        call.send(None)
    except StopIteration as done:
        findings: Sequence[Finding] = done.value
        return findings
    raise RuntimeError("an inline check waited for something")
