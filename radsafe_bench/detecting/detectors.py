"""What can flag an answer: each check, several together, the policy's rules, the confidence, the fused risk.

Nothing here names a check: whichever gives verdicts on claims is a detector.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from gatekeeper.assessment import Verdict
from gatekeeper.errors import ConfigurationError
from gatekeeper.policy import Policy, Rule, Ruling
from gatekeeper.policy.signals import CONTRADICTION
from radsafe_bench.detecting.examining import Examined
from radsafe_bench.detecting.items import Section

POLICY: Final = "policy"
CONFIDENCE: Final = "confidence"
FUSION: Final = "fusion"
_SPOKEN: Final = frozenset({Verdict.CONTRADICTED, Verdict.SUPPORTED, Verdict.NOT_ADDRESSED})
_LIKELY: Final = 0.5
"""P(wrong) from which a probability counts as a flag."""


class Said(NamedTuple):
    """What a detector says of an item: `score` rises with suspicion, None where it gives none.

    `calibrated`: the score is a calibrated P(wrong).
    """

    flagged: bool
    available: bool
    score: float | None
    calibrated: bool = False


@dataclass(frozen=True, slots=True)
class Detector:
    """`checks` are those whose time it takes. `fitted`: its score is 1 − P(correct) of a calibration."""

    name: str
    checks: tuple[str, ...]
    says: Callable[[Examined], Said]
    fitted: bool = False


def detectors_of(
    examined: Sequence[Examined], policy: Policy, section: Section, asked: Iterable[str] = ()
) -> tuple[Detector, ...]:
    """Return the detectors asked for, or all there are: checks, all of them together, policy, fitted ones.

    The confidence and the fused risk judge answers that a model gave, so neither pairs nor options.
    Raises ConfigurationError for one that is not there.
    """
    judging = tuple(
        dict.fromkeys(name for one in examined for name, read in one.reads.items() if read.verdict in _SPOKEN)
    )
    every = tuple(examined[0].reads) if examined else ()
    names = list(judging)
    if len(judging) > 1:
        names.append("+".join(judging))
    if contradiction_rules(policy):
        names.append(POLICY)
    if section is Section.ANSWERS:
        names += [CONFIDENCE] if any(one.assessment.confidence.raw is not None for one in examined) else []
        names += [FUSION] if any(one.assessment.risk for one in examined) else []
    return tuple(named_detector(name, judging, every, policy, names) for name in (asked or names))


def named_detector(
    name: str, judging: Sequence[str], every: Sequence[str], policy: Policy, known: Sequence[str] = ()
) -> Detector:
    """Return a detector by name: `slots`, `slots+nli`, `policy`, `confidence`, `fusion`."""
    if name == POLICY and contradiction_rules(policy):
        rulings = [Ruling(rule) for rule in contradiction_rules(policy)]
        return Detector(name, tuple(judging), partial(_by_policy, rulings))
    if name == CONFIDENCE and name in known:
        return Detector(name, (CONFIDENCE,), _by_confidence, fitted=True)
    if name == FUSION and name in known:
        return Detector(name, tuple(every), _by_risk, fitted=True)
    parts = tuple(name.split("+"))
    if not set(parts) <= set(judging):
        raise ConfigurationError(
            f"there is no detector '{name}' here; there are {', '.join(known) or 'none'}, and checks joined "
            "by +"
        )
    return Detector(name, parts, partial(_by_checks, parts))


def contradiction_rules(policy: Policy) -> tuple[Rule, ...]:
    """Return the rules of a policy that read what the evidence says against an answer."""
    return tuple(
        rule
        for rule in policy.rules
        if any(
            signal == "claims.contradicted" or signal.rpartition(".")[2] == CONTRADICTION
            for signal in rule.when
        )
    )


def _by_checks(names: Sequence[str], one: Examined) -> Said:
    """Flag what any of the checks says is contradicted."""
    reads = [one.reads[name] for name in names if name in one.reads]
    said = [read for read in reads if read.verdict in _SPOKEN]
    scores = [read.score for read in said if read.score is not None]
    flagged = any(read.verdict is Verdict.CONTRADICTED for read in said)
    return Said(flagged, bool(said), max(scores, default=None))


def _by_policy(rulings: Sequence[Ruling], one: Examined) -> Said:
    """Flag what a contradiction rule of the policy matches, missing signals by the rule's own word."""
    flagged = any(ruling.matches(one.assessment.signals) for ruling in rulings)
    return Said(flagged, one.assessment.p_contradicted is not None, one.assessment.p_contradicted)


def _by_confidence(one: Examined) -> Said:
    confidence = one.assessment.confidence
    best = confidence.raw if confidence.calibrated is None else confidence.calibrated
    return _by_probability(None if best is None else 1 - best, calibrated=confidence.calibrated is not None)


def _by_risk(one: Examined) -> Said:
    known = one.assessment.risk is not None
    return _by_probability(one.assessment.p_wrong if known else None, calibrated=known)


def _by_probability(p_wrong: float | None, *, calibrated: bool) -> Said:
    return Said(p_wrong is not None and p_wrong >= _LIKELY, p_wrong is not None, p_wrong, calibrated)
