"""`radsafe-bench gate`."""

import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import orjson
from rich.console import Console

from gatekeeper.bundle import load_bundle
from gatekeeper.certificate import OpenedCertificate, load_trusted_keys, open_certificate
from gatekeeper.errors import ConfigurationError, GatekeeperError
from gatekeeper.gate import Bundle
from radsafe_bench.gate.criteria import Result
from radsafe_bench.gate.live import record_live
from radsafe_bench.gate.looks import LOOKS, Looks, look, looks_so_far
from radsafe_bench.gate.replay import load_recording
from radsafe_bench.gate.reporting import print_table, to_json, to_junit, to_markdown
from radsafe_bench.gate.trial import Trial, conclude, criteria_of, trial_of
from radsafe_bench.gate.verdict import EXIT_STATUS, Verdict, harness_error
from radsafe_bench.suites import SUITE_NAME, Suite, load_suite

F = TypeVar("F", bound=Callable[..., Any])

HARNESS_ERROR: Final = EXIT_STATUS[Result.ERROR]
CHANGED: Final = 1
_NOT_COMPARED: Final = ("code", "version", "records")
"""Other code may judge alike, and a deterministic model that is recorded anew answers alike."""
_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


class Misused(click.UsageError):
    """A wrong command line: click's own status, 2, would read as an inconclusive verdict."""

    exit_code = HARNESS_ERROR


