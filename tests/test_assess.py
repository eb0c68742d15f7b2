"""Findings → Assessment: every signal that a rule may read, and what is unknown stays unknown."""

from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.assess import assess, verdicts
from gatekeeper.assessment import Assessment, Claim, Field, Finding, SignalValue, Subject, Verdict
from gatekeeper.calibration import Calibration
from gatekeeper.exchange import Answer, LogprobQuality, Span, ToolCall
from gatekeeper.policy.signals import SIGNALS
from tests.cases import case

SUPPORTED, CONTRADICTED = Verdict.SUPPORTED, Verdict.CONTRADICTED
NOT_ADDRESSED, UNAVAILABLE = Verdict.NOT_ADDRESSED, Verdict.UNAVAILABLE


def said(claim: int, verdict: Verdict, value: float | None = None, check: str = "slots") -> Finding:
    """Return what a check says of a claim."""
    return Finding(check, check, verdict, claim, value)


def measured(name: str, value: SignalValue) -> Finding:
    """Return a signal as its check gives it."""
    return Finding(name.partition(".")[0], name, value=value)


def assessed(*findings: Finding, claims: int = 1, calibration: Calibration | None = None) -> Assessment:
    """Return the assessment of an answer of some claims with evidence."""
    stated = tuple(Claim("Wait.", Span(0, 5)) for _ in range(claims))
    return assess(Subject(case("How long?", "Wait 48 h."), Answer(0, "Wait."), stated), findings, calibration)


def test_a_contradiction_outweighs_support() -> None:
    """One check that sees a contradiction is not outvoted by one that sees support."""
    findings = [
        said(0, NOT_ADDRESSED, 0.05),
        said(0, CONTRADICTED, 0.6, "nli"),
        said(0, SUPPORTED, 0.9),
        said(1, UNAVAILABLE),
        said(1, NOT_ADDRESSED, 0.05),
    ]
    deciding = verdicts(3, findings)
    assert deciding == [findings[1], findings[4], None]


def test_among_equal_verdicts_the_surest_decides() -> None:
    """Of two contradictions the more probable one is shown, whichever check ran first."""
    weak, strong = said(0, CONTRADICTED, 0.6), said(0, CONTRADICTED, 0.9, "nli")
    assert verdicts(1, [weak, strong]) == [strong]
    assert verdicts(1, [strong, weak]) == [strong]


def test_claims_are_counted_by_verdict() -> None:
    """A policy can ask for shares and counts of claims."""
    found = assessed(
        said(0, SUPPORTED, 0.02), said(1, CONTRADICTED, 0.9), said(2, NOT_ADDRESSED, 0.05), claims=4
    )
    assert {name: value for name, value in found.signals.items() if name.startswith("claims.")} == {
        "claims.total": 4.0,
        "claims.supported": 1.0,
        "claims.contradicted": 1.0,
        "claims.not_addressed": 2.0,
        "claims.ungrounded": 0.0,
        "claims.supported_share": 0.25,
    }


def test_reasoning_is_left_out_of_the_supported_share() -> None:
    """A model that argues before it concludes is not marked down for the arguing."""
    claims = (Claim("Wait.", Span(0, 5)), Claim("Hm.", Span(0, 3), Field.REASONING))
    subject = Subject(case("How long?"), Answer(0, "Wait.", reasoning="Hm."), claims)
    found = assess(subject, [said(0, SUPPORTED, 0.02), said(1, NOT_ADDRESSED, 0.05)])
    assert found.signals["claims.supported_share"] == 1.0
    assert found.signals["claims.not_addressed"] == 1.0


def test_claims_that_no_check_read_have_no_verdicts() -> None:
    """Where no check could judge, nothing says that the claims are supported or not contradicted."""
    found = assessed(Finding("slots", "slots.error", UNAVAILABLE))
    assert found.unavailable == ("slots",)
    assert found.p_contradicted is None
    assert found.p_wrong is None
    assert set(found.signals).isdisjoint({"claims.supported", "p_contradicted", "p_wrong"})


