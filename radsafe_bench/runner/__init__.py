"""Running a suite against a target: what to ask, how fast, what to record, how to go on later."""

from radsafe_bench.runner.execution import Execution, RunAborted
from radsafe_bench.runner.manifest import CannotResume
from radsafe_bench.runner.options import RunOptions, RunResult
from radsafe_bench.runner.pacing import Pacing
from radsafe_bench.runner.run import Run
from radsafe_bench.runner.sampling import ANSWER_TOKENS, REASONING_TOKENS, Sampling

__all__ = [
    "ANSWER_TOKENS",
    "REASONING_TOKENS",
    "CannotResume",
    "Execution",
    "Pacing",
    "Run",
    "RunAborted",
    "RunOptions",
    "RunResult",
    "Sampling",
]
