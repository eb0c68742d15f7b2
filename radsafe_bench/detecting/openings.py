"""Opening the certification questions: written down before it is done, once for what is frozen.

What looks at them, sees what it fails on, changes and looks again has trained on them. The ledger shows
how often anybody looked; it lies in the repository, chained, so that no line can be taken out unseen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from gatekeeper.audit import DecisionLog, verify
from gatekeeper.audit.log import lines_of
from gatekeeper.certificate import code_digest
from gatekeeper.errors import ConfigurationError
from gatekeeper.gate import Bundle

LEDGER: Final = Path("docs/reports/certification-openings.jsonl")
EVENT: Final = "certification_opened"


@dataclass(frozen=True, slots=True)
class Opening:
    """How often the questions were opened before: in all, and with the very same things frozen."""

    before: int
    alike: int


def frozen_in(bundle: Bundle, **data: str | None) -> dict[str, Any]:
    """Return the digests of everything that decides, and of the `data` that it is tried on.

    A check that reads a model from outside the code names it by a `digest` of its own.
    """
    policy = bundle.policy
    models = {check.name: getattr(check, "digest", None) for check in bundle.checks}
    calibrations = [bundle.calibrations.require(name).digest for name in bundle.calibrations.fingerprints]
    return {
        "code": code_digest(),
        "policy": f"{policy.name} {policy.version} {bundle.loaded.digest}",
        "calibrations": calibrations,
        "models": {name: digest for name, digest in models.items() if digest},
        **data,
    }


def open_certification(
    ledger: Path,
    frozen: Mapping[str, Any],
    command: Sequence[str],
    reason: str,
    now: datetime,
    again: str | None = None,
) -> Opening:
    """Append an opening to the ledger and say how many there were before.

    Raises ConfigurationError where the same things were opened before and `again` gives no reason,
    AuditError where the ledger cannot be written or was changed.
    """
    if not reason.strip() or (again is not None and not again.strip()):
        raise ConfigurationError("say in words why the certification questions are opened")
    earlier = _openings(ledger)
    alike = sum(one["frozen"] == dict(frozen) for one in earlier)
    if alike and again is None:
        raise ConfigurationError(
            f"{ledger}: the certification questions were opened {alike} times with exactly this code, "
            "policy, models and data; what they show is known. If it must be, give --again with the reason"
        )
    log = DecisionLog(ledger)
    try:
        log.append(
            {
                "event": EVENT,
                "at": now.isoformat(),
                "reason": reason,
                "again": again,
                "command": list(command),
                "frozen": dict(frozen),
            }
        )
    finally:
        log.close()
    return Opening(len(earlier), alike)


def _openings(ledger: Path) -> list[dict[str, Any]]:
    if not ledger.exists():
        return []
    verify(ledger)
    entries = (orjson.loads(line) for line in lines_of(ledger))
    return [entry for entry in entries if entry.get("event") == EVENT]
