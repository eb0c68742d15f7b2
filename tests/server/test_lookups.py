"""Agents that fetch their evidence by a tool: the call leaves, and what is said of its result is judged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from gatekeeper.settings import POLICIES
from tests.server.test_chat import Script, ask, envelope, script_of
from tests.serving import Serve

SEARCH: Final = {"name": "search_guidelines", "arguments": '{"query": "solid nodule 7 mm, low risk"}'}
ORDER: Final = {"name": "order_ct", "arguments": '{"after_months": 6}'}

Asked = Callable[[dict[str, Any]], Any]


@pytest.fixture
def asked(serve: Serve, script: Script, tmp_path: Path) -> Asked:
    """Return a function that asks without evidence, under the default policy that knows one lookup."""
    policy = tmp_path / "policy.yaml"
    default = (POLICIES / "default.yaml").read_text(encoding="utf-8")
    policy.write_text(default + "\nevidence: {lookups: [search_guidelines]}\n", encoding="utf-8")

    def answer(said: dict[str, Any]) -> Any:
        staged = script(script_of({"finish_reason": "tool_calls", **said}))
        proxy = serve(script=staged, policy=policy)
        completion = ask(proxy, evidence=[])
        metrics = httpx.get(f"{proxy.url}/metrics").text
        counted = 'gatekeeper_decisions_total{action="release",reason="lookup"} 1.0' in metrics
        assert counted == (envelope(completion)["action"] == "release")
        return completion

    return answer


def test_a_lookup_leaves_without_evidence(asked: Asked) -> None:
    """The call that fetches the evidence is delivered whole, and the decision names why."""
    completion = asked({"tool_calls": [SEARCH, SEARCH]})
    calls = completion.choices[0].message.tool_calls
    assert [(call.function.name, call.function.arguments) for call in calls] == [tuple(SEARCH.values())] * 2
    assert [reason["rule"] for reason in envelope(completion)["reasons"]] == ["lookup"]


@pytest.mark.parametrize(
    "said",
    [
        {"tool_calls": [ORDER]},
        {"tool_calls": [SEARCH, ORDER]},
        {"tool_calls": [SEARCH], "answer": "Follow-up CT is due at 24 months."},
        {"tool_calls": [{**SEARCH, "name": "Search_guidelines"}]},
        {"answer": "search_guidelines", "finish_reason": "stop"},
    ],
    ids=["another tool", "another tool beside", "text beside", "another spelling", "text alone"],
)
def test_anything_more_than_a_lookup_is_held(asked: Asked, said: dict[str, Any]) -> None:
    """An order, or a word to the reader, is judged like any answer: without evidence it does not leave."""
    completion = asked(said)
    assert envelope(completion)["action"] == "abstain"
    assert completion.choices[0].message.tool_calls is None


def test_judged_reasoning_is_no_lookup(serve: Serve, script: Script, tmp_path: Path) -> None:
    """Where reasoning is delivered it says something, so it is not let out beside a lookup."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "{name: agents, version: '1', reasoning: judge, evidence: {lookups: [search_guidelines]},"
        " rules: [{id: none, when: {evidence.state: {equals: none}}, then: abstain}]}"
    )
    said = {"tool_calls": [SEARCH], "reasoning": "CT at 24 months?", "finish_reason": "tool_calls"}
    completion = ask(serve(script=script(script_of(said)), policy=policy), evidence=[])
    assert envelope(completion)["action"] == "abstain"
