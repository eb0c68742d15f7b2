"""The model calls that checks make beside the answer: recorded by content, so that replay asks nobody.

`runs/NAME/calls.jsonl` has one line per call: `{key, check, whom, at, fingerprint, problem}` with `logprobs`
(of labels) or `content` (of a drawn answer); `problem` is null, or one that asking again would not mend.
Lines are appended only; of two with the same key the later one counts. A run without the file holds no
such calls.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from gatekeeper.auxiliary import Auxiliary, DrawCall, Drawn, LabelCall, Problem, Reading, Whom
from gatekeeper.errors import ConfigurationError, ReplayMiss
from gatekeeper.gate import Bundle
from gatekeeper.policy.model import ASKING
from radsafe_bench.recording import RecordLog

CALLS: Final = "calls.jsonl"
PATIENCE: Final = 3600.0
"""Seconds that recording waits for a call, whatever the policy's deadline: slowness decides nothing."""

_T = TypeVar("_T", Reading, Drawn)

Calls = Mapping[str, Reading | Drawn]
"""What came of every recorded call, by its key."""


def asks_a_model(bundle: Bundle) -> bool:
    """Whether a policy's checks may ask a model."""
    return any(getattr(bundle.policy.checks, name).asks for name in ASKING)


def load_calls(path: Path) -> dict[str, Reading | Drawn]:
    """Read a file of calls, none where there is no file; ConfigurationError naming a line that is none.

    A last line without its newline is one that an interrupt cut off, so it does not count.
    """
    return {line["key"]: outcome for line, outcome in _lines(path)}


def calls_of(path: Path, judge: str) -> dict[str, Reading | Drawn]:
    """Return those of a file's calls that need not be made again when `judge` is the judging model.

    What ended in a problem is left out, for the server may have been set right, and so are the opinions
    of another judge.
    """
    return {
        line["key"]: outcome
        for line, outcome in _lines(path)
        if not outcome.problem and (line["whom"] != Whom.JUDGE or outcome.fingerprint == judge)
    }


def _lines(path: Path) -> Iterator[tuple[Mapping[str, Any], Reading | Drawn]]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, data in enumerate(file, start=1):
            if data.endswith(b"\n"):
                try:
                    line = orjson.loads(data)
                    yield {"key": line["key"], "whom": Whom(line["whom"])}, _outcome(line)
                except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                    raise ConfigurationError(f"{path} line {number}: is no recorded call") from None


def _outcome(line: Mapping[str, Any]) -> Reading | Drawn:
    problem = Problem(line["problem"]) if line.get("problem") else None
    fingerprint = line.get("fingerprint")
    if "content" in line:
        return Drawn(str(line["content"]), problem, fingerprint)
    return Reading(tuple(map(float, line["logprobs"])), problem, fingerprint)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An Auxiliary that knows what was recorded and raises ReplayMiss for anything else."""

    calls: Calls

    async def label(self, calls: Sequence[LabelCall], within_s: float) -> list[Reading]:
        """Return the recorded readings."""
        return [_found(self.calls, call, Reading) for call in calls]

    async def draw(self, calls: Sequence[DrawCall], within_s: float) -> list[Drawn]:
        """Return the recorded answers."""
        return [_found(self.calls, call, Drawn) for call in calls]


@dataclass(slots=True)
class Recording:
    """An Auxiliary that asks another for what is not known yet, and records what comes.

    A problem that asking again may mend is counted in `missing` and not recorded. `served` names the
    model that answered the run: ConfigurationError where another speaks in its place.
    """

    model: Auxiliary
    log: RecordLog
    known: dict[str, Reading | Drawn]
    served: str
    new: int = 0
    missing: int = 0

    async def label(self, calls: Sequence[LabelCall], within_s: float) -> list[Reading]:
        """Answer label calls, from the record where it holds them."""
        wanted = [call for call in calls if call.key not in self.known]
        for call, reading in zip(wanted, await self.model.label(wanted, PATIENCE), strict=True):
            self._keep(call, reading, {"logprobs": reading.logprobs})
        return [_kept(self.known, call, Reading(problem=Problem.ERROR)) for call in calls]

    async def draw(self, calls: Sequence[DrawCall], within_s: float) -> list[Drawn]:
        """Draw answers, from the record where it holds them."""
        wanted = [call for call in calls if call.key not in self.known]
        for call, drawn in zip(wanted, await self.model.draw(wanted, PATIENCE), strict=True):
            self._keep(call, drawn, {"content": drawn.content})
        return [_kept(self.known, call, Drawn(problem=Problem.ERROR)) for call in calls]

    def _keep(self, call: LabelCall | DrawCall, outcome: Reading | Drawn, said: Mapping[str, Any]) -> None:
        if outcome.problem is not None and not outcome.problem.lasting:
            self.missing += 1
            return
        whom = Whom.SERVED if isinstance(call, DrawCall) else call.whom
        if whom is Whom.SERVED and outcome.fingerprint not in {None, self.served}:
            raise ConfigurationError(
                f"the run was recorded from {self.served}, but {outcome.fingerprint} answered: ask the "
                "recorded model, with the --fingerprint that it was recorded with"
            )
        self.known[call.key] = outcome
        self.new += 1
        entry = {
            "key": call.key,
            "check": call.check,
            "whom": whom,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "fingerprint": outcome.fingerprint,
            "problem": outcome.problem,
        }
        self.log.append({**entry, **said})


def _found(calls: Calls, call: LabelCall | DrawCall, kind: type[_T]) -> _T:
    outcome = calls.get(call.key)
    if not isinstance(outcome, kind):
        raise ReplayMiss(
            f"the check '{call.check}' needs the model call {call.key}, which the run does not hold: record "
            "it with `radsafe-bench consult`, by the policy and calibration that are judged"
        )
    return outcome


def _kept(calls: Calls, call: LabelCall | DrawCall, otherwise: _T) -> _T:
    outcome = calls.get(call.key, otherwise)
    return outcome if isinstance(outcome, type(otherwise)) else otherwise
