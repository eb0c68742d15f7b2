"""A policy on recorded answers, by the very code that serves: no model, no clock, no label of the suite.

What a recording does not hold is never made up. A policy that changes the prompt, or a check that needs
a model call which was not recorded (`auxiliary`), is a ReplayMiss. A second answer is never recorded, so
a `regenerate` sees the same answer again and ends as the policy's `regenerate.then`.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain, repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Final, cast

import orjson

from gatekeeper.assessment import Action, Finding, SignalValue, Subject
from gatekeeper.auxiliary import Auxiliary
from gatekeeper.backends.base import Backend
from gatekeeper.checks.base import Check
from gatekeeper.errors import ConfigurationError, GatekeeperError, ReplayMiss
from gatekeeper.exchange import Case, Completion, JsonObject
from gatekeeper.gate import Bundle, Gate
from gatekeeper.monitoring.risk.drift import cells_of
from gatekeeper.wire.completion import parse_chat_completion
from gatekeeper.wire.request import parse_chat
from radsafe_bench.gate.auxiliary import CALLS, Calls, Recorded, asks_a_model, load_calls
from radsafe_bench.recording import RecordingError
from radsafe_bench.records import MAIN, RECORDS, Record, Run, load_manifest, read_records

_A_DAY: Final = 86_400.0
"""Seconds that a check may take in replay: how fast this machine is decides nothing."""

_SMALL: Final = 5_000_000
"""Bytes of requests that are read in less time than other processes take to start."""

_SLICE: Final = 50
"""Records that go to a process at a time."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What the gate did with one recorded answer.

    `action` is None where there is no answer to decide on: the request failed, or no completion came
    back. `p_correct` is the calibrated probability in [0, 1], None without calibration. `cells` are those
    that drift counts the answer in. `hidden` marks answers of which only the decision is known, since a
    serving gate held them.
    """

    question: str
    condition: str
    letter: str | None
    action: Action | None
    rules: tuple[str, ...] = ()
    p_correct: float | None = None
    signals: Mapping[str, SignalValue] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)
    hidden: bool = False


def replay(run: Run, bundle: Bundle, in_pass: str = MAIN) -> tuple[Decided, ...]:
    """Judge the greedy answers of a run's pass, in the order of its records.

    Raises ReplayMiss where the policy needs a model call that the run does not hold, and
    ConfigurationError where a question was answered twice under one condition.
    """
    records, patient = greedy_records(run, in_pass), given_time(bundle)
    calls = load_calls(run.path / CALLS) if asks_a_model(bundle) else {}
    if sum(len(orjson.dumps(record.request)) for record in records) < _SMALL:
        return _decide_all(records, patient, calls)
    slices = [records[start : start + _SLICE] for start in range(0, len(records), _SLICE)]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return tuple(chain.from_iterable(pool.map(_decide_all, slices, repeat(patient), repeat(calls))))


def load_recording(folder: Path) -> Run:
    """Read a run directory without its samples, which are most of it and which no gate judges.

    Raises ConfigurationError where it is none or a line is malformed.
    """
    greedy = tuple(record for record in read_records(folder / RECORDS) if record.is_greedy)
    return Run(folder, load_manifest(folder), greedy)


def greedy_records(run: Run, in_pass: str = MAIN) -> tuple[Record, ...]:
    """Return the greedy records of a pass; ConfigurationError where one question has two."""
    records = tuple(record for record in run.records if record.is_greedy and record.in_pass == in_pass)
    places = Counter((record.question, record.condition) for record in records)
    for (question, condition), count in places.items():
        if count > 1:
            raise ConfigurationError(
                f"{run.path}: question {question} has {count} greedy answers under {condition}; a run that "
                "was recorded with other settings in between cannot be judged"
            )
    return records


def fingerprint_of(run: Run) -> str:
    """Return the fingerprint of the model that answered; ConfigurationError where it is none or several."""
    found = sorted({record.fingerprint or "" for record in run.records if record.response is not None})
    if len(found) != 1 or not found[0]:
        raise ConfigurationError(
            f"{run.path}: answers come from {len(found)} models ({', '.join(found) or 'no answer at all'}); "
            "a gate judges one model with a fingerprint"
        )
    return found[0]


def _decide_all(records: Sequence[Record], bundle: Bundle, calls: Calls) -> tuple[Decided, ...]:
    async def decide() -> tuple[Decided, ...]:
        return tuple([await decide_record(record, bundle, Recorded(calls)) for record in records])

    return asyncio.run(decide())


async def decide_record(record: Record, bundle: Bundle, auxiliary: Auxiliary) -> Decided:
    """Judge one recorded answer; `auxiliary` answers the calls that checks make beside it.

    Raises ReplayMiss where something is needed that is not there.
    """
    unanswered = Decided(record.question, record.condition, None, None)
    if record.response is None:
        return unanswered
    misses: list[GatekeeperError] = []
    watched = replace(
        bundle,
        checks=tuple(_Watched(check, misses) for check in bundle.checks),
        in_doubt=_Watched(bundle.in_doubt, misses) if bundle.in_doubt else None,
    )
    try:
        completion = parse_chat_completion(record.response, fingerprint=record.fingerprint)
        backend = _Recorded(record.request, completion)
        gate = Gate(cast(Backend, backend), watched, auxiliary, today=lambda: day_of(record))
        outcome = await gate.answer(parse_chat(record.request), record.key)
    except (ReplayMiss, ConfigurationError):
        raise
    except GatekeeperError:
        return unanswered
    if misses:
        raise misses[0]
    judgement = max(outcome.judgements, key=lambda judged: judged.decision.action.severity)
    return Decided(
        question=record.question,
        condition=record.condition,
        letter=record.letter,
        action=outcome.action,
        rules=tuple(reason.rule for reason in judgement.decision.reasons),
        p_correct=judgement.assessment.confidence.calibrated,
        signals=judgement.assessment.signals,
        cells=cells_of(judgement, tuple(bundle.policy.checks.triage.topics)),
    )


class _Recorded:
    """Stands in for the backend: gives the recorded answer to the recorded prompt, again when asked again."""

    def __init__(self, request: JsonObject, completion: Completion) -> None:
        self._request = request
        self._completion = completion
        self._asked = False

    async def complete(self, case: Case) -> Completion:
        if not self._asked and case.conversation.body != self._request:
            raise ReplayMiss(
                "the policy adds to the prompt (prompt.instruction or evidence.inject), and the run was "
                "recorded without that: serve the policy, and record with `radsafe-bench gate --live URL`"
            )
        self._asked = True
        return self._completion


@dataclass(frozen=True, slots=True)
class _Watched:
    """Keeps what must stop a replay, or a recording, and what the gate takes for a check that failed."""

    check: Check
    misses: list[GatekeeperError]

    @property
    def name(self) -> str:
        return self.check.name

    @property
    def inline(self) -> bool:
        return self.check.inline

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        try:
            return await self.check(subject)
        except (ReplayMiss, RecordingError, ConfigurationError) as miss:
            self.misses.append(miss)
            raise


def given_time(bundle: Bundle) -> Bundle:
    """Return the bundle with a day for every check, its digest as it was."""
    checks = bundle.policy.checks
    given = {
        name: getattr(checks, name).model_copy(update={"timeout_s": _A_DAY})
        for name in type(checks).model_fields
    }
    policy = bundle.policy.model_copy(update={"checks": checks.model_copy(update=given)})
    return replace(bundle, loaded=replace(bundle.loaded, policy=policy))


def day_of(record: Record) -> date:
    """Return the day of the recording, so that evidence expires then or never."""
    try:
        return date.fromisoformat(record.at[:10])
    except ValueError:
        raise ConfigurationError(f"record {record.key} does not say when it was made") from None