def test_an_answer_without_claims_contradicts_nothing() -> None:
    """An empty answer is caught by `answer.empty`, not by a made-up contradiction."""
    found = assessed(claims=0)
    assert found.p_contradicted == 0.0
    assert found.signals["claims.supported_share"] == 0.0


def test_the_worst_claim_is_the_probability_of_contradiction() -> None:
    """One contradicted sentence among many supported ones is not averaged away."""
    findings = [said(number, SUPPORTED, 0.02) for number in range(9)]
    assert assessed(*findings, said(9, CONTRADICTED, 0.9), claims=10).p_contradicted == 0.9


@pytest.mark.parametrize(
    ("answer", "signal"),
    [
        (Answer(0, ""), "answer.empty"),
        (Answer(0, " \n"), "answer.empty"),
        (Answer(0, "", refusal="No."), "answer.refused"),
        (Answer(0, "Wait.", finish_reason="content_filter"), "answer.refused"),
        (Answer(0, "Wait.", finish_reason="length"), "answer.truncated"),
        (Answer(0, "", tool_calls=(ToolCall("order", "{}"),)), "answer.tool_calls"),
    ],
)
def test_what_needs_no_check(answer: Answer, signal: str) -> None:
    """Each way in which an answer is no plain answer has one signal that is set, and no other is."""
    names = ["answer.empty", "answer.refused", "answer.truncated", "answer.tool_calls"]
    signals = assess(Subject(case("How long?"), answer, ()), []).signals
    assert [name for name in names if signals[name]] == [signal]


def test_the_evidence_and_the_question_are_signals() -> None:
    """Rules can read the state of the evidence and the kind of question."""
    asked = case(
        "Which?\nA. CT\nB. MRI", "The mass is in the left kidney.", "The mass is in the right kidney."
    )
    signals = assess(Subject(asked, Answer(0, "A"), ()), []).signals
    assert {name: signals[name] for name in signals if name.startswith(("evidence", "query"))} == {
        "evidence.state": "conflicting",
        "evidence.documents": 2.0,
        "evidence.conflicts": 1.0,
        "query.multiple_choice": 1.0,
    }


def test_risk_without_calibration_rests_on_the_raw_confidence() -> None:
    """p_wrong = 1 − P(right) · P(not contradicted), and the state says that nothing was calibrated."""
    found = assessed(said(0, CONTRADICTED, 0.5), measured("confidence.raw", 0.8))
    assert found.p_wrong == pytest.approx(1 - 0.8 * 0.5)
    assert found.signals["calibration.state"] == "uncalibrated"
    assert (found.confidence.raw, found.confidence.calibrated) == (0.8, None)


@pytest.mark.parametrize(
    ("finding", "p_wrong"),
    [
        (said(0, CONTRADICTED, 0.9), 0.9),
        (said(0, NOT_ADDRESSED, 0.05), None),
        (said(0, SUPPORTED, 0.02), None),
    ],
)
def test_risk_without_confidence(finding: Finding, p_wrong: float | None) -> None:
    """Without token probabilities, a contradiction still counts; all else is unknown, not nearly zero."""
    assert assessed(finding).p_wrong == p_wrong


PLATT = {"intercepts": {"supplied": 0.0}, "terms": [{"signal": "confidence.raw", "weight": 1.0}]}
NEVER = {"intercepts": {"expired": 0.0}, "terms": []}


def fitted(**parts: object) -> Calibration:
    """Return a calibration."""
    return Calibration.model_validate({"fingerprint": "m", "confidence": PLATT, **parts})


def test_a_calibration_replaces_the_raw_confidence() -> None:
    """With a calibration, risk rests on the calibrated probability: σ(0) is one half."""
    found = assessed(said(0, SUPPORTED, 0.0), measured("confidence.raw", 0.0), calibration=fitted())
    assert found.confidence.calibrated == pytest.approx(0.5)
    assert found.p_wrong == pytest.approx(0.5)
    assert found.signals["calibration.state"] == "calibrated"
    assert found.signals["confidence.calibrated"] == found.confidence.calibrated


