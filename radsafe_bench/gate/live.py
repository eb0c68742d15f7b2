"""A gate that serves, judged by its own decisions: what it delivered, and what it held unseen."""

import asyncio
from pathlib import Path
from typing import Any, Final

from gatekeeper.assessment import Action
from gatekeeper.errors import ConfigurationError
from gatekeeper.policy.criteria import GateCriteria
from radsafe_bench.conditions import Condition
from radsafe_bench.gate.replay import Decided, greedy_records
from radsafe_bench.records import Record, Run
from radsafe_bench.runner import Pacing, RunOptions, RunResult, Sampling
from radsafe_bench.runner import Run as Session
from radsafe_bench.suites import Suite
from radsafe_bench.targets import EndpointTarget

_CALLS: Final = 16


def is_gated(run: Run) -> bool:
    """Whether a gatekeeper stood before the model when the run was recorded."""
    return run.manifest.body.get("gate") is not None


def record_live(url: str, out: Path, suite: Suite, criteria: GateCriteria, api_key: str | None) -> RunResult:
    """Put the suite to a serving gate, under the conditions in scope, and record what it delivers.

    Raises ConfigurationError where it was stopped, and the errors of a run.
    """
    options = RunOptions(
        out=out,
        conditions=tuple(Condition(name) for name in criteria.scope),
        sampling=Sampling(samples=0),
    )
    target = EndpointTarget(url, api_key=api_key)
    session = Session(options, suite, suite.questions, target, Pacing(_CALLS))
    try:
        return asyncio.run(session.execute())
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise ConfigurationError("stopped; give the same command again to go on") from None


def gated_decisions(run: Run, policy: str, in_pass: str) -> tuple[Decided, ...]:
    """Read a serving gate's decisions from its responses.

    Raises ConfigurationError where it did not decide by the policy with the digest `policy`.
    """
    return tuple(_decided(record, policy) for record in greedy_records(run, in_pass))


def _decided(record: Record, policy: str) -> Decided:
    if record.response is None:
        return Decided(record.question, record.condition, None, None)
    try:
        said: dict[str, Any] = record.response["gatekeeper"]
        served, action = said["policy"]["digest"], Action(said["action"])
        calibrated = said["assessment"]["confidence"]["calibrated"]
    except (KeyError, TypeError, ValueError):
        raise ConfigurationError(f"record {record.key}: no gatekeeper says what it decided") from None
    if served != policy:
        raise ConfigurationError(f"the serving gate decides by policy {served}, not by {policy}")
    return Decided(
        question=record.question,
        condition=record.condition,
        letter=record.letter,
        action=action,
        p_correct=calibrated,
        hidden=action.holds,
    )
