"""`radsafe-bench run`, as a user gives it."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from gatekeeper.settings import POLICIES
from radsafe_bench.cli import main
from radsafe_bench.records import load_run
from radsafe_bench.suites import Suite
from tests.fake_upstream import hang, unless
from tests.radsafe_bench.runner.model_server import ModelServer, asks_a_question, model, storm
from tests.radsafe_bench.runner.small import make_suite
from tests.serving import Serve

BASELINE = ("--backend", "extractive")


def run(suite: Suite, out: Path, *options: str) -> Result:
    """Run the command in this process."""
    given = ["run", *options, "--suite", str(suite.path), "--out", str(out)]
    return CliRunner().invoke(main, given, catch_exceptions=False)


def started(suite: Suite, out: Path, *options: str) -> "subprocess.Popen[str]":
    """Start the command in a process of its own."""
    given = ["run", *options, "--suite", str(suite.path), "--out", str(out)]
    command = [sys.executable, "-c", "from radsafe_bench.cli import main; main()", *given]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def entries(out: Path) -> list[dict[str, Any]]:
    """Return every line of the records file."""
    return [orjson.loads(line) for line in (out / "records.jsonl").read_bytes().splitlines()]


def timeless(out: Path) -> list[dict[str, Any]]:
    """Return the records without what depends on the clock."""
    records = entries(out)
    for record in records:
        del record["at"], record["latency_s"], record["response"]["created"]
    return records


def wait_for_lines(out: Path, count: int) -> None:
    """Wait until that many records are there."""
    deadline = time.monotonic() + 30
    path = out / "records.jsonl"
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert time.monotonic() < deadline, "the run does not get on"
        time.sleep(0.005)


def test_the_baseline_runs_all_conditions_the_same_way_every_time(suite: Suite, tmp_path: Path) -> None:
    """Five conditions with samples and repetition, no noise; research is not applicable to it."""
    options = (*BASELINE, "--samples", "3", "--aa")
    first = run(suite, tmp_path / "first", *options)
    assert (first.exit_code, first.stdout) == (
        0,
        f"{tmp_path}/first: 100 answers, 100 of them new; 0 errors, 0 still missing\n"
        "not applicable: agentic_rag: the model does not follow instructions: asked to plan searches, it "
        "named none (let one that thinks first do so with --reasoning)\n",
    )
    assert "no clinician has reviewed them" in first.stderr
    run(suite, tmp_path / "second", *options)
    assert timeless(tmp_path / "first") == timeless(tmp_path / "second")
    manifest = load_run(tmp_path / "first").manifest
    assert manifest.body["aa"]["share"] == 0.0
    assert (manifest.model, manifest.backend) == ("extractive-baseline", "extractive")
    assert manifest.body["max_context"]["window_from"] == "a stand-in: the backend has no window"


def test_clean_evidence_answers_what_closed_book_cannot(tmp_path: Path) -> None:
    """The baseline finds the answer in the evidence: what it is asked with really is in the request."""
    suite = make_suite(tmp_path, 8)
    run(
        suite,
        tmp_path / "run",
        *BASELINE,
        "--samples",
        "0",
        "--conditions",
        "clean_evidence,standard_rag_top_1",
    )
    letters = {
        (record.question, record.condition): record.letter for record in load_run(tmp_path / "run").records
    }
    for condition in ("clean_evidence", "standard_rag_top_1"):
        found = [letters[question.id, condition] for question in suite.questions]
        assert found == [question.correct.letter for question in suite.questions]


@pytest.mark.parametrize("kills", [1, 3])
def test_a_killed_run_loses_nothing_and_doubles_nothing(
    server: ModelServer, tmp_path: Path, kills: int
) -> None:
    """Killed in mid-run and started again, a run ends with the records of one that was let alone."""
    suite, out = make_suite(tmp_path, 6), tmp_path / "run"
    server.play(model(delay_s=0.005))
    options = ("--target", server.url, "--conditions", "closed_book,agentic_rag", "--samples", "12")
    kept: list[dict[str, Any]] = []
    for time_killed in range(1, kills + 1):
        with started(suite, out, *options) as process:
            wait_for_lines(out, 30 * time_killed)
            process.kill()
        whole = (out / "records.jsonl").read_bytes().rpartition(b"\n")[0].splitlines()
        assert [orjson.loads(line) for line in whole][: len(kept)] == kept
        kept = [orjson.loads(line) for line in whole]
    done = run(suite, out, *options)
    assert done.exit_code == 0, done.output
    records = entries(out)
    assert records[: len(kept)] == kept
    assert len({record["key"] for record in records}) == len(records) == 6 * 2 * 13
    run(suite, tmp_path / "alone", *options)
    alone = {
        (r["question"], r["condition"], r["sample"]): (r["key"], r["letter"])
        for r in entries(tmp_path / "alone")
    }
    assert {(r["question"], r["condition"], r["sample"]): (r["key"], r["letter"]) for r in records} == alone


def test_a_record_cut_in_the_middle_is_made_again(suite: Suite, tmp_path: Path) -> None:
    """Half a line, as a power cut leaves it, is set aside and its question asked anew."""
    out = tmp_path / "run"
    run(suite, out, *BASELINE, "--samples", "1")
    whole = timeless(out)
    path = out / "records.jsonl"
    path.write_bytes(path.read_bytes()[:-100])
    assert "40 answers, 1 of them new" in run(suite, out, *BASELINE, "--samples", "1").stdout
    assert timeless(out) == whole
    assert len(list(out.glob("records.torn-*"))) == 1


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_cleanly_and_says_how_to_go_on(
    server: ModelServer, tmp_path: Path, sent: signal.Signals
) -> None:
    """Ctrl-C: exit status 130, all whole records kept, no traceback."""
    suite, out = make_suite(tmp_path, 6), tmp_path / "run"
    server.play(model(delay_s=0.02))
    with started(
        suite, out, "--target", server.url, "--conditions", "closed_book", "--samples", "60"
    ) as process:
        wait_for_lines(out, 20)
        process.send_signal(sent)
        told, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert f"{len(entries(out))} answers" in told
    assert load_run(out).manifest.body["progress"]["missing"] == 6 * 61 - len(entries(out))


def test_a_second_interrupt_does_not_wait_for_running_calls(
    server: ModelServer, suite: Suite, tmp_path: Path
) -> None:
    """Ctrl-C twice ends a run whose server hangs."""
    out = tmp_path / "run"
    options = ("--target", server.url, "--conditions", "closed_book", "--samples", "0")
    server.play(unless(asks_a_question, hang(), model()))
    with started(suite, out, *options) as process:
        deadline = time.monotonic() + 30
        while not server.questions:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "Give the same command again" in errors


def test_two_runs_in_one_directory_are_refused(server: ModelServer, suite: Suite, tmp_path: Path) -> None:
    """The second of two runs says that another one is writing."""
    out = tmp_path / "run"
    server.play(model(delay_s=0.05))
    with started(
        suite, out, "--target", server.url, "--conditions", "closed_book", "--samples", "90"
    ) as process:
        wait_for_lines(out, 1)
        second = run(suite, out, "--target", server.url)
        process.kill()
    assert second.exit_code == 3
    assert "another run is writing it" in second.output


def test_a_gatekeeper_is_sent_the_evidence_and_recorded_with_its_decision(
    serve: Serve, suite: Suite, tmp_path: Path
) -> None:
    """A gate as target judges each answer on its condition's evidence; what it holds has no letter."""
    gate, out = serve(policy=POLICIES / "default.yaml"), tmp_path / "run"
    done = run(
        suite, out, "--target", gate.url, "--samples", "0", "--conditions", "closed_book,clean_evidence"
    )
    assert done.exit_code == 0, done.output
    records = load_run(out).records
    states = {
        (record.condition, record.response["gatekeeper"]["evidence"]["state"])
        for record in records
        if record.response
    }
    assert states == {("closed_book", "none"), ("clean_evidence", "supplied")}
    extractors = {
        name
        for record in records
        if record.response and record.condition == "clean_evidence"
        for name in record.response["gatekeeper"]["evidence"]["extractors"]
    }
    assert extractors == {"evidence_field"}
    for record in records:
        held = record.response and record.response["gatekeeper"]["action"] in {"escalate", "abstain", "block"}
        assert not (held and record.letter)
    assert load_run(out).manifest.body["gate"]["digest"].startswith("sha256:")


