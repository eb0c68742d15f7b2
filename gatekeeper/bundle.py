"""Making a Bundle: a policy file, the checks it enables and the calibrations, read as one."""

from collections.abc import Sequence
from pathlib import Path

from gatekeeper.calibration import Calibrations, load_calibration
from gatekeeper.checks import Confidence, Hedging, Slots, Triage
from gatekeeper.checks.base import Check
from gatekeeper.checks.judge import Judge
from gatekeeper.checks.options import Options
from gatekeeper.checks.samples import Samples
from gatekeeper.gate import Bundle
from gatekeeper.policy import LoadedPolicy, Policy, load_policy


def load_bundle(policy: Path, calibrations: Sequence[Path] = ()) -> Bundle:
    """Read everything that decisions depend on; raise PolicyError or CalibrationError."""
    return bundle_of(load_policy(policy), Calibrations(load_calibration(path) for path in calibrations))


def bundle_of(loaded: LoadedPolicy, calibrations: Calibrations | None = None) -> Bundle:
    """Return the bundle of a policy that was read already."""
    policy = loaded.policy
    in_doubt = Samples(policy) if policy.checks.samples.enabled else None
    return Bundle(loaded, checks_of(policy), calibrations or Calibrations(), in_doubt=in_doubt)


def checks_of(policy: Policy) -> tuple[Check, ...]:
    """Return the checks that a policy enables for every answer."""
    settings = policy.checks
    available: tuple[Check, ...] = (
        Slots(),
        Confidence(),
        Hedging(),
        Triage(settings.triage.topics),
        Judge(settings.judge),
        Options(settings.options),
    )
    return tuple(check for check in available if policy.checks.enabled(check.name))