def test_a_calibration_that_cannot_say_is_not_applied() -> None:
    """Evidence in a state that was not fitted leaves the answer uncalibrated."""
    found = assessed(
        said(0, SUPPORTED, 0.0), measured("confidence.raw", 0.9), calibration=fitted(confidence=NEVER)
    )
    assert found.confidence.calibrated is None
    assert found.signals["calibration.state"] == "uncalibrated"
    assert found.p_wrong == pytest.approx(0.1)


def test_a_fitted_risk_decides() -> None:
    """Where confidence and findings were fitted together, that probability is the risk."""
    risk = {"intercepts": {"supplied": 0.0}, "terms": [{"signal": "p_contradicted", "weight": 0.0}]}
    found = assessed(
        said(0, SUPPORTED, 0.02), measured("confidence.raw", 0.99), calibration=fitted(risk=risk)
    )
    assert found.p_wrong == pytest.approx(0.5)


def test_a_fitted_risk_that_cannot_say_gives_no_number() -> None:
    """The risk of another model is never put in its place."""
    found = assessed(
        said(0, SUPPORTED, 0.02), measured("confidence.raw", 0.9), calibration=fitted(risk=NEVER)
    )
    assert found.p_wrong is None
    assert "p_wrong" not in found.signals


FUSED = {
    "intercepts": {"supplied": 1.0, "conflicting": 1.0, "expired": 1.0},
    "terms": [
        {"signal": "confidence.raw", "transform": "logit", "weight": 0.5},
        {"signal": "slots.p_contradicted", "weight": -3.0},
        {"signal": "options.margin", "weight": 2.0, "missing": -0.25},
    ],
}


def test_a_fused_risk_is_explained_by_its_parts() -> None:
    """Intercept and terms, in logits of P(wrong), add up to p_wrong; what was not measured is named."""
    found = assessed(
        said(0, CONTRADICTED, 0.9), measured("confidence.raw", 0.8), calibration=fitted(risk=FUSED)
    )
    assert found.risk is not None
    assert found.risk.terms == {
        "confidence.raw": pytest.approx(-0.5 * log(4)),
        "slots.p_contradicted": pytest.approx(2.7),
        "options.margin": 0.25,
    }
    assert (found.risk.intercept, found.risk.missing) == (-1.0, ("options.margin",))
    total = found.risk.intercept + sum(found.risk.terms.values())
    assert found.p_wrong == pytest.approx(1 / (1 + exp(-total)))


def test_without_a_fused_risk_there_is_nothing_to_explain() -> None:
    """No parts are made up where no risk was fitted, or where a signal is missing that may not be."""
    assert assessed(said(0, SUPPORTED), measured("confidence.raw", 0.8)).risk is None
    found = assessed(said(0, SUPPORTED, 0.02), calibration=fitted(risk=FUSED))
    assert (found.risk, found.p_wrong) == (None, None)


def test_each_check_says_by_itself_how_likely_a_contradiction_is() -> None:
    """A risk can weigh two checks apart; one that could not judge says nothing."""
    found = assessed(
        said(0, SUPPORTED, 0.02), said(0, CONTRADICTED, 0.7, "nli"), said(0, UNAVAILABLE, None, "judge")
    )
    named = {name: value for name, value in found.signals.items() if name.endswith("p_contradicted")}
    assert named == {"slots.p_contradicted": 0.02, "nli.p_contradicted": 0.7, "p_contradicted": 0.7}


CONFLICT = ("The mass is in the left kidney.", "The mass is in the right kidney.")
EXPIRED = ({"text": "Wait 48 h.", "expires": "2020-01-01"},)


