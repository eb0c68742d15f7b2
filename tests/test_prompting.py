"""What a policy adds to a prompt, on every surface, and what it leaves alone."""

from dataclasses import replace
from typing import Any

import pytest

from gatekeeper.exchange import Case, JsonObject, Query, Surface
from gatekeeper.policy import Policy
from gatekeeper.prompting import bind_to_evidence, shape
from tests.cases import case

RULE = {"id": "hold", "when": {"evidence.state": {"equals": "none"}}, "then": "abstain"}
WITHHOLD = "Withhold metformin for 48 h."
HYDRATE = {"title": "ESUR", "text": "Hydrate below an eGFR of 30."}


def policy(**rest: Any) -> Policy:
    """Return a policy with some prompt shaping."""
    return Policy.model_validate({"name": "test", "version": "1", "rules": [RULE], **rest})


def on(surface: Surface, body: dict[str, Any], asked: Case) -> Case:
    """Return the case as if it had come in on another surface with another body."""
    return replace(asked, conversation=replace(asked.conversation, surface=surface, body=body))


def messages(body: JsonObject) -> list[tuple[str, Any]]:
    """Return role and content of every message."""
    return [(message["role"], message["content"]) for message in body["messages"]]


INJECT = policy(evidence={"inject": True})
INSTRUCT = policy(prompt={"instruction": "Be brief."})
SAID = "Evidence:\nWithhold metformin for 48 h.\n\n[ESUR]\nHydrate below an eGFR of 30."


def test_a_policy_without_shaping_changes_nothing() -> None:
    """The model sees exactly what the client sent."""
    asked = case("How long?", WITHHOLD)
    assert shape(asked, policy()) is asked


def test_injected_evidence_stands_before_the_question() -> None:
    """With `inject`, the model reads the evidence field in the order in which it was sent."""
    shaped = shape(case("How long?", WITHHOLD, HYDRATE), INJECT)
    assert messages(shaped.conversation.body) == [("system", SAID), ("user", "How long?")]


def test_the_instruction_follows_the_evidence() -> None:
    """Evidence comes first, so that a server's prefix cache can serve it again."""
    both = policy(evidence={"inject": True}, prompt={"instruction": "Be brief."})
    shaped = shape(case("How long?", WITHHOLD, HYDRATE), both)
    assert messages(shaped.conversation.body)[0] == ("system", f"{SAID}\n\nBe brief.")


def test_an_instruction_without_injection_leaves_the_evidence_out() -> None:
    """The evidence field enters the prompt only where the policy says so."""
    shaped = shape(case("How long?", WITHHOLD), INSTRUCT)
    assert messages(shaped.conversation.body)[0] == ("system", "Be brief.")


@pytest.mark.parametrize("role", ["system", "developer"])
def test_an_application_keeps_its_own_system_message(role: str) -> None:
    """There is still one system message, with the application's words after the policy's."""
    body = {"messages": [{"role": role, "content": "Be kind."}, {"role": "user", "content": "How long?"}]}
    shaped = shape(on(Surface.CHAT, body, case("How long?")), INSTRUCT)
    assert messages(shaped.conversation.body) == [(role, "Be brief.\n\nBe kind."), ("user", "How long?")]


def test_a_system_message_of_parts_gets_a_part() -> None:
    """Content parts stay parts."""
    parts = [{"type": "text", "text": "Be kind."}]
    body = {"messages": [{"role": "system", "content": parts}]}
    shaped = shape(on(Surface.CHAT, body, case("How long?")), INSTRUCT)
    assert messages(shaped.conversation.body) == [("system", [{"type": "text", "text": "Be brief."}, *parts])]


def test_an_empty_system_message_becomes_the_instruction() -> None:
    """A system message without content gains no stray white space."""
    body = {"messages": [{"role": "system", "content": None}]}
    shaped = shape(on(Surface.CHAT, body, case("How long?")), INSTRUCT)
    assert messages(shaped.conversation.body) == [("system", "Be brief.")]


@pytest.mark.parametrize(
    ("surface", "body", "expected"),
    [
        (Surface.COMPLETIONS, {"prompt": "How long?"}, {"prompt": "Be brief.\n\nHow long?"}),
        (Surface.COMPLETIONS, {"prompt": ["a", "b"]}, {"prompt": ["Be brief.\n\na", "Be brief.\n\nb"]}),
        (Surface.RESPONSES, {"input": "a"}, {"input": "a", "instructions": "Be brief."}),
        (Surface.RESPONSES, {"instructions": "Be kind."}, {"instructions": "Be brief.\n\nBe kind."}),
    ],
)
def test_every_surface_is_shaped_in_its_own_way(
    surface: Surface, body: dict[str, Any], expected: dict[str, Any]
) -> None:
    """The older completions and the Responses API get the same words where they expect them."""
    assert shape(on(surface, body, case("How long?")), INSTRUCT).conversation.body == expected


def test_the_clients_body_is_never_changed() -> None:
    """Shaping copies: what is judged and recorded is what the client sent."""
    body = {"model": "m", "messages": [{"role": "system", "content": "Be kind."}]}
    asked = on(Surface.CHAT, body, case("How long?"))
    shaped = shape(asked, INSTRUCT)
    assert body == {"model": "m", "messages": [{"role": "system", "content": "Be kind."}]}
    assert shaped.conversation.body["model"] == "m"
    assert (shaped.evidence, shaped.query) == (asked.evidence, Query("How long?"))


def test_a_second_try_is_bound_to_the_evidence() -> None:
    """Asking again puts the evidence before the model whether or not the policy injects."""
    bound = bind_to_evidence(case("How long?", WITHHOLD, HYDRATE), "Say so if unsure.")
    assert messages(bound.conversation.body)[0] == ("system", f"{SAID}\n\nSay so if unsure.")


def test_evidence_that_stands_in_the_prompt_is_not_repeated() -> None:
    """Context that the application wrote into its prompt is there already."""
    asked = case("How long?", evidence=None, documents=[WITHHOLD])
    assert [document.extractor for document in asked.evidence.documents] == ["documents"]
    bound = bind_to_evidence(asked, "Say so if unsure.")
    assert messages(bound.conversation.body)[0] == ("system", "Say so if unsure.")
