"""A proposal for one rule's threshold: what the answers of the calibration split can certify, if anything."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gatekeeper.assessment import Action
from gatekeeper.calibration import Calibration
from gatekeeper.errors import ConfigurationError
from gatekeeper.gate import Bundle
from gatekeeper.policy import Policy, Rule, Ruling
from radsafe_bench.gate.asked import reread
from radsafe_bench.gate.outcomes import Ended, Ending, endings
from radsafe_bench.gate.replay import Decided, fingerprint_of, replay
from radsafe_bench.gate.trial import check_run, criteria_of, in_scope
from radsafe_bench.records import Run
from radsafe_bench.stats import least_abstention
from radsafe_bench.suites import Split, Suite
from radsafe_bench.tuning.thresholds import (
    ThresholdPath,
    conformal_risk_control,
    learn_then_test,
    selective_guaranteed_risk,
)

SIGNAL: Final = "p_wrong"


@dataclass(frozen=True, slots=True)
class Target:
    """A safety rate and the share of delivered answers that it may have at most."""

    rate: str
    alpha: float


@dataclass(frozen=True, slots=True)
class Tested:
    """One target under one condition: its path, and the places on it that each method allows.

    `certified` are those of Learn-then-Test. `held` questions are held by other rules whatever the
    threshold, `unscored` ones delivered whatever it is. `abstention` is the least share of what this
    rule sees that must be held to reach alpha, even with a perfect ranking.
    """

    condition: str
    target: Target
    path: ThresholdPath
    certified: range
    sgr: int | None
    conformal: int | None
    held: int
    unscored: int
    abstention: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """The laxest score that every test certifies, None where none is; and what it rests on.

    `questions` are the ids that choosing it has seen, `reused` those among them that the calibration
    was fitted on too: with any, the guarantee of the test does not hold.
    """

    rule: str
    delta: float
    threshold: float | None
    tested: tuple[Tested, ...]
    questions: tuple[str, ...]
    reused: int


def propose(
    bundle: Bundle,
    run: Run,
    suite: Suite,
    targets: Sequence[Target],
    delta: float,
    rule_id: str | None = None,
) -> Proposal:
    """Test every threshold of a rule on the calibration split, under each condition in scope.

    Raises ConfigurationError where the policy has no such rule, or the suite no calibration split.
    """
    criteria, rule = criteria_of(bundle), tunable_rule(bundle.policy, rule_id)
    check_run(criteria, run, suite)
    ids = {question.id for question in suite.split(Split.CALIBRATION)}
    if not ids:
        raise ConfigurationError(f"suite {suite.name} has no calibration split to choose a threshold on")
    decided = replay(reread(in_scope(run, criteria), suite.questions), without_rule(bundle, rule))
    seen = {question.id for question in suite.questions} - ids
    tested = tuple(
        examine(condition, target, delta, rule, decided, suite, seen)
        for condition in criteria.scope
        for target in targets
    )
    calibration: Calibration | None = bundle.calibrations.of(fingerprint_of(run))
    return Proposal(
        rule=rule.id,
        delta=delta,
        threshold=common_threshold(tested),
        tested=tested,
        questions=tuple(sorted(ids)),
        reused=len(ids.intersection(calibration.seen)) if calibration else 0,
    )


def tunable_rule(policy: Policy, rule_id: str | None = None) -> Rule:
    """Return the rule that holds answers from a value of `p_wrong` on, by id where there are several."""
    found = [
        rule
        for rule in policy.rules
        if SIGNAL in rule.when and rule.then.holds and rule_id in {None, rule.id}
    ]
    if len(found) != 1:
        raise ConfigurationError(
            f"policy '{policy.name}' has {len(found)} such rules that hold answers by {SIGNAL}; name "
            "one with --rule, or write one"
        )
    return found[0]


def without_rule(bundle: Bundle, rule: Rule) -> Bundle:
    """Return the bundle whose policy does everything but that rule."""
    rules = tuple(other for other in bundle.policy.rules if other.id != rule.id)
    policy = bundle.policy.model_copy(update={"rules": rules})
    return replace(bundle, loaded=replace(bundle.loaded, policy=policy))


def examine(
    condition: str,
    target: Target,
    delta: float,
    rule: Rule,
    decided: Sequence[Decided],
    suite: Suite,
    seen: set[str],
) -> Tested:
    """Run all three methods for one target under one condition."""
    own = {one.question: one for one in decided if one.condition == condition}
    ended = endings([_delivered(one) for one in own.values()], suite, [condition], seen)[condition]
    scored = list(_scored(rule, ended, own))
    always = [one for one, score in scored if score is None]
    ranked = [(score, target.rate in one.harms) for one, score in scored if score is not None]
    path = ThresholdPath.of(
        [score for score, _ in ranked],
        [wrong for _, wrong in ranked],
        asked=len(ended),
        always=len(always),
        always_wrong=sum(target.rate in one.harms for one in always),
    )
    return Tested(
        condition=condition,
        target=target,
        path=path,
        certified=learn_then_test(path, target.alpha, delta),
        sgr=selective_guaranteed_risk(path, target.alpha, delta),
        conformal=conformal_risk_control(path, target.alpha),
        held=sum(one.ending is Ending.HELD for one in ended),
        unscored=len(always),
        abstention=least_abstention(float(path.risk[-1]), target.alpha) if path.thresholds.size else 0.0,
    )


def common_threshold(tested: Sequence[Tested]) -> float | None:
    """Return the laxest score within the certified range of every test, None where they do not meet."""
    if not tested or any(not one.certified for one in tested):
        return None
    strictest = max(float(one.path.thresholds[one.certified[0]]) for one in tested)
    laxest = min(float(one.path.thresholds[one.certified[-1]]) for one in tested)
    return laxest if laxest >= strictest else None


def place_at(path: ThresholdPath, threshold: float) -> int:
    """Return the place on a path that delivers what a threshold does; −1 where that is nothing."""
    return int(np.searchsorted(path.thresholds, threshold, side="right")) - 1


def _delivered(one: Decided) -> Decided:
    """Return the decision as if nothing but this policy's other rules could hold the answer."""
    return one if one.action is None or one.action.holds else replace(one, action=Action.RELEASE)


def _scored(
    rule: Rule, ended: Sequence[Ended], decided: Mapping[str, Decided]
) -> Iterator[tuple[Ended, float | None]]:
    """Yield every answer that the other rules deliver and that chooses an option, with its score.

    None where the rule cannot hold it: it failed, or the rule's other conditions do not apply, or the
    score is missing and the rule skips that. A rule that holds missing scores holds them at every
    threshold, so they are left out.
    """
    others = {name: test for name, test in rule.when.items() if name != SIGNAL}
    rest = Ruling(rule.model_copy(update={"when": others}))
    for one in ended:
        if one.ending in {Ending.HELD, Ending.UNPARSED}:
            continue
        signals = decided[one.question].signals if one.question in decided else {}
        score = signals.get(SIGNAL)
        if one.ending is Ending.ERRORED or not rest.matches(signals):
            yield one, None
        elif isinstance(score, float):
            yield one, score
        elif rule.unavailable == "skip":
            yield one, None
