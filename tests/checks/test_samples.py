"""More answers to a question in doubt: when they are drawn, what they cost, and how far they agree."""

from typing import Any

import pytest
from pydantic import ValidationError

from gatekeeper.assessment import SignalValue, Subject, Verdict
from gatekeeper.auxiliary import Drawn, Problem
from gatekeeper.checks.samples import Samples, agreement
from gatekeeper.claims import read_claims
from gatekeeper.exchange import Answer, Surface
from gatekeeper.policy import Policy
from gatekeeper.wire.surfaces import WIRES
from tests.checks.subjects import answered, ask, run, signals
from tests.judging import Reader

QUESTION = "How long is metformin withheld after contrast?"
OPTIONS = f"{QUESTION}\nA. 24 hours\nB. 48 hours"
SAYS_48 = "Metformin is withheld for 48 hours after contrast."
SAYS_24 = "Metformin is withheld for 24 hours after contrast."
ELSE = "The patient drinks plenty of water."
RULE = {"id": "r", "when": {"samples.agreement": {"below": 0.5}}, "then": "escalate"}


def policy(**settings: Any) -> Policy:
    """Return a policy that draws samples."""
    samples = {"enabled": True, **settings}
    given = {"name": "x", "version": "1", "checks": {"samples": samples}, "rules": [RULE]}
    return Policy.model_validate(given)


def posed(model: Reader | None, answer: str = SAYS_48, question: str = QUESTION, **body: Any) -> Subject:
    """Return an answer with the model that may be asked for more."""
    given = answered(ask(question, **body), answer)
    return Subject(given.case, given.answer, given.claims, model)


def told(*texts: str) -> Reader:
    """Return a model that draws these answers."""
    return Reader(draws=[Drawn(text) for text in texts])


def measured(subject: Subject, **settings: Any) -> dict[str, SignalValue]:
    """Return the check's signals."""
    return signals(Samples(policy(**settings)), subject)


@pytest.mark.parametrize(
    ("texts", "agreed"),
    [
        ([SAYS_48, SAYS_48], 1.0),
        ([SAYS_24, SAYS_24], 0.0),
        ([SAYS_48, SAYS_24], 0.5),
        ([ELSE], 0.5),
    ],
    ids=["alike", "opposed", "torn", "elsewhere"],
)
def test_agreement_follows_the_claims(texts: list[str], agreed: float) -> None:
    """A sample that says the same counts for the answer, one with another number against it."""
    assert agreement(posed(None), texts) == pytest.approx(agreed)


def test_for_multiple_choice_the_option_counts() -> None:
    """A sample that chooses another letter, or none, does not agree."""
    assert agreement(posed(None, "B", OPTIONS), ["B", "The answer is B.", "A", "Hard to say."]) == 0.5


def test_an_answer_without_claims_agrees_with_nothing() -> None:
    """No number is made up for it."""
    assert agreement(posed(None, ""), [SAYS_48]) is None


def test_what_came_is_counted() -> None:
    """Of three samples that were asked for, the one that came in time is compared."""
    found = measured(posed(told(SAYS_48)), answers=3)
    assert found == {"samples.drawn": 1.0, "samples.agreement": pytest.approx(1.0)}


@pytest.mark.parametrize("drawn", [Drawn(problem=Problem.TIMEOUT), Drawn(problem=Problem.ERROR)])
def test_without_any_sample_it_is_unavailable(drawn: Drawn) -> None:
    """Nothing drawn is no agreement."""
    found = run(Samples(policy(answers=1)), posed(Reader(draws=[drawn])))
    assert [(one.detector, one.verdict) for one in found] == [
        (f"samples.{drawn.problem}", Verdict.UNAVAILABLE)
    ]
    assert [one.verdict for one in run(Samples(policy()), posed(None))] == [Verdict.UNAVAILABLE]
    assert [one.verdict for one in run(Samples(policy()), posed(told(" ")))] == [Verdict.UNAVAILABLE]


def test_samples_are_the_clients_request_within_a_budget() -> None:
    """Each is drawn once, seeded, at the policy's temperature and with its share of the tokens."""
    model = told(SAYS_48)
    body: dict[str, Any] = {"max_tokens": 4000, "temperature": 0, "n": 2, "stream": True, "stop": ["x"]}
    body["logprobs"] = True
    measured(posed(model, **body), answers=4, tokens=1000, temperature=0.9)
    bodies = [call.case.conversation.body for call in model.drawn]
    assert [body["seed"] for body in bodies] == [0, 1, 2, 3]
    assert len({call.key for call in model.drawn}) == 4
    for sent in bodies:
        assert (sent["max_tokens"], sent["temperature"], sent["stop"]) == (250, 0.9, ["x"])
        assert not {"n", "stream", "logprobs"} & sent.keys()
    assert all(call.case.conversation.n == 1 for call in model.drawn)


@pytest.mark.parametrize(
    ("surface", "field", "body"),
    [
        (Surface.CHAT, "max_completion_tokens", {"messages": [], "max_completion_tokens": 50}),
        (Surface.COMPLETIONS, "max_tokens", {"prompt": QUESTION}),
        (Surface.RESPONSES, "max_output_tokens", {"input": QUESTION}),
    ],
)
def test_every_surface_has_its_own_name_for_the_limit(
    surface: Surface, field: str, body: dict[str, Any]
) -> None:
    """A sample stays within its tokens, and never goes over what the client allowed."""
    if surface is Surface.CHAT:
        body = {**body, "messages": [{"role": "user", "content": QUESTION}]}
    model = told(SAYS_48)
    given = posed(model)
    conversation = WIRES[surface].parse_request(body)
    case = type(given.case)(conversation, given.case.evidence, given.case.query)
    claims = read_claims(Answer(0, SAYS_48), case.query, reasoning=False)
    run(Samples(policy(answers=1, tokens=100)), Subject(case, Answer(0, SAYS_48), claims, model))
    assert model.drawn[0].case.conversation.body[field] == body.get(field, 100)


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"band": [0.8, 0.2]}, "lower risk first"),
        ({"answers": 8, "tokens": 4}, "budget"),
        ({"deadline_s": 30}, "below timeout_s"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, Any], hint: str) -> None:
    """A policy that would never draw, or lose what it drew, says so when it is read."""
    with pytest.raises(ValidationError, match=hint):
        policy(**settings)
