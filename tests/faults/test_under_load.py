"""A real serving process, many clients at once, and every fault of a model server, a disk and a file."""

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from gatekeeper.audit.rotation import verify_trail
from tests.faults.exchange import FORMS, MARK, Received
from tests.faults.rig import PLACES, Asked, Gate, ask_all, gate, wait_for
from tests.faults.upstream import DELIVERED, FAULTS

POLICY = """
name: faults
version: "1"
streaming: hold
checks: {confidence: {unavailable: annotate}}
rules:
  - {id: contradicted, when: {p_contradicted: {at_least: 0.5}}, then: escalate}
  - {id: empty, when: {answer.empty: {equals: 1}}, then: escalate}
"""
ALL: list[Asked] = [(form, fault) for form in FORMS for fault in FAULTS]
GOOD: list[Asked] = [(form, "none") for form in FORMS] * 4


pytestmark = pytest.mark.slow


@pytest.fixture(params=["hold", "window"])
def streaming(request: pytest.FixtureRequest) -> str:
    """Return how answers leave that are asked for as streams."""
    return str(request.param)


@pytest.fixture
def policy(tmp_path: Path, streaming: str) -> Path:
    """Return a policy file."""
    path = tmp_path / "policy" / "policy.yaml"
    path.parent.mkdir()
    path.write_text(POLICY.replace("hold", streaming, 1), encoding="utf-8")
    return path


@pytest.fixture
def serving(tmp_path: Path, policy: Path) -> Iterator[Gate]:
    """Return a serving process, which must end with a whole log and a process log without any text."""
    with gate(tmp_path, policy) as running:
        yield running
    assert not MARK.search(running.log), running.log.decode()
    assert b"Traceback" not in running.log
    assert b"never retrieved" not in running.log
    verify_trail(tmp_path / "decisions.jsonl")
    assert not MARK.search((tmp_path / "decisions.jsonl").read_bytes())


def checked(received: list[Received], streaming: str) -> list[Received]:
    """Return what clients received, all of it clear and without a word that they may not have."""
    for one in received:
        one.check(windowed=streaming == "window")
    return received


def serves_again(serving: Gate, streaming: str, first: int) -> list[Received]:
    """Check that nothing is left of the faults: every request is served, no place and no task is lost."""
    wait_for(serving.idle)
    received = checked(ask_all(serving.url, GOOD, first), streaming)
    for one in received:
        assert one.action == "release", (one.form, one.body)
    wait_for(serving.idle)
    return received


def test_every_fault_of_a_model_server(serving: Gate, streaming: str) -> None:
    """Whatever a model server does, a client gets a judged answer or a clear error, and no unjudged word."""
    serves_again(serving, streaming, 1)
    before = serving.held()
    asked = [*ALL, *GOOD]
    random.Random(4711).shuffle(asked)
    for (_, fault), one in zip(asked, checked(ask_all(serving.url, asked, 1000), streaming), strict=True):
        delivered = one.action in {"release", "annotate"}
        assert delivered is (fault in DELIVERED), (one.form, fault, one.body)
        if fault in {"wrong", "odd_wrong"}:
            assert one.action == "escalate", (one.form, one.body)
    serves_again(serving, streaming, 2000)
    after = serving.held()
    assert after["files"] <= before["files"] + PLACES, (before, after)
    assert after["threads"] <= before["threads"] + PLACES, (before, after)


def test_a_full_disk(serving: Gate, streaming: str, tmp_path: Path, policy: Path) -> None:
    """With no room for log and review database nothing leaves; with room again everything does."""
    serves_again(serving, streaming, 1)
    serving.limit_files(tmp_path.joinpath("decisions.jsonl").stat().st_size + 10)
    asked = [(form, fault) for form in FORMS for fault in ("none", "wrong", "500", "slow")]
    for one in checked(ask_all(serving.url, asked, 100), streaming):
        assert one.error in {"audit_unavailable", "review_unavailable"}, (one.form, one.body)
        assert not MARK.search(one.body)
    policy.write_text(policy.read_text().replace("name: faults", "name: other"), encoding="utf-8")
    serving.reload()
    wait_for(partial(_counted, serving, "refused", 1))
    serving.limit_files(None)
    serves_again(serving, streaming, 200)
    serving.reload()
    wait_for(partial(_counted, serving, "ok", 1))
    serves_again(serving, streaming, 300)


def test_a_full_review_database(tmp_path: Path, policy: Path, streaming: str) -> None:
    """Where only the database is full, answers that pass leave, and those to be held end in an error."""
    with gate(tmp_path, policy, audit_log=None) as serving:
        serves_again(serving, streaming, 1)
        serving.limit_files(1)
        asked = [(form, fault) for form in FORMS for fault in ("none", "wrong")]
        for (_, fault), one in zip(asked, checked(ask_all(serving.url, asked, 100), streaming), strict=True):
            assert one.error == ("review_unavailable" if fault == "wrong" else None), (one.form, one.body)
        serving.limit_files(None)
        serves_again(serving, streaming, 200)
        held = checked(ask_all(serving.url, [(form, "wrong") for form in FORMS], 300), streaming)
        assert [one.action for one in held] == ["escalate"] * len(FORMS)


BROKEN = (b"", b"name: [", b"\xff\xfe", b"name: x\nversion: '1'\nrules: 7\n", None)


def test_a_policy_that_breaks_under_load(serving: Gate, streaming: str, policy: Path) -> None:
    """While a broken policy file lies there, or none, requests are judged by the last good one."""
    last_good = policy.read_bytes()
    for times, broken in enumerate(BROKEN, start=1):
        policy.unlink() if broken is None else policy.write_bytes(broken)
        serving.reload()
        wait_for(partial(_counted, serving, "refused", times))
        asked = [(form, fault) for form in FORMS for fault in ("none", "wrong", "dies")]
        for one in checked(ask_all(serving.url, asked, 100 * times), streaming):
            if one.judged is not None:
                assert one.judged["policy"]["name"] == "faults", one.body
    policy.write_bytes(last_good.replace(b"name: faults", b"name: mended"))
    serving.reload()
    wait_for(partial(_counted, serving, "ok", 1))
    for one in serves_again(serving, streaming, 1000):
        assert one.judged is not None
        assert one.judged["policy"]["name"] == "mended"


def _counted(serving: Gate, result: str, times: int) -> bool:
    """Whether reloads ended so at least so often; saving a file is noticed besides the signal."""
    return serving.metric(f'gatekeeper_policy_reloads_total{{result="{result}"}}') >= times