def test_a_run_on_a_model_is_not_continued_through_a_gate(
    serve: Serve, server: ModelServer, suite: Suite, tmp_path: Path
) -> None:
    """What a gate answers and what its model answers are two runs."""
    out, options = tmp_path / "run", ("--samples", "0", "--conditions", "closed_book")
    run(suite, out, "--target", server.url, *options)
    gate = serve(upstream=server.url, policy=POLICIES / "default.yaml")
    refused = run(suite, out, "--target", gate.url, *options)
    assert refused.exit_code == 3
    assert "another gate" in refused.output


def test_errors_that_remain_are_said_with_the_exit_status(
    server: ModelServer, suite: Suite, tmp_path: Path
) -> None:
    """A script sees that answers are missing."""
    server.play(storm(2, model(), code=400))
    options = ("--target", server.url, "--samples", "0", "--conditions", "closed_book")
    done = run(suite, tmp_path / "run", *options)
    assert done.exit_code == 1
    assert "2 answers, 2 of them new; 2 errors, 0 still missing" in done.stdout
    assert run(suite, tmp_path / "run", *options).exit_code == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "give either --target URL or --backend extractive"),
        ((*BASELINE, "--target", "http://127.0.0.1:9"), "give either --target URL or --backend extractive"),
        ((*BASELINE, "--extra-body", "[1]"), "--extra-body is a JSON object"),
        ((*BASELINE, "--extra-body", '{"seed": 1}'), "--extra-body may not set seed"),
        ((*BASELINE, "--conditions", "zero_shot"), "there is no condition zero_shot"),
        ((*BASELINE, "--retriever", "dense", "--encoder", "/"), "holds no BERT encoder"),
        (("--target", "http://127.0.0.1:9"), "no model server answers"),
        (("--target", "ftp://here"), "begins with http:// or https://"),
    ],
)
def test_what_cannot_be_run_is_said_in_one_line(
    suite: Suite, tmp_path: Path, options: tuple[str, ...], says: str
) -> None:
    """Wrong options end with a sentence and a status that is not that of a finished run."""
    done = run(suite, tmp_path / "run", *options)
    assert done.exit_code in {2, 3}
    assert says in done.output


def test_only_a_part_of_the_suite_can_be_asked_and_the_rest_later(suite: Suite, tmp_path: Path) -> None:
    """A quick look at the first questions grows into the whole run."""
    options = (*BASELINE, "--samples", "0", "--conditions", "closed_book")
    assert "2 answers, 2 of them new" in run(suite, tmp_path / "run", *options, "--limit", "2").stdout
    assert "4 answers, 2 of them new" in run(suite, tmp_path / "run", *options).stdout
    refused = run(suite, tmp_path / "run", *options, "--split", "calibration")
    assert refused.exit_code == 3
    assert "no questions of split calibration" in refused.output


def test_the_process_opens_no_socket_for_the_baseline(suite: Suite, tmp_path: Path) -> None:
    """A run of the baseline works where there is no network at all."""
    code = (
        "import socket, sys\n"
        "def refuse(*_): raise OSError('no network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from radsafe_bench.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    given = ["run", *BASELINE, "--samples", "0", "--suite", str(suite.path), "--out", str(tmp_path / "run")]
    done = subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True, check=False)
    assert (done.returncode, "20 answers" in done.stdout) == (0, True), done.stderr
