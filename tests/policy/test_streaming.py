"""Which policies let a stream leave sentence by sentence, and what is said of those that do not."""

import pytest

from gatekeeper.cli.policy import explain
from gatekeeper.policy import SIGNALS, needs_whole, parse_policy
from gatekeeper.policy import streaming as page

HEAD = 'name: p\nversion: "1"\nstreaming: window\nrules:\n'


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{id: r, when: {p_contradicted: {at_least: 0.5}}, then: escalate}", []),
        ("{id: r, when: {claims.contradicted: {above: 0}}, then: block}", []),
        ("{id: r, when: {evidence.state: {equals: none}}, then: abstain}", []),
        ("{id: r, when: {triage.high_risk: {equals: 1}, p_contradicted: {above: 0}}, then: block}", []),
        ("{id: r, when: {hedging.hedged: {equals: 1}}, then: annotate}", []),
        ("{id: r, when: {p_wrong: {at_least: 0.5}}, then: escalate}", ["p_wrong"]),
        ("{id: r, when: {claims.supported_share: {below: 0.5}}, then: abstain}", ["claims.supported_share"]),
        ("{id: r, when: {claims.supported: {below: 1}}, then: escalate}", ["claims.supported"]),
        ("{id: r, when: {claims.contradicted: {equals: 1}}, then: escalate}", ["claims.contradicted"]),
        ("{id: r, when: {confidence.sequence: {below: 0.5}}, then: block}", ["confidence.sequence"]),
        ("{id: r, when: {answer.truncated: {equals: 1}}, then: escalate}", ["answer.truncated"]),
        ("{id: r, when: {p_contradicted: {above: 0}}, then: regenerate}", ["another answer"]),
    ],
)
def test_rules_that_read_the_whole_are_named(rule: str, expected: list[str]) -> None:
    """A rule that could hold what has left already keeps the stream here, and is named with its signal."""
    reasons = needs_whole(parse_policy(f"{HEAD}  - {rule}\n").policy)
    assert len(expected) == len(reasons)
    assert all("'r'" in reason and word in reason for reason, word in zip(reasons, expected, strict=True))


def test_explain_says_how_streams_leave() -> None:
    """`policy explain` ends with how streams leave, and why they do not where a rule forbids it."""
    early = parse_policy(HEAD + "  - {id: r, when: {p_contradicted: {above: 0}}, then: block}\n").policy
    late = parse_policy(HEAD + "  - {id: r, when: {p_wrong: {above: 0}}, then: block}\n").policy
    assert "sentence by sentence" in explain(early)[-1]
    assert explain(late)[-2:] == [
        "Streams are held until their end has been judged.",
        "  Not sentence by sentence: rule 'r' reads p_wrong of the whole answer.",
    ]


def test_every_signal_that_can_be_judged_early_exists() -> None:
    """A renamed signal is noticed before it silently holds every stream."""
    assert set(SIGNALS) >= page._FIXED | page._RISING
