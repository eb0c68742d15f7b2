"""The verdict as JSON."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from gatekeeper.certificate import LIMITS
from radsafe_bench.gate.verdict import Verdict

_DIGITS: Final = 6
"""Numbers are rounded, so that a report reads the same whatever the version of a numeric library."""


def to_json(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict as plain JSON, without the single questions."""
    whole: dict[str, Any] = orjson.loads(orjson.dumps(verdict))
    kept = {name: value for name, value in whole.items() if name not in {"ended", "seen"}}
    rounded: dict[str, Any] = _rounded({**kept, "exit_status": verdict.exit_status, "limits": LIMITS})
    return rounded


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return round(value, _DIGITS) if isinstance(value, float) else value
