"""Random sequences of faults against one running gate: whatever their order, it says no unjudged word.

`GATEKEEPER_FAULT_SEQUENCES=20000 pytest tests/faults/test_sequences.py` runs more than the usual 1,000.
"""

import asyncio
import contextlib
import os
import selectors
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from starlette.applications import Starlette

from gatekeeper.assessment import Finding, Subject
from gatekeeper.audit.rotation import verify_trail
from gatekeeper.errors import ReviewError
from gatekeeper.monitoring.logs import logger
from gatekeeper.review.queue import ReviewQueue
from gatekeeper.server import runtime
from gatekeeper.server.app import create_app
from gatekeeper.server.runtime import Runtime
from gatekeeper.settings import Settings
from tests.faults.exchange import FORMS, MARK, Form, Received
from tests.faults.rig import ask
from tests.faults.staged import STAGED, staged_backend
from tests.faults.test_under_load import POLICY
from tests.faults.upstream import DELIVERED

SEQUENCES: Final = int(os.environ.get("GATEKEEPER_FAULT_SEQUENCES", "1000"))
CHECKS: Final = ("slots", "triage", "hedging", "confidence")
WINDOWED: Final = POLICY.replace("hold", "window", 1)
BROKEN: Final = ("", "name: [", "name: x\nversion: '1'\nrules: 7\n")