@pytest.mark.parametrize("evidence", [CONFLICT, EXPIRED], ids=["conflicting", "expired"])
@pytest.mark.parametrize("calibration", [None, fitted(), fitted(risk=FUSED)], ids=["none", "platt", "fused"])
def test_unsound_evidence_caps_confidence_whatever_else_is_said(
    evidence: tuple[str | dict[str, str], ...], calibration: Calibration | None
) -> None:
    """Neither certain tokens nor agreeing checks make an answer on unsound evidence likely right."""
    subject = Subject(case("Which?", *evidence), Answer(0, "Left."), (Claim("Left.", Span(0, 5)),))
    findings = [said(0, SUPPORTED, 0.0), measured("confidence.raw", 0.999)]
    for cap in (0.5, 0.2):
        found = assess(subject, findings, calibration, cap)
        assert found.p_wrong is not None
        assert found.p_wrong >= 1 - cap
        assert found.confidence.cap == cap
        assert (found.confidence.calibrated or 0.0) <= cap
        assert found.signals["confidence.raw"] == 0.999


def test_the_cap_never_makes_an_answer_safer() -> None:
    """What is below the cap already stays as it is, and what is unknown stays unknown."""
    subject = Subject(case("Which?", *CONFLICT), Answer(0, "Left."), (Claim("Left.", Span(0, 5)),))
    assert assess(subject, [said(0, CONTRADICTED, 0.9), measured("confidence.raw", 0.3)]).p_wrong == (
        pytest.approx(1 - 0.3 * 0.1)
    )
    assert assess(subject, [said(0, SUPPORTED, 0.0)]).p_wrong is None
    assert assess(subject, [said(0, CONTRADICTED, 0.1)]).p_wrong == 0.5


def test_sound_evidence_has_no_cap() -> None:
    """Evidence that is current and consistent limits nothing."""
    found = assessed(said(0, SUPPORTED, 0.0), measured("confidence.raw", 0.99))
    assert found.confidence.cap is None
    assert found.p_wrong == pytest.approx(0.01)


@pytest.mark.parametrize(("assertive", "raw", "expected"), [(0.8, 0.3, 0.5), (0.4, 0.9, 0.0)])
def test_overconfidence_is_what_the_words_claim_beyond_the_tokens(
    assertive: float, raw: float, expected: float
) -> None:
    """An answer that speaks plainly and was generated unsurely is overconfident; the reverse is not."""
    found = assessed(measured("hedging.assertiveness", assertive), measured("confidence.raw", raw))
    assert found.signals["overconfidence"] == pytest.approx(expected)


def test_overconfidence_needs_both() -> None:
    """Without a confidence, assertive words alone are not called overconfident."""
    assert "overconfidence" not in assessed(measured("hedging.assertiveness", 1.0)).signals


@pytest.mark.parametrize("quality", list(LogprobQuality))
def test_quality_is_the_checks_own(quality: LogprobQuality) -> None:
    """The response names how much of the answer the probabilities cover."""
    assert assessed(measured("confidence.quality", quality.value)).confidence.quality is quality


def test_quality_is_unavailable_where_nothing_was_measured() -> None:
    """A confidence check that failed never reads as complete."""
    assert assessed().confidence.quality is LogprobQuality.UNAVAILABLE


VERDICTS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(list(Verdict)), st.floats(0, 1)), max_size=8)


@given(VERDICTS, st.none() | st.floats(0, 1))
def test_every_signal_is_in_the_vocabulary_and_in_its_range(
    found: list[tuple[int, Verdict, float]], raw: float | None
) -> None:
    """Whatever the checks say, a rule can only read signals that `policy explain` lists, in their range."""
    findings = [said(*one) for one in found]
    if raw is not None:
        findings.append(measured("confidence.raw", raw))
    for name, value in assessed(*findings, claims=3).signals.items():
        spec = SIGNALS[name]
        if isinstance(value, str):
            assert value in spec.values
        else:
            assert spec.bounds[0] <= value <= spec.bounds[1]


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_more_contradiction_never_lowers_the_risk(raw: float, one: float, other: float) -> None:
    """With equal confidence, the answer that is likelier contradicted is never less risky."""
    low, high = sorted((one, other))
    for calibration in (None, fitted(risk=FUSED)):
        milder, worse = (
            assessed(
                said(0, CONTRADICTED, one), measured("confidence.raw", raw), calibration=calibration
            ).p_wrong
            for one in (low, high)
        )
        assert milder is not None
        assert worse is not None
        assert milder <= worse + 1e-12
