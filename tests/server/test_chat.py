"""`/v1/chat/completions` through the official client: what is released, what is held, what leaks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openai
import orjson
import pytest

from tests.serving import Proxy, Serve

EVIDENCE = [
    "For a single solid nodule of 6 to 8 mm in a low-risk adult, follow-up CT is due at 6 to 12 months.",
]
QUESTION = "When is follow-up CT due for a single solid 7 mm nodule in a low-risk adult?"
RIGHT = "For a single solid nodule of 7 mm in a low-risk adult, follow-up CT is due at 6 to 12 months."
WRONG = "For a single solid nodule of 7 mm in a low-risk adult, follow-up CT is due at 24 to 36 months."

Script = Callable[[str], Path]


def client_of(proxy: Proxy, **options: Any) -> openai.OpenAI:
    """Return the official client, pointed at the proxy."""
    return proxy.client(**options)


def ask(proxy: Proxy, question: str = QUESTION, evidence: list[Any] | None = None, **rest: Any) -> Any:
    """Ask through the official client, with evidence unless an empty list is given."""
    supplied = EVIDENCE if evidence is None else evidence
    return client_of(proxy).chat.completions.create(
        model="any",
        messages=[{"role": "user", "content": question}],
        extra_body={"evidence": supplied} if supplied else {},
        **rest,
    )


def envelope(completion: Any) -> dict[str, Any]:
    """Return the `gatekeeper` object of a response."""
    found: dict[str, Any] = completion.model_extra["gatekeeper"]
    return found


def script_of(*answers: dict[str, Any], match: str = "nodule") -> str:
    """Return a script with one entry, of one or several choices."""
    entry = {"match": match, **(answers[0] if len(answers) == 1 else {"choices": list(answers)})}
    return orjson.dumps([entry]).decode()


def test_a_supported_answer_is_released(serve: Serve, script: Script) -> None:
    """An answer that the evidence carries arrives word for word, with the evidence that carries it."""
    proxy = serve(script=script(script_of({"answer": RIGHT, "confidence": 0.97})))
    completion = ask(proxy)
    judged = envelope(completion)
    assert completion.choices[0].message.content == RIGHT
    assert completion.choices[0].finish_reason == "stop"
    assert (judged["action"], judged["reasons"]) == ("release", [])
    (claim,) = judged["assessment"]["claims"]
    assert claim["verdict"] == "supported"
    assert claim["text"] == RIGHT
    start, end = claim["evidence"]["span"]
    assert "6 to 12 months" in EVIDENCE[0][start:end]


def test_staged_answers_are_marked(serve: Serve, script: Script) -> None:
    """No scripted answer can be mistaken for a model's."""
    judged = envelope(ask(serve(script=script(script_of({"answer": RIGHT, "confidence": 0.97})))))
    assert (judged["backend"], judged["staged"]) == ("scripted", True)


def test_a_contradicted_answer_is_held_and_its_text_is_nowhere(serve: Serve, script: Script) -> None:
    """One flipped number holds the answer; not a word of it is in the response."""
    proxy = serve(script=script(script_of({"answer": WRONG, "confidence": 0.99, "reasoning": WRONG})))
    response = client_of(proxy).chat.completions.with_raw_response.create(
        model="any",
        messages=[{"role": "user", "content": QUESTION}],
        logprobs=True,
        top_logprobs=3,
        extra_body={"evidence": EVIDENCE},
    )
    body = orjson.loads(response.content)
    (choice,) = body["choices"]
    assert response.headers["x-gatekeeper-action"] == "escalate"
    assert response.headers["x-gatekeeper-decision-id"] == body["gatekeeper"]["decision_id"]
    assert choice["finish_reason"] == "content_filter"
    assert choice["message"]["content"] == "This answer is held for review by a clinician."
    assert choice.get("logprobs") is None
    assert b"24 to 36" not in response.content
    (claim,) = body["gatekeeper"]["assessment"]["claims"]
    assert (claim["verdict"], claim["detector"], "text" in claim) == ("contradicted", "slots.interval", False)


def test_every_choice_is_judged(serve: Serve, script: Script) -> None:
    """With n = 2 the wrong choice is held, the right one is not, and the top action is the strictest."""
    answers = ({"answer": RIGHT, "confidence": 0.97}, {"answer": WRONG, "confidence": 0.97})
    completion = ask(serve(script=script(script_of(*answers))), n=2)
    assert [choice.finish_reason for choice in completion.choices] == ["stop", "content_filter"]
    assert completion.choices[0].message.content == RIGHT
    own = [choice.model_extra["gatekeeper"] for choice in completion.choices]
    assert [judged["action"] for judged in own] == ["release", "escalate"]
    assert envelope(completion)["action"] == "escalate"
    assert own[1]["decision_id"] == envelope(completion)["decision_id"] + "-1"


def test_tool_arguments_are_judged(serve: Serve, script: Script) -> None:
    """A contradiction inside a tool call's arguments holds the call, and no argument leaves."""
    call = {"name": "write_report", "arguments": orjson.dumps({"text": WRONG}).decode()}
    completion = ask(serve(script=script(script_of({"tool_calls": [call], "finish_reason": "tool_calls"}))))
    assert envelope(completion)["action"] == "escalate"
    assert completion.choices[0].message.tool_calls is None
    assert "36 months" not in orjson.dumps(completion.model_dump()["choices"]).decode()


