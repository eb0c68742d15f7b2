"""Multiple choice, as an application sees what its options came to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from gatekeeper.assessment import Verdict
from tests.fake_upstream import FakeUpstream
from tests.judging import believing, judging
from tests.serving import Serve

QUESTION = "How long is metformin withheld after contrast?\nA. 24 hours\nB. 48 hours\nC. 72 hours"
EVIDENCE = ["Metformin is withheld for 48 hours after contrast."]
POLICY = """
name: optional
version: "1"
checks: {options: {enabled: true%s}, slots: {enabled: false}, confidence: {enabled: false}}
rules:
  - id: evidence-implies-another
    when: {query.multiple_choice: {equals: 1}, options.disagrees: {equals: 1}}
    then: escalate
"""


@pytest.fixture
def policy(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a policy with further settings of the check."""

    def write(more: str = "") -> Path:
        path = tmp_path / "policy.yaml"
        path.write_text(POLICY % more, encoding="utf-8")
        return path

    return write


def decided(url: str, question: str = QUESTION) -> dict[str, Any]:
    """Return what the gate says of its decision."""
    body = {"messages": [{"role": "user", "content": question}], "evidence": EVIDENCE}
    said: dict[str, Any] = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=30).json()[
        "gatekeeper"
    ]
    return said


def test_another_option_than_the_evidences_is_held(
    serve: Serve, script: Callable[[str], Path], policy: Callable[[str], Path]
) -> None:
    """The chosen option is held, and the response tells by how much without a letter of it."""
    proxy = serve(script=script("- {match: metformin, answer: A}"), policy=policy(""))
    said = decided(proxy.url)
    assert said["action"] == "escalate"
    told = said["assessment"]["options"]
    assert (told["disagrees"], set(told)) == (1.0, {"margin", "disagrees", "evidence_p"})


def test_a_released_answer_names_the_implied_option(
    serve: Serve, script: Callable[[str], Path], policy: Callable[[str], Path]
) -> None:
    """Where both agree the answer leaves, with the letter that the evidence implies."""
    proxy = serve(script=script("- {match: metformin, answer: B}"), policy=policy(""))
    said = decided(proxy.url)
    assert (said["action"], said["assessment"]["options"]["implied"]) == ("release", "B")


def test_other_questions_say_nothing_of_options(
    serve: Serve, script: Callable[[str], Path], policy: Callable[[str], Path]
) -> None:
    """The response of free text is as it was."""
    proxy = serve(script=script("- {match: metformin, answer: 48 hours.}"), policy=policy(""))
    assert "options" not in decided(proxy.url, "How long is metformin withheld?")["assessment"]


def test_models_are_asked_where_the_policy_says_so(serve: Serve, policy: Callable[[str], Path]) -> None:
    """All readings together cost the stated number of calls, and their numbers are in the response."""
    view = believing(**{"48": Verdict.SUPPORTED, "hours": Verdict.CONTRADICTED})
    with FakeUpstream() as upstream:
        upstream.play(judging(view))
        more = ", model: true, permutations: true, without_evidence: true"
        proxy = serve(upstream=(upstream.url,), policy=policy(more))
        upstream.received.clear()
        told = decided(proxy.url)["assessment"]["options"]
        assert len(upstream.chats) == 1 + (3 + 2) + 3 + 2
    assert told["flip_rate"] == pytest.approx(2 / 3)
    assert told["permuted_p"] == pytest.approx((0.9 + 0.06 + 0.04) / 3)
    assert told["evidence_shift"] == 0.0