class Hurried(asyncio.SelectorEventLoop):
    """An event loop that never sleeps: where nothing can happen before a timer ends, it has ended."""

    def __init__(self) -> None:
        self._now, self._away, self._selector = 0.0, 0, selectors.DefaultSelector()
        self._select = self._selector.select
        self._selector.select = self._skip  # type: ignore[method-assign]  # asyncio sleeps in it
        super().__init__(self._selector)

    def time(self) -> float:
        """Return seconds, of which none passes while there is work."""
        return self._now

    def run_in_executor(self, *given: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # only counts
        """Run work in a thread, for which the loop waits."""
        future: asyncio.Future[Any] = super().run_in_executor(*given)
        self._away += 1
        future.add_done_callback(self._back)
        return future

    def _back(self, future: object) -> None:
        self._away -= 1

    def _skip(self, timeout: float | None = None) -> Any:
        if timeout is None or self._away:
            return self._select(0.0 if timeout == 0 else None)
        if timeout > 0:
            self._now += timeout + 1e-6
        return self._select(0)


class Failing:
    """Stands before a check and makes it hang or crash on demand, with the answer in its words."""

    how: ClassVar[dict[str, str]] = {}

    def __init__(self, check: Any) -> None:
        self._check = check
        self.name, self.inline = check.name, check.inline

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Judge, hang or crash."""
        how = self.how.get(self.name)
        if how == "hang":
            await asyncio.Event().wait()
        if how == "crash":
            raise ValueError(subject.answer.content)
        found: Sequence[Finding] = await self._check(subject)
        return found


class Served:
    """The gate that all sequences meet, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.policy = folder / "policy.yaml"
        self.policy.write_text(_policy(), encoding="utf-8")
        self.loop = Hurried()
        self.number = 0
        self.full = False
        self._app = self._create()
        self._stack = contextlib.AsyncExitStack()
        self.run(self._stack.enter_async_context(self._app.router.lifespan_context(self._app)))
        transport = httpx.ASGITransport(app=self._app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://gate", timeout=10)
        self.tasks = len(asyncio.all_tasks(self.loop))

    @property
    def runtime(self) -> Runtime:
        """The process's inside."""
        runtime: Runtime = self._app.state.runtime
        return runtime

    def run(self, work: Any) -> Any:
        """Run a coroutine to its end."""
        return self.loop.run_until_complete(work)

    def close(self) -> None:
        """Stop serving."""
        self.run(self.client.aclose())
        self.run(self._stack.aclose())
        self.loop.close()

    async def ask(self, form: Form, fault: str) -> Received:
        """Ask once."""
        self.number += 1
        return await ask(self.client, self.number, form, fault)

    def _create(self) -> Starlette:
        given = {
            "policy": self.policy,
            "audit_log": self.folder / "decisions.jsonl",
            "review_db": f"sqlite:///{self.folder / 'review.db'}",
            "review_refresh_s": 3600,
            "deadline_s": 60,
            "keep_alive_s": 0.5,
            "max_concurrency": 3,
            "max_queue": 2,
        }
        return create_app(Settings.model_validate(given), staged_backend())


def _policy(name: str = "first", *, windowed: bool = False) -> str:
    limits = "{" + ", ".join(f"{check}: {{timeout_s: 5}}" for check in CHECKS) + "}"
    text = WINDOWED if windowed else POLICY
    return text.replace("{confidence: {unavailable: annotate}}", limits).replace(
        "name: faults", f"name: {name}"
    )


class Sequences(RuleBasedStateMachine):
    """What can go wrong, in any order; what must hold after every step."""

    served: ClassVar[Served]

    def __init__(self) -> None:
        super().__init__()
        self.windowed = False
        self.name = self.served.runtime.gate.bundle.policy.name
        self._set("first", windowed=False)

    @rule(asked=st.lists(st.tuples(st.sampled_from(FORMS), st.sampled_from(STAGED)), min_size=1, max_size=7))
    def clients_ask(self, asked: list[tuple[Form, str]]) -> None:
        """Several clients ask at once, each meeting another fault."""

        async def all_at_once() -> list[Received]:
            return await asyncio.gather(*(self.served.ask(*one) for one in asked))

        for (form, fault), one in zip(asked, self.served.run(all_at_once()), strict=True):
            one.check(windowed=self.windowed)
            self._expect(form, fault, one)

    def _expect(self, form: Form, fault: str, one: Received) -> None:
        if one.error == "overloaded":
            return
        broken = set(Failing.how)
        if one.action in {"release", "annotate"}:
            assert fault in DELIVERED, (form, fault, one.body)
            assert not broken, (broken, one.body)
        if self.served.full:
            assert one.action is None, (form, fault, one.body)
        if one.judged is not None:
            assert one.judged["policy"]["name"] == self.name

    @rule(form=st.sampled_from(FORMS), fault=st.sampled_from(STAGED), steps=st.integers(0, 20))
    def a_client_goes(self, form: Form, fault: str, steps: int) -> None:
        """Let a client give up after a while."""

        async def give_up() -> None:
            task = asyncio.create_task(self.served.ask(form, fault))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait({task})

        self.served.run(give_up())

    @rule(check=st.sampled_from(CHECKS), how=st.sampled_from(["hang", "crash"]))
    def a_check_breaks(self, check: str, how: str) -> None:
        """Make a check hang or crash from now on."""
        Failing.how[check] = how

    @rule()
    def checks_work_again(self) -> None:
        """All checks work."""
        Failing.how.clear()

    @rule()
    def the_disk_fills(self) -> None:
        """Neither the decision log nor the review database can grow."""
        self.served.full = True

    @rule()
    def the_disk_has_room(self) -> None:
        """Both can grow again."""
        self.served.full = False

    @rule(text=st.sampled_from(BROKEN))
    def the_policy_breaks(self, text: str) -> None:
        """Somebody saves a policy that is none."""
        self.served.policy.write_text(text, encoding="utf-8")
        self.served.runtime.reload()
        assert self.served.runtime.gate.bundle.policy.name == self.name

    @rule(name=st.sampled_from(["first", "second"]), windowed=st.booleans())
    def the_policy_changes(self, name: str, windowed: bool) -> None:
        """Somebody saves another policy; on a full disk the change cannot be recorded, so it waits."""
        self._set(name, windowed=windowed)

    def _set(self, name: str, *, windowed: bool) -> None:
        before = self.served.runtime.gate.bundle.loaded.digest
        self.served.policy.write_text(_policy(name, windowed=windowed), encoding="utf-8")
        self.served.runtime.reload()
        changed = self.served.runtime.gate.bundle.loaded.digest != before
        if self.served.full:
            assert not changed
        else:
            self.name, self.windowed = name, windowed
        assert self.served.runtime.gate.bundle.policy.name == self.name

    def teardown(self) -> None:
        """When all is well again, the gate serves as if nothing had been."""
        Failing.how.clear()
        self.served.full = False

        async def settle() -> list[Received]:
            received = [await self.served.ask(form, "none") for form in FORMS[:3]]
            for _ in range(1000):
                if len(asyncio.all_tasks()) <= self.served.tasks + 1:
                    break
                await asyncio.sleep(0.001)
            return received

        for one in self.served.run(settle()):
            one.check(windowed=self.windowed)
            assert one.action == "release", one.body
        assert len(asyncio.all_tasks(self.served.loop)) <= self.served.tasks
        admission = self.served.runtime.admission
        assert admission.serving == admission.waiting == 0


async def _not_watched(policy: Path, reload: object, others: object) -> None:
    """Leave reloading to the test."""


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Return a running gate whose checks, disk and database can be broken."""
    from gatekeeper import bundle  # noqa: PLC0415

    made = bundle.checks_of
    monkeypatch.setattr(bundle, "checks_of", lambda *given: tuple(map(Failing, made(*given))))
    monkeypatch.setattr(runtime, "watch", _not_watched)
    monkeypatch.setattr(logger, "disabled", True)  # what it says of faults is another test's
    gate = Served(tmp_path)
    really, enter = os.write, ReviewQueue.enter

    def write(file: int, data: bytes) -> int:
        if gate.full and Path(f"/proc/self/fd/{file}").readlink().name == "decisions.jsonl":
            return really(file, data[: len(data) // 2])
        return really(file, data)

    def add(queue: ReviewQueue, items: Any) -> None:
        if gate.full:
            raise ReviewError("the review database cannot be read or written")
        enter(queue, items)

    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(ReviewQueue, "enter", add)
    yield gate
    gate.close()


def test_random_fault_sequences(served: Served, tmp_path: Path) -> None:
    """After a thousand random sequences of faults no unjudged word has left and nothing is worn out."""
    Sequences.served = served
    run_state_machine_as_test(
        Sequences,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=6,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    verify_trail(tmp_path / "decisions.jsonl")
    assert not MARK.search((tmp_path / "decisions.jsonl").read_bytes())
