"""What lives as long as the process: backend, gate, metrics, decision log, and the reload of policies."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gatekeeper.audit import Rotation, SegmentedLog, record_of
from gatekeeper.auxiliary import Consulted
from gatekeeper.backends.base import Backend, Capabilities
from gatekeeper.backends.pool import CHECK_EVERY_S
from gatekeeper.build import build_of
from gatekeeper.bundle import load_bundle
from gatekeeper.deadlines import Deadlines
from gatekeeper.errors import AuditError, CalibrationError, GatekeeperError, PolicyError, UpstreamTimeout
from gatekeeper.exchange import Conversation
from gatekeeper.gate import Bundle, Gate, Outcome
from gatekeeper.monitoring import Metrics
from gatekeeper.monitoring.logs import log, logger
from gatekeeper.monitoring.shared import SharedMetrics
from gatekeeper.policy import in_windows
from gatekeeper.server.admission import Admission
from gatekeeper.server.auth import ApiKeys
from gatekeeper.server.backend import answering, make_backend, make_judge
from gatekeeper.server.reload import watch
from gatekeeper.server.selftest import fails_closed
from gatekeeper.settings import Settings
from gatekeeper.windowing import Release, answer_in_windows

if TYPE_CHECKING:
    from gatekeeper.certificate import Clearance
    from gatekeeper.review.service import ReviewService
    from gatekeeper.server.certification import Certification

_SYNC_EVERY_S = 1.0
_TELL_EVERY_S = 1.0


class Runtime:
    """One serving process. `gate` is swapped as a whole on reload; requests keep the one they began with."""

    def __init__(
        self, settings: Settings, backend: Backend | None = None, shared: SharedMetrics | None = None
    ) -> None:
        self.settings = settings
        self.backend = backend or make_backend(settings)
        self.judge = make_judge(settings)
        self.metrics = Metrics(shared)
        self._one_of_several = shared is not None
        self.admission = admission = Admission(settings.max_concurrency, settings.max_queue)
        self.metrics.follow(self.metrics.in_flight, lambda: admission.serving)
        self.metrics.follow(self.metrics.queued, lambda: admission.waiting)
        self.keys = ApiKeys.load(settings.api_keys) if settings.api_keys else None
        most, extra = settings.auxiliary_concurrency, settings.auxiliary_body
        auxiliary = Consulted(self.backend, self.judge, most, extra)
        self.gate = Gate(self.backend, self._bundle(), auxiliary)
        self.certification = _certification(settings, self.metrics)
        self.capabilities: Capabilities | None = None
        self.review = _review(settings, self.gate.bundle, self.metrics)
        self.reviewers = ApiKeys.load(settings.reviewer_keys) if settings.reviewer_keys else None
        self._log = _decision_log(settings, self.metrics)
        self._deadlines = Deadlines(settings.deadline_s)
        self.ready = False

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start everything, be ready inside the block, and let go of everything after it."""
        try:
            self.capabilities = await self.backend.start()
            if self.judge:
                await self.judge.start()
            self._check_calibration()
            self._serve(*self._admitted(self.gate.bundle))
            await fails_closed(self.gate)
            self.metrics.serve(self.gate.bundle, self.backend.fingerprint)
            self.metrics.answering(up := await answering(self.backend))
            if not all(up):
                away = [number for number, answers in enumerate(up) if not answers]
                log(logging.WARNING, "model server does not answer", backend=self.backend.name, servers=away)
            async with asyncio.TaskGroup() as tasks:
                chores = [tasks.create_task(self._watch_policy())]
                chores.append(tasks.create_task(self._watch_backend()))
                if self._log:
                    chores.append(tasks.create_task(self._sync_regularly(self._log)))
                if self._one_of_several:
                    chores.append(tasks.create_task(self._tell_regularly()))
                if self.review:
                    chores.append(tasks.create_task(self.review.tend(lambda: self.gate.bundle, self.record)))
                self.ready = True
                digest = self.gate.bundle.loaded.digest
                log(logging.INFO, "ready", backend=self.backend.name, policy=digest, build=build_of())
                yield
                for chore in chores:
                    chore.cancel()
        except GatekeeperError as error:
            log(logging.ERROR, "refused to start", why=error.message)
            raise
        except Exception as error:
            logger.critical("the process cannot go on", exc_info=error)
            raise
        finally:
            self.ready = False
            await self.backend.close()
            if self.judge:
                await self.judge.close()
            if self.review:
                await self.review.close(self.gate.bundle)
            if self._log:
                self._log.close()

    def client_of(self, authorization: bytes | None) -> str:
        """Return the name of an application's key, "" where no keys are configured; raise Unauthorized."""
        return "" if self.keys is None else self.keys.check(authorization)

    async def answer(
        self, conversation: Conversation, decision_id: str, client: str = "", release: Release | None = None
    ) -> Outcome:
        """Judge one conversation and record the decision; nothing leaves that was not recorded.

        `client` is the name of the application's key; what is held is its own to ask for later. Where
        the policy lets a stream leave sentence by sentence, `release` gets each as it is judged.
        """
        try:
            with self._deadlines():
                outcome = await self._judged(conversation, decision_id, release)
            if self.certification:
                self.certification.check(outcome.completion.fingerprint)
            await self._recorded(outcome, client)
        except TimeoutError:
            self.record(_ended(decision_id, "upstream_timeout"))
            raise UpstreamTimeout("no answer before the deadline; try again, or raise deadline_s") from None
        except asyncio.CancelledError:
            self.metrics.failed("cancelled")
            with contextlib.suppress(AuditError):
                self.record(_ended(decision_id, "cancelled"))
            raise
        except AuditError:
            raise
        except GatekeeperError as error:
            self.record(_ended(decision_id, error.code or error.type))
            raise
        except Exception:
            self.record(_ended(decision_id, "internal_error"))
            raise
        self.metrics.observe(outcome)
        if self.review:
            self.review.risk.observe(outcome)
        log(
            logging.INFO,
            "decision",
            id=decision_id,
            action=str(outcome.action),
            seconds=round(outcome.timings.total, 4),
        )
        return outcome

    async def _recorded(self, outcome: Outcome, client: str) -> None:
        """Put a decision wherever this process keeps decisions, before anything of it leaves."""
        if self._log is None and self.review is None:
            return
        record = record_of(outcome, self._models)
        if self.review:
            await self.review.enter(outcome, record, client)
        self.record(record)

    @property
    def _models(self) -> tuple[str, ...]:
        """The models that the operator or the model server names."""
        listed = self.capabilities.models if self.capabilities else ()
        return (*listed, self.settings.upstream_model or "")

    async def _judged(self, conversation: Conversation, decision_id: str, release: Release | None) -> Outcome:
        """Judge an answer in windows where the policy allows it, after the log knows that it leaves so."""
        gate, fingerprint = self.gate, self.backend.fingerprint
        # Without a name for the model before it has answered, no certificate or calibration fits a beginning.
        if release is None or fingerprint is None or not in_windows(gate.bundle.policy, conversation):
            return await gate.answer(conversation, decision_id)
        if self.certification:
            self.certification.check(fingerprint)
        self.record({"event": "window", "id": decision_id, "at": _now(), "policy": gate.bundle.loaded.digest})
        return await answer_in_windows(gate, conversation, decision_id, release)

    def reload(self) -> None:
        """Read the policy again and swap the gate; a file that is no valid policy changes nothing."""
        try:
            bundle = self._bundle()
            if bundle.loaded.digest == self.gate.bundle.loaded.digest:
                bundle = self.gate.bundle
            bundle, clearance = self._admitted(bundle)
            if bundle == self.gate.bundle:
                self._serve(bundle, clearance)
                return
            self.record({"event": "policy", "at": _now(), "policy": bundle.loaded.digest})
        except GatekeeperError as error:
            self.metrics.reloads.labels("refused").inc()
            log(logging.ERROR, "policy refused, the last good one stays", why=error.message)
            return
        self._serve(bundle, clearance)
        self.metrics.reloads.labels("ok").inc()
        self.metrics.serve(bundle, self.backend.fingerprint)
        log(logging.INFO, "policy in force", policy=bundle.loaded.digest, mode=bundle.policy.mode)

    def _bundle(self) -> Bundle:
        try:
            return load_bundle(self.settings.policy, self.settings.calibration)
        except RecursionError:
            raise PolicyError(f"{self.settings.policy}: is nested too deeply") from None

    def _admitted(self, bundle: Bundle) -> "tuple[Bundle, Clearance | None]":
        """Return the bundle as it may be served and the leave, recorded but not in force yet.

        Raises CertificateError where a certificate is required and none holds.
        """
        certification = self.certification
        if certification is None:
            return bundle, None
        clearance = certification.clear(bundle, self.backend.fingerprint)
        if clearance is not None and clearance != certification.clearance:
            self.record({**clearance.record(), "at": _now(), "policy": bundle.loaded.digest})
        return replace(bundle, certified=clearance is not None and clearance.certified), clearance

    def _serve(self, bundle: Bundle, clearance: "Clearance | None") -> None:
        """Put a bundle in force, and with it the leave to serve it."""
        self.gate = replace(self.gate, bundle=bundle)
        if self.certification is not None:
            self.certification.clearance = clearance
            expiry = clearance.until.timestamp() if clearance and clearance.certified else 0.0
            self.metrics.certificate_expiry.set(expiry)

    def _check_calibration(self) -> None:
        """Refuse to start with calibrations of which none belongs to the model being served."""
        served = self.backend.fingerprint
        if self.settings.calibration and served and not self.settings.allow_uncalibrated:
            self.gate.bundle.calibrations.require(served)
        elif self.settings.calibration and not served and not self.settings.allow_uncalibrated:
            raise CalibrationError(
                "which model is served cannot be told, so no calibration can be matched with it: start the "
                "model server first, name one model with --upstream-model where it lists several, or let "
                "answers be marked uncalibrated with --allow-uncalibrated"
            )

    def record(self, record: dict[str, object]) -> None:
        """Append a record to the decision log; raise AuditError when it cannot be written."""
        if self._log is not None:
            self._log.append(record)
            self.metrics.audit_lines.inc()

    async def _watch_policy(self) -> None:
        read_with_it = (*self.settings.calibration, *self.settings.certificate)
        await watch(self.settings.policy, self.reload, read_with_it)

    async def _watch_backend(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            self.metrics.answering(await answering(self.backend))

    async def _sync_regularly(self, decisions: SegmentedLog) -> None:
        while True:
            await asyncio.sleep(_SYNC_EVERY_S)
            try:
                await asyncio.to_thread(decisions.sync)
            except AuditError as error:
                self.metrics.failed(error.code)
                log(logging.ERROR, "decision log", why=error.message)

    async def _tell_regularly(self) -> None:
        while True:
            self.metrics.refresh()
            await asyncio.sleep(_TELL_EVERY_S)


def _certification(settings: Settings, metrics: Metrics) -> "Certification | None":
    if not settings.require_certificate:
        return None
    from gatekeeper.server.certification import Certification  # noqa: PLC0415 - only who asks loads cryptography

    certification = Certification(settings)
    metrics.follow(metrics.break_glass, lambda: float(certification.overridden))
    return certification


def _decision_log(settings: Settings, metrics: Metrics) -> SegmentedLog | None:
    if settings.audit_log is None:
        return None
    rotation = Rotation(settings.audit_rotate_bytes, settings.audit_rotate_daily, settings.audit_keep_days)
    decisions = SegmentedLog(settings.audit_log, rotation, settings.audit_head)
    metrics.follow(metrics.audit_segment, lambda: decisions.position.segment)
    metrics.follow(metrics.audit_segment_lines, lambda: decisions.position.head.lines)
    return decisions


def _review(settings: Settings, bundle: Bundle, metrics: Metrics) -> "ReviewService | None":
    if settings.review_db is None:
        return None
    from gatekeeper.review.service import ReviewService  # noqa: PLC0415 - only who asks loads SQLAlchemy

    return ReviewService(settings.review_db, settings, bundle.calibrations, metrics.registry)


def _ended(decision_id: str, code: str) -> dict[str, object]:
    return {"event": "no_decision", "id": decision_id, "at": _now(), "code": code}


def _now() -> str:
    return datetime.now(UTC).isoformat()
