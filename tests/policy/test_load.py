"""Policy files: what is accepted, and how a mistake is named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.errors import PolicyError
from gatekeeper.policy import load_policy, parse_policy

MINIMAL = """\
name: minimal
version: "1"
rules:
  - id: no-evidence
    when: {evidence.state: {equals: none}}
    then: abstain
"""


def problem(text: str) -> str:
    """Return the message that a broken policy is refused with."""
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, source="p.yaml")
    return caught.value.message


@pytest.mark.parametrize("name", ["default", "strict", "shadow"])
def test_shipped_policies_are_valid(name: str) -> None:
    """Every shipped policy loads and carries its own file's name."""
    assert load_policy(Path("policies") / f"{name}.yaml").policy.name == name


def test_digest_ignores_comments_and_order_but_not_thresholds() -> None:
    """The digest names what a policy says, not how it is laid out."""
    original = parse_policy(MINIMAL).digest
    commented = parse_policy("# why\nversion: '1'\n" + MINIMAL.replace('version: "1"\n', "")).digest
    stricter = parse_policy(MINIMAL.replace("abstain", "block")).digest
    assert commented == original
    assert stricter != original


@pytest.mark.parametrize(
    ("broken", "line", "hint"),
    [
        (MINIMAL.replace("abstain", "obstain"), 6, "'release'"),
        (MINIMAL.replace("evidence.state", "evidence.sate"), 5, "did you mean 'evidence.state'"),
        (MINIMAL.replace("equals: none", "equals: nothing"), 5, "never 'nothing'"),
        (MINIMAL.replace("evidence.state: {equals: none}", "p_wrong: {at_least: 3}"), 5, "not 3"),
        (MINIMAL.replace("evidence.state: {equals: none}", "p_wrong: {}"), 5, "is empty"),
        (MINIMAL.replace("evidence.state: {equals: none}", "p_wrong: {equals: high}"), 5, "is a number"),
        (MINIMAL.replace("evidence.state: {equals: none}", "evidence.state: {above: 1}"), 5, "not a number"),
        (MINIMAL + "mood: grim\n", 7, "mood"),
        (MINIMAL.replace("equals: none", "equal: none"), 5, "did you mean 'equals'"),
        (MINIMAL.replace("{equals: none}", "none"), 5, "must be a mapping"),
        (MINIMAL.replace('"1"', "1.0"), 2, "put it in quotes"),
        (MINIMAL.replace("name: minimal\n", ""), 1, "is missing"),
        (MINIMAL.replace("no-evidence", "check_unavailable"), 4, "is taken"),
        (MINIMAL + "checks: {slots: {timeout_s: -1}}\n", 7, "greater than 0"),
        (MINIMAL + "regenerate: {then: release}\n", 7, "stricter than regenerate"),
    ],
)
def test_mistakes_are_named_with_line_and_remedy(broken: str, line: int, hint: str) -> None:
    """A broken policy is refused with the place where it is broken and what would be right."""
    message = problem(broken)
    assert f"line {line}:" in message
    assert hint in message


def test_a_rule_on_a_disabled_check_is_refused() -> None:
    """A rule that could never be measured is a mistake, not a rule that never matches."""
    text = MINIMAL.replace("evidence.state: {equals: none}", "hedging.hedged: {equals: 1}")
    assert "not enabled" in problem(text + "checks: {hedging: {enabled: false}}\n")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("name: a\nname: b\n", "'name' is written twice"),
        ("a: &x [1]\nb: *x\n", "aliases are not allowed"),
        ("on: yes\n", "true"),
        ("- a\n- b\n", "a policy is a mapping"),
        ("", "a policy is a mapping"),
        ("name: [unclosed\n", "line 2"),
        ("name: !!python/object/apply:os.system ['true']\n", "line 1"),
    ],
)
def test_misleading_yaml_is_refused(text: str, hint: str) -> None:
    """What YAML would silently read in another way is an error."""
    assert hint in problem(text).lower() or hint in problem(text)


def test_a_missing_file_is_named() -> None:
    """A path that is not there is named in one line."""
    with pytest.raises(PolicyError, match=r"nowhere\.yaml: cannot be read"):
        load_policy(Path("nowhere.yaml"))


@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_a_policy_error(text: str) -> None:
    """No text makes loading fail in any other way."""
    try:
        parse_policy(text)
    except PolicyError as error:
        assert error.message.startswith("policy: ")


def test_one_mistake_is_told_once() -> None:
    """A policy whose only rule is broken is not also said to have no rules."""
    assert problem(MINIMAL.replace("abstain", "obstain")).count("p.yaml: line") == 1