def test_without_evidence_the_answer_is_held(serve: Serve, script: Script) -> None:
    """The default policy gives no answer that nothing was supplied to judge by."""
    completion = ask(serve(script=script(script_of({"answer": RIGHT, "confidence": 0.97}))), evidence=[])
    judged = envelope(completion)
    assert (judged["action"], judged["evidence"]["state"]) == ("abstain", "none")
    assert RIGHT not in (completion.choices[0].message.content or "")


def test_evidence_that_contradicts_itself_is_escalated(serve: Serve) -> None:
    """Two documents that disagree on a number are named, with both places."""
    flipped = EVIDENCE[0].replace("6 to 12 months", "24 to 36 months")
    judged = envelope(ask(serve(), evidence=[EVIDENCE[0], flipped]))
    assert (judged["action"], judged["evidence"]["state"]) == ("escalate", "conflicting")
    (conflict,) = judged["evidence"]["conflicts"]
    assert {where["document"] for where in conflict["between"]} == {"evidence_field-1", "evidence_field-2"}


def test_expired_evidence_is_its_own_state(serve: Serve) -> None:
    """Evidence past its date does not carry an answer."""
    expired = {"id": "old", "text": EVIDENCE[0], "expires": "2020-01-31"}
    judged = envelope(ask(serve(), evidence=[expired]))
    assert (judged["action"], judged["evidence"]["state"]) == ("escalate", "expired")


def test_an_annotated_answer_carries_the_note(serve: Serve, script: Script) -> None:
    """A hedged answer is delivered whole, with the policy's note below it."""
    hedged = "It is probably due at 6 to 12 months, although I am not certain."
    completion = ask(serve(script=script(script_of({"answer": hedged, "confidence": 0.6}))))
    content = completion.choices[0].message.content
    assert envelope(completion)["action"] == "annotate"
    assert content.startswith(hedged)
    assert "could not be fully confirmed" in content


def test_a_note_never_breaks_json(serve: Serve, script: Script) -> None:
    """Where a program parses the answer, the note stays out of it."""
    answer = '{"advice": "It is probably due at 6 to 12 months, although I am not certain."}'
    proxy = serve(script=script(script_of({"answer": answer, "confidence": 0.6})))
    completion = ask(proxy, response_format={"type": "json_object"})
    assert orjson.loads(completion.choices[0].message.content)["advice"].startswith("It is probably due")


def test_what_was_not_asked_for_is_stripped(serve: Serve, script: Script) -> None:
    """The gate reads token probabilities; a client that did not ask for them sees none."""
    proxy = serve(script=script(script_of({"answer": RIGHT, "confidence": 0.97})))
    assert ask(proxy).choices[0].logprobs is None
    asked = ask(proxy, logprobs=True, top_logprobs=1).choices[0].logprobs
    assert "".join(row.token for row in asked.content) == RIGHT


def test_regenerate_asks_again_and_then_holds(serve: Serve, script: Script, tmp_path: Path) -> None:
    """An answer that no try puts right ends in the stricter action, and says how often it was tried."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "name: again\nversion: '1'\nregenerate: {tries: 2, then: block}\n"
        "rules: [{id: contradicted, when: {p_contradicted: {at_least: 0.5}}, then: regenerate}]\n"
    )
    proxy = serve(script=script(script_of({"answer": WRONG, "confidence": 0.9})), policy=policy)
    judged = envelope(ask(proxy))
    assert (judged["action"], judged["tries"]) == ("block", 2)
    assert judged["reasons"][0]["rule"] == "regeneration_failed"


def test_shadow_mode_delivers_and_records(serve: Serve, script: Script) -> None:
    """Shadow mode changes nothing for the client but the object that says what would have been done."""
    staged = script(script_of({"answer": WRONG, "confidence": 0.99}))
    proxy = serve(script=staged, policy=Path("policies/shadow.yaml"))
    completion = ask(proxy)
    assert completion.choices[0].message.content == WRONG
    judged = envelope(completion)
    assert (judged["action"], judged["would"], judged["policy"]["certified"]) == (
        "release",
        "escalate",
        False,
    )
    metrics = httpx.get(f"{proxy.url}/metrics").text
    assert 'gatekeeper_shadow_decisions_total{action="escalate"} 1.0' in metrics


def test_a_policy_may_answer_held_requests_with_a_status(
    serve: Serve, script: Script, tmp_path: Path
) -> None:
    """Where the policy asks for 4xx, a held answer that does not stream is one."""
    policy = tmp_path / "policy.yaml"
    text = Path("policies/default.yaml").read_text(encoding="utf-8")
    policy.write_text(text + "\nheld: {http_status: 451}\n", encoding="utf-8")
    proxy = serve(script=script(script_of({"answer": WRONG, "confidence": 0.99})), policy=policy)
    with pytest.raises(openai.APIStatusError) as caught:
        ask(proxy)
    assert caught.value.status_code == 451
