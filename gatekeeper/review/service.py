"""Review and live risk beside a serving process: all database work in worker threads."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, ParamSpec, TypeVar

from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from gatekeeper.calibration import Calibrations
from gatekeeper.errors import AuditError, ReviewError
from gatekeeper.gate import Bundle, Outcome
from gatekeeper.monitoring.logs import log
from gatekeeper.monitoring.risk.drift import read_reference, reference_in
from gatekeeper.monitoring.risk.gauges import RiskGauges
from gatekeeper.monitoring.risk.live import LiveRisk, RiskSettings
from gatekeeper.review.database import Database
from gatekeeper.review.entry import drawn_from, items_of
from gatekeeper.review.queue import ReviewQueue
from gatekeeper.review.retention import DAY_S, removal, remove_texts, with_old_texts
from gatekeeper.review.sealing import load_seal
from gatekeeper.review.webhook import Webhook
from gatekeeper.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

_THREADS: Final = 4
_RETRY_S: Final = 60.0
_PURGE_EVERY_S: Final = 3600.0


class ReviewService:
    """What a Runtime holds when `review_db` is set."""

    def __init__(
        self, url: SecretStr, settings: Settings, calibrations: Calibrations, registry: CollectorRegistry
    ) -> None:
        key = settings.review_key.get_secret_value() if settings.review_key else None
        database = Database(url.get_secret_value())
        self._settings = settings
        self.queue = ReviewQueue(database, load_seal(key, settings.review_key_file))
        self.gauges = RiskGauges(registry)
        self.risk = LiveRisk(self.queue, self.gauges, _risk_settings(settings, calibrations))
        self._webhook = Webhook(settings.review_webhook) if settings.review_webhook else None
        self._purge_at = 0.0
        # Threads of its own: a database that hangs must not take those that sync the decision log.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="review")

    async def enter(self, outcome: Outcome, record: Mapping[str, Any], client: str) -> None:
        """Put held answers, and those drawn for the audit, into the queue before anything leaves.

        Raises ReviewError when a held answer cannot be queued. A delivered one that was drawn is delivered
        all the same: that it is missing from the sample depends on the database, not on the answer.
        """
        drawn = drawn_from(outcome, self._settings.audit_sample_rate)
        if not drawn:
            return
        try:
            await self.run(self._enter, outcome, record, drawn, client)
        except ReviewError:
            if any(choice.purpose == "held" for choice in drawn):
                raise
            log(logging.ERROR, "audit sample not queued", id=outcome.decision_id)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do database work in a thread; raise ReviewError when it takes longer than `review_timeout_s`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._settings.review_timeout_s):
                return await loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))
        except TimeoutError:
            raise ReviewError("the review database did not answer in time; try again") from None

    async def tend(self, bundle: Callable[[], Bundle], record: Callable[[dict[str, object]], None]) -> None:
        """Refresh the metrics, withhold what expired, tell applications, remove old texts; until cancelled.

        `record` writes to the decision log whose texts go.
        """
        while True:
            try:
                await self.run(self.risk.refresh, bundle())
                await self._tell()
                await self._purge(record)
            except (ReviewError, AuditError) as error:
                log(logging.ERROR, "review database", why=error.message)
            await asyncio.sleep(self._settings.review_refresh_s)

    async def close(self, bundle: Bundle) -> None:
        """Write what was counted and not written yet, then let go of everything."""
        try:
            await self.run(self.risk.refresh, bundle)
        except ReviewError as error:
            log(logging.ERROR, "review database", why=error.message)
        if self._webhook:
            await self._webhook.close()
        # A thread that still works would hand its connection back to a pool that is gone.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.review_timeout_s):
                await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        self.queue.database.close()

    def _enter(self, outcome: Outcome, record: Mapping[str, Any], drawn: Any, client: str) -> None:
        ttl = self._settings.review_ttl_s
        self.queue.enter(items_of(outcome, record, drawn, client=client, ttl_s=ttl, seal=self.queue.seal))

    async def _purge(self, record: Callable[[dict[str, object]], None]) -> None:
        days, now = self._settings.review_keep_days, time.monotonic()
        if days is None or now < self._purge_at:
            return
        items = await self.run(with_old_texts, self.queue.database, time.time() - days * DAY_S)
        if items:
            record(removal(items, days))
            await self.run(remove_texts, self.queue.database, items)
        else:
            self._purge_at = now + _PURGE_EVERY_S

    async def _tell(self) -> None:
        if self._webhook is None:
            return
        for item, decision_id, status in await self.run(self.queue.news, _RETRY_S):
            if await self._webhook.tell(decision_id, status):
                await self.run(self.queue.told, item)


def _risk_settings(settings: Settings, calibrations: Calibrations) -> RiskSettings:
    reference = read_reference(settings.drift_reference) if settings.drift_reference else None
    if reference is None:
        found = [calibrations.of(fingerprint) for fingerprint in calibrations.fingerprints]
        carried = [reference_in(calibration) for calibration in found if calibration is not None]
        reference = carried[0] if len(carried) == 1 and carried[0] else None
    return RiskSettings(settings.risk_window_s, settings.risk_delta, reference)
