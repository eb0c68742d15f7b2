"""The verdict as JSON."""

from typing import Any, Final

import orjson

from gatekeeper.certificate import LIMITS
from radsafe_bench.gate.verdict import Verdict
from radsafe_bench.rounding import rounded

_DIGITS: Final = 6


def to_json(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict as plain JSON, without the single questions."""
    whole: dict[str, Any] = orjson.loads(orjson.dumps(verdict))
    kept = {name: value for name, value in whole.items() if name not in {"ended", "seen"}}
    said: dict[str, Any] = rounded({**kept, "exit_status": verdict.exit_status, "limits": LIMITS}, _DIGITS)
    return said
