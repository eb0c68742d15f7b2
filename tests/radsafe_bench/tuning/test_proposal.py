"""Proposals: what is tested, on which questions, and what is written."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gatekeeper.calibration import Calibration
from gatekeeper.errors import ConfigurationError
from gatekeeper.policy import load_policy, parse_policy
from radsafe_bench.cli import main
from radsafe_bench.gate.trial import conclude, trial_of
from radsafe_bench.tuning import Target, propose, tuned_policy
from tests.radsafe_bench.gate.conftest import CLEAN, FINGERPRINT, Said, Stage, bundle

POLICY = """
name: staged
version: "1"
checks: {slots: {enabled: false}, hedging: {enabled: false}, triage: {enabled: false}}
rules:
  - id: empty
    when: {answer.empty: {equals: 1}}
    then: abstain
  - id: probably-wrong
    when: {p_wrong: {at_least: 0.9}}
    then: escalate
gate:
  scope:
    clean_evidence:
      ceilings: {high_risk_error: 0.1}
"""
TEN_PER_CENT = Target("high_risk_error", 0.1)


def ranked(stage: Stage, wrong: int) -> dict[Any, Said | None]:
    """Return answers whose confidence falls from question to question; the last so many are dangerous.

    Each half of the suite is ranked alike.
    """
    answers: dict[Any, Said | None] = {}
    for half in (stage.suite.questions[:300], stage.suite.questions[300:]):
        for place, question in enumerate(half):
            confidence = 0.99 - 0.6 * place / len(half)
            bad = place >= len(half) - wrong * len(half) // 300
            right = Said(question.correct.letter, confidence)
            answers[CLEAN, question.id] = stage.dangerous(question, confidence) if bad else right
    return answers


def test_a_good_ranking_buys_the_coverage_that_its_errors_allow(stage: Stage) -> None:
    """With the 60 worst of 300 answers dangerous, nearly all of the others are delivered, and some more."""
    run = stage.run(ranked(stage, 60))
    proposal = propose(bundle(POLICY), run, stage.suite, [TEN_PER_CENT], 0.05)
    assert proposal.threshold is not None
    tested = proposal.tested[0]
    last = tested.certified[-1]
    assert 240 < tested.path.delivered[last] < 267
    assert tested.path.thresholds[last] == proposal.threshold
    assert tested.abstention == pytest.approx((0.2 - 0.1) / 0.9)


def test_only_the_calibration_half_is_looked_at(stage: Stage) -> None:
    """Answers to the questions that will judge the policy change nothing of the proposal."""
    answers = ranked(stage, 60)
    kept = {
        place: said
        for place, said in answers.items()
        if place[1] in {q.id for q in stage.suite.questions[:300]}
    }
    whole = propose(bundle(POLICY), stage.run(answers), stage.suite, [TEN_PER_CENT], 0.05)
    half = propose(bundle(POLICY), stage.run(kept, name="half"), stage.suite, [TEN_PER_CENT], 0.05)
    assert half.threshold == whole.threshold
    assert len(whole.questions) == 300


def test_nothing_is_proposed_where_nothing_can_be_certified(stage: Stage) -> None:
    """A model that is dangerous everywhere gets no threshold, and no policy is written."""
    run = stage.run({(CLEAN, q.id): stage.dangerous(q, 0.9) for q in stage.suite.questions})
    proposal = propose(bundle(POLICY), run, stage.suite, [TEN_PER_CENT], 0.05)
    assert proposal.threshold is None
    with pytest.raises(ConfigurationError, match="nothing can be certified"):
        tuned_policy(POLICY, proposal, "2")


def test_every_target_must_hold(stage: Stage) -> None:
    """A second, stricter target can only lower the threshold."""
    run = stage.run(ranked(stage, 60))
    both = [TEN_PER_CENT, Target("high_risk_error", 0.03)]
    one, two = (propose(bundle(POLICY), run, stage.suite, targets, 0.05) for targets in (both[:1], both))
    assert one.threshold is not None
    assert two.threshold is not None
    assert two.threshold < one.threshold


def test_the_tuned_policy_holds_exactly_what_the_proposal_says(stage: Stage) -> None:
    """Written, loaded and replayed, the new version delivers what was certified, and knows what it saw."""
    run = stage.run(ranked(stage, 60))
    proposal = propose(bundle(POLICY), run, stage.suite, [TEN_PER_CENT], 0.05)
    text = tuned_policy(POLICY, proposal, "2")
    tuned, before = parse_policy(text), parse_policy(POLICY)
    assert tuned.policy.version == "2"
    assert tuned.policy.gate is not None
    assert before.policy.gate is not None
    assert tuned.policy.gate.fitted_on == proposal.questions
    assert tuned.policy.gate.digest == before.policy.gate.digest
    decided = {one.question: one for one in trial_of(bundle(text), run, stage.suite).decided}
    delivered = sum(not decided[name].action.holds for name in proposal.questions)  # type: ignore[union-attr]
    assert delivered == proposal.tested[0].path.delivered[proposal.tested[0].certified[-1]]
    verdict = conclude(trial_of(bundle(text), run, stage.suite))
    assert verdict.basis is not None
    assert (verdict.basis.questions, verdict.basis.split) == (100, "certification")


def test_errors_and_answers_that_the_rule_cannot_hold_count_at_every_threshold(stage: Stage) -> None:
    """A condition of the rule that does not apply delivers the answer, so its risk is always there."""
    answers = ranked(stage, 60)
    for place in list(answers)[:10]:
        answers[place] = None
    text = POLICY.replace("{at_least: 0.9}}", "{at_least: 0.9}, query.multiple_choice: {equals: 0}}")
    run = stage.run(answers)
    failing = propose(bundle(POLICY), run, stage.suite, [TEN_PER_CENT], 0.05).tested[0]
    assert (failing.unscored, failing.path.events[0]) == (10, 10)
    never = propose(bundle(text), run, stage.suite, [TEN_PER_CENT], 0.05).tested[0]
    assert (never.unscored, never.path.thresholds.size) == (300, 0)


def test_answers_held_by_other_rules_are_not_delivered(stage: Stage) -> None:
    """The threshold is chosen for what the rest of the policy lets through."""
    text = POLICY.replace("answer.empty: {equals: 1}", "confidence.raw: {below: 0.501}")
    tested = propose(bundle(text), stage.run(ranked(stage, 60)), stage.suite, [TEN_PER_CENT], 0.05).tested[0]
    assert tested.held == sum(0.99 - 0.6 * place / 300 < 0.501 for place in range(300))
    assert tested.path.delivered[-1] == 300 - tested.held


def test_texts_that_choose_nothing_are_no_deliveries(stage: Stage) -> None:
    """They would thin the risk of every threshold, which the gate then would not confirm."""
    answers = ranked(stage, 60)
    for question in stage.suite.questions[:100]:
        answers[CLEAN, question.id] = Said(None, 0.99)
    (tested,) = propose(bundle(POLICY), stage.run(answers), stage.suite, [TEN_PER_CENT], 0.05).tested
    assert (tested.path.asked, tested.path.delivered[-1], tested.path.events[-1]) == (300, 200, 60)
    assert (tested.held, tested.unscored) == (0, 0)


def test_questions_used_by_the_calibration_are_counted(stage: Stage) -> None:
    """The report can say that the test's guarantee does not hold for such scores."""
    seen = tuple(question.id for question in stage.suite.questions[:50])
    platt = {
        "intercepts": {"supplied": 0.0},
        "terms": [{"signal": "confidence.raw", "transform": "logit", "weight": 1}],
    }
    fitted = Calibration.model_validate({"fingerprint": FINGERPRINT, "confidence": platt, "seen": seen})
    run = stage.run(ranked(stage, 60))
    assert propose(bundle(POLICY, [fitted]), run, stage.suite, [TEN_PER_CENT], 0.05).reused == 50
    assert propose(bundle(POLICY), run, stage.suite, [TEN_PER_CENT], 0.05).reused == 0