class StatusCommand(click.Command):
    """A command whose exit status is its result: a wrong command line or file ends with 3."""

    def make_context(self, *args: Any, **rest: Any) -> click.Context:
        """Parse the command line."""
        try:
            return super().make_context(*args, **rest)
        except click.UsageError as error:
            raise Misused(error.format_message(), error.ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a file that cannot be written is no result."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            raise ConfigurationError(f"{error.filename}: {error.strerror}") from error


def candidate_options(command: F) -> F:
    """Add the options that name a candidate: policy, run, suite, calibration, baseline, looks."""
    for option in reversed(_CANDIDATE):
        command = option(command)
    return command


_CANDIDATE = (
    click.option("--policy", type=_FILE, required=True, help="Policy with a `gate:` section."),
    click.option("--run", "folder", type=_FOLDER, required=True, metavar="runs/NAME", help="Recorded model."),
    click.option("--suite", default=SUITE_NAME, show_default=True, help="Name or directory."),
    click.option("--calibration", type=_FILE, multiple=True, help="Calibration artefact; may be repeated."),
    click.option("--baseline", type=_FILE, help="Certificate of the policy that serves now."),
    click.option("--trusted-keys", type=_FILE, help="Keys that the baseline may be signed with."),
    click.option("--looks", type=_FILE, help="File of looks; looks.jsonl beside the records unless given."),
)


@click.command(
    "gate",
    cls=StatusCommand,
    epilog="Exit status: 0 pass, 1 fail, 2 inconclusive, 3 nothing could be judged.",
)
@candidate_options
@click.option("--live", metavar="URL", help="Put the suite to a serving gate, recording it into --run.")
@click.option("--api-key", envvar="RADSAFE_BENCH_API_KEY", help="Key for the serving gate.", show_envvar=True)
@click.option("--out", type=_FOLDER, help="Write verdict.json, junit.xml and report.md here.")
@click.option(
    "--check", type=_FILE, help="A verdict.json: exit 0 if the verdict is still the same, 1 if not."
)
@click.pass_context
def gate_command(ctx: click.Context, /, check: Path | None, out: Path | None, **given: Any) -> None:
    """Judge a policy on a recorded model by the criteria that the policy states.

    Nothing is asked of a model: the recorded answers pass through the very code that serves.
    """
    recorded = _recorded(check) if check else None
    verdict = judged(given, recorded)
    if out is not None:
        write_reports(verdict, out)
    print_table(verdict, Console())
    if check is None or recorded is None or verdict.result is Result.ERROR:
        ctx.exit(verdict.exit_status)
    ctx.exit(_compare(check, recorded, verdict))


def judged(given: Mapping[str, Any], recorded: Mapping[str, Any] | None = None) -> Verdict:
    """Return the verdict on what the options name; whatever goes wrong is a verdict of its own.

    It is a look, unless it is the verdict on the very candidate that `recorded` is on.
    """
    try:
        trial = trial_from(given)
        known = recorded is not None and _same_candidate(recorded, trial)
        return conclude(trial, _looks(given, trial, new_look=not known))
    except GatekeeperError as error:
        return harness_error(error.message)
    except Exception as error:  # a crash exits with 1, which would read as a failed policy
        click.echo(traceback.format_exc(), err=True)
        return harness_error(f"{type(error).__name__} in the gate itself; this is a defect, please report it")


def trial_from(given: Mapping[str, Any]) -> Trial:
    """Read and replay what the options name; raises the tree's errors."""
    bundle = load_bundle(given["policy"], given["calibration"])
    suite = load_suite(given["suite"])
    if given.get("live"):
        _record(bundle, suite, given)
    return trial_of(bundle, load_recording(given["folder"]), suite, _baseline(given))


def write_reports(verdict: Verdict, out: Path) -> None:
    """Write the verdict as JSON, JUnit and Markdown."""
    out.mkdir(parents=True, exist_ok=True)
    pretty = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    (out / "verdict.json").write_bytes(orjson.dumps(to_json(verdict), option=pretty))
    (out / "junit.xml").write_bytes(to_junit(verdict))
    (out / "report.md").write_text(to_markdown(verdict), encoding="utf-8")


def _record(bundle: Bundle, suite: Suite, given: Mapping[str, Any]) -> None:
    result = record_live(given["live"], given["folder"], suite, criteria_of(bundle), given["api_key"])
    if result.missing or result.interrupted:
        raise ConfigurationError(f"{result.missing} answers are missing; give the same command again")


def _baseline(given: Mapping[str, Any]) -> OpenedCertificate | None:
    if given["baseline"] is None:
        return None
    if given["trusted_keys"] is None:
        raise ConfigurationError("--baseline needs --trusted-keys: an unsigned baseline proves nothing")
    return open_certificate(given["baseline"], load_trusted_keys(given["trusted_keys"]))


def _looks(given: Mapping[str, Any], trial: Trial, *, new_look: bool) -> Looks:
    path = given["looks"] or given["folder"] / LOOKS
    return look(path, trial.candidate, datetime.now(UTC)) if new_look else looks_so_far(path)


def _recorded(path: Path) -> dict[str, Any]:
    try:
        recorded = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        recorded = None
    if not isinstance(recorded, dict) or not isinstance(recorded.get("basis"), dict):
        raise ConfigurationError(f"{path}: is no recorded verdict")
    return recorded


def _same_candidate(recorded: Mapping[str, Any], trial: Trial) -> bool:
    """Whether a recorded verdict is on a trial's policy, criteria, calibration, suite and baseline."""
    basis = recorded["basis"]
    before = {name: basis.get(name) for name in ("criteria", "calibration", "baseline", "source")}
    named = {name: (basis.get(name) or {}).get("digest") for name in ("policy", "suite")}
    return trial.candidate.items() >= {**before, **named}.items()


def _compare(path: Path, recorded: Mapping[str, Any], verdict: Verdict) -> int:
    """Return 0 where a recorded verdict is what was found now, looks and code version aside."""
    before, now = _comparable(recorded), _comparable(to_json(verdict))
    changed = [name for name in now if before.get(name) != now[name]]
    if not changed:
        click.echo(f"{path}: the verdict is as recorded, {verdict.result.value}")
        return 0
    click.echo(f"{path}: changed in {', '.join(changed)}; record it anew with --out", err=True)
    return CHANGED


def _comparable(report: Mapping[str, Any]) -> dict[str, Any]:
    basis = report.get("basis") or {}
    kept = {name: value for name, value in basis.items() if name not in _NOT_COMPARED}
    return {**{name: value for name, value in report.items() if name != "looks"}, "basis": kept}
