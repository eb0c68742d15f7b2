"""`radsafe-bench certify keygen | mint | verify | show`."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
import orjson
from rich.console import Console

from gatekeeper.calibration import Calibrations, load_calibration
from gatekeeper.certificate import (
    LIMITS,
    Certificate,
    Deployment,
    OpenedCertificate,
    check_certificates,
    code_digest,
    load_signing_key,
    load_trusted_keys,
    new_key,
    open_certificate,
    trusted_line,
    write_signing_key,
)
from gatekeeper.errors import CertificateError
from gatekeeper.policy import load_policy
from radsafe_bench.commands.gate import StatusCommand, candidate_options, judged, write_reports
from radsafe_bench.gate.criteria import Result
from radsafe_bench.gate.minting import mint
from radsafe_bench.gate.reporting import print_table

DENIED: Final = 1
_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)

certify_group = click.Group("certify", help="Certificates: keys, minting on a pass, verification.")


def _clock() -> datetime:
    return datetime.now(UTC)


@certify_group.command("keygen")
@click.option("--key", type=_FILE, required=True, help="Where to write the signing key; keep it secret.")
@click.option("--name", required=True, help="Who signs with it.")
@click.option("--trusted-keys", type=_FILE, help="Add the public key to this file; printed unless given.")
def keygen_command(key: Path, name: str, trusted_keys: Path | None) -> None:
    """Make a signing key, and the line that makes a deployment trust it."""
    fresh = new_key()
    write_signing_key(key, fresh)
    line = trusted_line(fresh.public_key(), name)
    if trusted_keys is None:
        click.echo(line)
        return
    with trusted_keys.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    click.echo(f"{key}: signing key of {name}; {trusted_keys} trusts it")


@certify_group.command(
    "mint", cls=StatusCommand, epilog="Exit status: 0 minted, 1 fail, 2 inconclusive, 3 nothing was judged."
)
@candidate_options
@click.option("--key", type=_FILE, required=True, help="Signing key (`certify keygen`).")
@click.option("--days", type=click.IntRange(1, 365), default=90, show_default=True, help="How long it lasts.")
@click.option("--out", type=_FILE, required=True, metavar="NAME.intoto.jsonl", help="The certificate.")
@click.option("--reports", type=_FOLDER, help="Write verdict.json, junit.xml and report.md here.")
@click.pass_context
def mint_command(
    ctx: click.Context, /, key: Path, days: int, out: Path, reports: Path | None, **given: Any
) -> None:
    """Judge a policy as `gate` does, and sign a certificate if, and only if, it passes."""
    signing_key = load_signing_key(key)
    verdict = judged(given)
    print_table(verdict, Console())
    if reports is not None:
        write_reports(verdict, reports)
    if verdict.result is not Result.PASS:
        click.echo(f"no certificate: the verdict is {verdict.result.value}", err=True)
        ctx.exit(verdict.exit_status)
    mint(verdict, signing_key, out, issued=_clock(), lasts=timedelta(days=days))
    click.echo(f"{out}: minted, valid for {days} days")


def _opened(command: Callable[..., None]) -> Callable[..., None]:
    """Add what both commands that read a certificate need."""
    command = click.option("--trusted-keys", type=_FILE, required=True)(command)
    return click.argument("certificate", type=_FILE)(command)


@certify_group.command(
    "verify", cls=StatusCommand, epilog="Exit status: 0 it holds, 1 it does not, 3 it cannot be checked."
)
@_opened
@click.option("--policy", type=_FILE, help="Policy to be deployed.")
@click.option("--fingerprint", help="Fingerprint of the model to be served.")
@click.option("--calibration", type=_FILE, multiple=True, help="Calibration to be served with.")
@click.pass_context
def verify_command(
    ctx: click.Context,
    certificate: Path,
    trusted_keys: Path,
    policy: Path | None,
    fingerprint: str | None,
    calibration: tuple[Path, ...],
) -> None:
    """Check signature, time and code, and what of a deployment is named, as `gatekeeper serve` does."""
    keys, now = load_trusted_keys(trusted_keys), _clock()
    try:
        opened = open_certificate(certificate, keys)
        check_certificates(_deployment(opened.certificate, policy, fingerprint, calibration), [opened], now)
    except CertificateError as error:
        click.echo(f"denied ({error.code}): {error.message}", err=True)
        ctx.exit(DENIED)
    expires = opened.certificate.expires.isoformat(timespec="seconds")
    click.echo(f"{certificate}: holds, signed by {opened.signer}, until {expires}")
    checked = {"policy": policy, "model": fingerprint, "calibration": calibration}
    if open_questions := [name for name, value in checked.items() if not value]:
        click.echo(f"not compared with a deployment: {', '.join(open_questions)}")


@certify_group.command("show")
@_opened
def show_command(certificate: Path, trusted_keys: Path) -> None:
    """Print what a certificate says, and what it cannot say."""
    opened = open_certificate(certificate, load_trusted_keys(trusted_keys))
    for label, text in _sentences(opened):
        click.echo(f"{label:12} {text}")
    click.echo(LIMITS)


def _deployment(
    said: Certificate, policy: Path | None, fingerprint: str | None, calibration: tuple[Path, ...]
) -> Deployment:
    """Return what is to be served; what the command line does not name is taken from the certificate."""
    model = fingerprint or said.fingerprint
    applied = Calibrations(load_calibration(path) for path in calibration).of(model)
    return Deployment(
        policy=load_policy(policy).digest if policy else said.policy.digest,
        fingerprint=model,
        calibration=(applied.digest if applied else None) if calibration else said.calibration,
        code=code_digest(),
    )


def _sentences(opened: OpenedCertificate) -> Iterator[tuple[str, str]]:
    said = opened.certificate
    yield "signed by", opened.signer
    yield "issued", said.issued.isoformat(timespec="seconds")
    yield "expires", said.expires.isoformat(timespec="seconds")
    yield "policy", f"{said.policy.name} {said.policy.version} ({said.policy.digest})"
    yield "model", said.fingerprint
    yield "calibration", said.calibration or "none"
    yield "code", f"gatekeeper {said.version} ({said.code})"
    yield "suite", f"{said.suite.name} {said.suite.version} ({said.suite.digest})"
    yield "questions", f"{said.questions} ({said.split})"
    yield "prompts", said.prompts or "not recorded"
    yield "retrieval", opened.numbers["basis"].get("retrieval") or "none"
    yield "run", said.run
    yield "criteria", said.criteria
    yield "baseline", said.baseline or "none: nothing was compared"
    for condition, criteria in said.scope.items():
        yield condition, orjson.dumps(criteria).decode()
    for row in opened.numbers["rows"]:
        name = f"{row['condition']}/{row['kind']}/{row['rate']}"
        yield "passed", f"{name}: n {row['n']}, bounds {row['lower']} to {row['upper']}, limit {row['limit']}"
    looks = opened.numbers["looks"]
    if looks:
        yield "looks", f"{looks['candidates']} candidates, {looks['criteria']} sets of criteria"
    yield "notice", said.notice
