"""Recording the model calls that a policy's checks make on answers that were recorded before."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gatekeeper.auxiliary import Auxiliary
from gatekeeper.gate import Bundle
from radsafe_bench.gate.auxiliary import CALLS, Recording, calls_of
from radsafe_bench.gate.replay import decide_record, fingerprint_of, given_time, greedy_records
from radsafe_bench.recording import RecordLog
from radsafe_bench.records import MAIN, REPEAT, Record, Run


@dataclass(frozen=True, slots=True)
class Consultation:
    """How many calls were recorded now, and how many are still missing because they failed."""

    new: int
    missing: int


async def consult(
    run: Run,
    bundle: Bundle,
    model: Auxiliary,
    *,
    judge: str | None = None,
    conditions: Collection[str] = (),
    at_once: int = 8,
) -> Consultation:
    """Judge a run's greedy answers, asking `model` for what `calls.jsonl` does not hold and adding it there.

    `judge` is the fingerprint of the judging model, by default the recorded model's: opinions of another
    are asked for anew. `conditions` limits it to some, by default it is all. Interrupt it and call it
    again at will. Raises ConfigurationError where another model answers than the one that was recorded,
    RecordingError where nothing can be written.
    """
    records = [
        record
        for in_pass in (MAIN, REPEAT)
        for record in greedy_records(run, in_pass)
        if not conditions or record.condition in conditions
    ]
    with RecordLog(run.path / CALLS) as log:
        served = fingerprint_of(run)
        recording = Recording(model, log, calls_of(run.path / CALLS, judge or served), served)
        await _decide_all(records, given_time(bundle), recording, at_once)
    return Consultation(recording.new, recording.missing)


async def _decide_all(records: Sequence[Record], bundle: Bundle, recording: Recording, at_once: int) -> None:
    queue = iter(records)

    async def work() -> None:
        for record in queue:
            await decide_record(record, bundle, recording)

    workers = [asyncio.create_task(work()) for _ in range(at_once)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
