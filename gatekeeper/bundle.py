"""Making a Bundle: a policy file, the checks it enables and the calibrations, read as one."""

from collections.abc import Callable, Sequence
from pathlib import Path

from gatekeeper.build import build_of
from gatekeeper.calibration import Calibrations, load_calibration
from gatekeeper.checks import Confidence, Hedging, Slots, Triage
from gatekeeper.checks.base import Check
from gatekeeper.checks.judge import Judge
from gatekeeper.checks.nli import Nli, load_reader
from gatekeeper.checks.options import Options
from gatekeeper.checks.samples import Samples
from gatekeeper.gate import Bundle
from gatekeeper.policy import LoadedPolicy, Policy, load_policy
from gatekeeper.policy.model import NliSettings


def load_bundle(policy: Path, calibrations: Sequence[Path] = ()) -> Bundle:
    """Read everything that decisions depend on; raise PolicyError or CalibrationError."""
    return bundle_of(load_policy(policy), Calibrations(load_calibration(path) for path in calibrations))


def bundle_of(loaded: LoadedPolicy, calibrations: Calibrations | None = None) -> Bundle:
    """Return the bundle of a policy that was read already.

    Raises PolicyError where a check cannot be made, ConfigurationError where a compiled module is not of the
    source beside it.
    """
    build_of()
    policy = loaded.policy
    checks = checks_of(policy, Path(loaded.source).parent)
    in_doubt = Samples(policy) if policy.checks.samples.enabled else None
    return Bundle(loaded, checks, calibrations or Calibrations(), in_doubt=in_doubt)


def checks_of(policy: Policy, folder: Path) -> tuple[Check, ...]:
    """Return the checks that a policy enables for every answer; a path in it is relative to `folder`."""
    settings = policy.checks
    makers: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("slots", Slots),
        ("nli", lambda: _nli(settings.nli, folder)),
        ("confidence", Confidence),
        ("hedging", Hedging),
        ("triage", lambda: Triage(settings.triage.topics)),
        ("judge", lambda: Judge(settings.judge)),
        ("options", lambda: Options(settings.options)),
    )
    return tuple(make() for name, make in makers if settings.enabled(name))


def _nli(settings: NliSettings, folder: Path) -> Check:
    model = None if settings.model is None else folder / settings.model
    return Nli(load_reader(model, settings.sha256), settings.statements, settings.threshold)