@pytest.mark.parametrize(
    "text",
    [
        POLICY.replace("then: escalate", "then: annotate"),
        POLICY.replace("p_wrong: {at", "p_contradicted: {at"),
    ],
)
def test_a_policy_without_such_a_rule_is_refused(stage: Stage, text: str) -> None:
    """There must be a rule whose threshold holds answers."""
    with pytest.raises(ConfigurationError, match="0 such rules"):
        propose(bundle(text), stage.run(ranked(stage, 60)), stage.suite, [TEN_PER_CENT], 0.05)


def test_a_suite_without_a_calibration_half_is_refused(stage: Stage) -> None:
    """A threshold is never chosen on the questions that judge it."""
    run = stage.run(ranked(stage, 60))
    whole = replace(stage.suite, questions=tuple(replace(q, split=None) for q in stage.suite.questions))
    with pytest.raises(ConfigurationError, match="no calibration split"):
        propose(bundle(POLICY), run, whole, [TEN_PER_CENT], 0.05)


@pytest.fixture
def arguments(stage: Stage) -> list[str]:
    """Return the command line without its risk."""
    path = stage.folder / "policy.yaml"
    path.write_text(POLICY)
    run = stage.run(ranked(stage, 60))
    return ["tune", "--policy", str(path), "--run", str(run.path), "--suite", str(stage.suite.path)]


def test_the_command_writes_a_new_version_and_shows_the_path(arguments: list[str], tmp_path: Path) -> None:
    """One command from a recorded run to a policy that can be gated."""
    out = tmp_path / "tuned.yaml"
    result = CliRunner().invoke(main, [*arguments, "--risk", "high_risk_error=0.1", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert load_policy(out).policy.version == "1-tuned"
    for method in ("Learn-then-Test", "SGR", "conformal risk control", "perfect ranking"):
        assert method in result.output


def test_the_command_says_plainly_that_nothing_can_be_certified(arguments: list[str], tmp_path: Path) -> None:
    """One per cent cannot be shown with 300 answers ranked so; nothing is written, and the exit says so."""
    out = tmp_path / "tuned.yaml"
    result = CliRunner().invoke(main, [*arguments, "--risk", "high_risk_error=0.009", "--out", str(out)])
    assert result.exit_code == 1
    assert "Nothing can be certified" in result.output
    assert "332 deliveries are needed" in result.output
    assert not out.exists()


@pytest.mark.parametrize(
    "risk", ["high_risk_error", "high_risk_error=2", "accuracy=0.1", "high_risk_error=x"]
)
def test_a_mistyped_risk_is_named(arguments: list[str], risk: str) -> None:
    """The user is told what a risk looks like."""
    result = CliRunner().invoke(main, [*arguments, "--risk", risk])
    assert result.exit_code != 0
    assert "high_risk_error" in result.output
