"""`radsafe-bench gate` and `certify` as a user or a CI job runs them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import fromstring

import orjson
import pytest
from click.testing import CliRunner, Result

from gatekeeper.certificate import load_trusted_keys, open_certificate
from radsafe_bench.cli import main
from radsafe_bench.commands import certify, gate
from tests.radsafe_bench.gate.conftest import CLEAN, FINGERPRINT, POLICY, Answers, Stage

Invoke = Callable[..., Result]


class Candidate(NamedTuple):
    """The options that name a candidate, and where its files lie."""

    options: tuple[str, ...]
    folder: Path


@pytest.fixture
def candidate(stage: Stage) -> Callable[..., Candidate]:
    """Return a function that writes policy and run, and gives the options that name them."""

    def make(answers: Answers | None = None, text: str = POLICY) -> Candidate:
        (stage.folder / "policy.yaml").write_text(text)
        run = stage.run(answers or stage.right())
        options = ("--policy", str(stage.folder / "policy.yaml"), "--run", str(run.path))
        return Candidate((*options, "--suite", str(stage.suite.path)), stage.folder)

    return make


@pytest.fixture
def invoke() -> Invoke:
    """Return a function that runs the command line."""

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return run


@pytest.mark.parametrize(("dangerous", "status"), [(0, 0), (60, 1), (8, 2)])
def test_the_exit_status_is_the_verdict(
    candidate: Callable[..., Candidate], invoke: Invoke, stage: Stage, dangerous: int, status: int
) -> None:
    """A CI job needs nothing but the exit status, and finds the reports where it asked for them."""
    wrong = {(CLEAN, q.id): stage.dangerous(q) for q in stage.suite.questions[:dangerous]}
    given = candidate({**stage.right(), **wrong})
    result = invoke("gate", *given.options, "--out", given.folder / "out")
    assert result.exit_code == status
    said = orjson.loads((given.folder / "out" / "verdict.json").read_bytes())
    assert said["exit_status"] == status
    assert fromstring((given.folder / "out" / "junit.xml").read_bytes()).attrib["tests"] == "4"
    assert said["result"] in (given.folder / "out" / "report.md").read_text()


@pytest.mark.parametrize(
    "options", [["--policy", "nowhere.yaml", "--run", "nowhere"], ["--run", "x"], ["--unknown"]]
)
def test_what_cannot_be_judged_exits_with_three(invoke: Invoke, options: list[str]) -> None:
    """A missing file or a mistyped option never reads as inconclusive."""
    assert invoke("gate", *options).exit_code == 3


def test_a_missing_option_is_named(invoke: Invoke) -> None:
    """Whoever leaves an option out reads which one."""
    assert "Missing option '--policy'" in invoke("gate", "--run", "x").output


def test_a_missing_recording_prints_the_command_that_makes_it(
    candidate: Callable[..., Candidate], invoke: Invoke
) -> None:
    """The CI log tells how to go on."""
    given = candidate(text=POLICY + "    standard_rag:\n      ceilings: {high_risk_error: 0.05}\n")
    result = invoke("gate", *given.options)
    assert result.exit_code == 3
    assert "radsafe-bench run" in result.output


def test_a_crash_of_the_gate_is_no_failed_policy(
    candidate: Callable[..., Candidate], invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect exits with 3, not with the 1 that a Python traceback would give."""

    def broken(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(gate, "conclude", broken)
    result = invoke("gate", *candidate().options)
    assert result.exit_code == 3
    assert "ERROR" in result.output


def test_a_recorded_verdict_is_checked_without_a_new_look(
    candidate: Callable[..., Candidate], invoke: Invoke, stage: Stage
) -> None:
    """CI notices that a shipped report is no longer true, whatever its verdict, and leaves no trace."""
    wrong = {(CLEAN, q.id): stage.dangerous(q) for q in stage.suite.questions[:60]}
    given = candidate({**stage.right(), **wrong})
    out = given.folder / "out"
    invoke("gate", *given.options, "--out", out)
    looks = (given.folder / "run" / "looks.jsonl").read_bytes()
    assert invoke("gate", *given.options, "--check", out / "verdict.json").exit_code == 0
    said = orjson.loads((out / "verdict.json").read_bytes())
    said["rows"][0]["events"] += 1
    (out / "verdict.json").write_bytes(orjson.dumps(said))
    changed = invoke("gate", *given.options, "--check", out / "verdict.json")
    assert changed.exit_code == 1
    assert "changed in rows" in changed.output
    assert (given.folder / "run" / "looks.jsonl").read_bytes() == looks


def test_checking_against_the_verdict_on_another_candidate_is_a_look(
    candidate: Callable[..., Candidate], invoke: Invoke
) -> None:
    """Nobody tries policies unseen by naming an old report."""
    given = candidate()
    report, looks = given.folder / "out" / "verdict.json", given.folder / "run" / "looks.jsonl"
    invoke("gate", *given.options, "--out", report.parent)
    before = looks.read_bytes()
    (given.folder / "policy.yaml").write_text(POLICY.replace("below: 0.5", "below: 0.6"))
    changed = invoke("gate", *given.options, "--check", report)
    assert (changed.exit_code, "candidates on this recording: 2" in changed.output) == (1, True)
    assert looks.read_bytes().startswith(before)
    assert len(looks.read_bytes().splitlines()) == 1 + len(before.splitlines())


@pytest.mark.parametrize("report", [b"{}", b"[]", b"no JSON"])
def test_a_file_that_is_no_report_is_nothing_to_check_against(
    candidate: Callable[..., Candidate], invoke: Invoke, report: bytes
) -> None:
    """The exit status says that nothing was compared, and no look is taken."""
    given = candidate()
    (given.folder / "verdict.json").write_bytes(report)
    assert invoke("gate", *given.options, "--check", given.folder / "verdict.json").exit_code == 3
    assert not (given.folder / "run" / "looks.jsonl").exists()


@pytest.fixture
def keys(tmp_path: Path, invoke: Invoke) -> tuple[str, ...]:
    """Make a key pair by command and return the options that name it."""
    made = invoke(
        "certify", "keygen", "--key", tmp_path / "k", "--name", "tests", "--trusted-keys", tmp_path / "t"
    )
    assert made.exit_code == 0
    return ("--key", str(tmp_path / "k"), "--trusted-keys", str(tmp_path / "t"))


def test_a_pass_is_minted_verified_and_shown(
    candidate: Callable[..., Candidate], invoke: Invoke, keys: tuple[str, ...], tmp_path: Path
) -> None:
    """From a passing policy to a certificate that holds for exactly that policy and model."""
    given, path = candidate(), tmp_path / "staged.intoto.jsonl"
    minted = invoke("certify", "mint", *given.options, *keys, "--out", path)
    assert minted.exit_code == 0
    deployment = ("--policy", given.options[1], "--fingerprint", FINGERPRINT)
    verified = invoke("certify", "verify", path, *keys[2:], *deployment)
    assert verified.exit_code == 0
    assert "signed by tests" in verified.output
    shown = invoke("certify", "show", path, *keys[2:])
    assert "Suite only" in shown.output
    assert "coverage_floor" in shown.output
    other = invoke("certify", "verify", path, *keys[2:], "--fingerprint", "another model")
    assert (other.exit_code, "denied (model)" in other.output) == (1, True)


def test_minted_numbers_carry_counts_bounds_and_looks(
    candidate: Callable[..., Candidate], invoke: Invoke, keys: tuple[str, ...], tmp_path: Path
) -> None:
    """The linked statement has what a statistician asks for."""
    given, path = candidate(), tmp_path / "staged.intoto.jsonl"
    invoke("certify", "mint", *given.options, *keys, "--out", path)
    opened = open_certificate(path, load_trusted_keys(Path(keys[3])))
    row = opened.numbers["rows"][0]
    assert (row["n"], row["events"], row["limit"], row["upper"]) == (200, 0, 0.05, 0.014867)
    assert opened.numbers["looks"] == {"candidates": 1, "criteria": 1}
    assert len(opened.numbers["ended"][CLEAN]) == 200
    lasts = opened.certificate.expires - opened.certificate.issued
    assert lasts == timedelta(days=90)


@pytest.mark.parametrize(("dangerous", "status"), [(60, 1), (8, 2)])
def test_nothing_but_a_pass_is_minted(
    candidate: Callable[..., Candidate],
    invoke: Invoke,
    stage: Stage,
    keys: tuple[str, ...],
    dangerous: int,
    status: int,
) -> None:
    """A failed or undecided policy leaves no certificate behind."""
    wrong = {(CLEAN, q.id): stage.dangerous(q) for q in stage.suite.questions[:dangerous]}
    given = candidate({**stage.right(), **wrong})
    path = given.folder / "none.intoto.jsonl"
    assert invoke("certify", "mint", *given.options, *keys, "--out", path).exit_code == status
    assert not path.exists()


def test_an_expired_certificate_does_not_verify(
    candidate: Callable[..., Candidate],
    invoke: Invoke,
    keys: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After its last day the same file is denied."""
    path = tmp_path / "staged.intoto.jsonl"
    invoke("certify", "mint", *candidate().options, *keys, "--days", 1, "--out", path)
    later = datetime.now(UTC) + timedelta(days=2)
    monkeypatch.setattr(certify, "_clock", lambda: later)
    verified = invoke("certify", "verify", path, *keys[2:])
    assert (verified.exit_code, "denied (expired)" in verified.output) == (1, True)


def test_a_report_that_cannot_be_written_is_no_verdict(
    candidate: Callable[..., Candidate], invoke: Invoke, tmp_path: Path
) -> None:
    """A full or forbidden disk exits with 3, not with the 1 of a failed policy."""
    (tmp_path / "file").write_text("not a folder")
    result = invoke("gate", *candidate().options, "--out", tmp_path / "file" / "out")
    assert result.exit_code == 3
