"""Whatever was raised → an error that a client may see, counted once."""

import logging

from gatekeeper.errors import GatekeeperError
from gatekeeper.monitoring import Metrics
from gatekeeper.monitoring.logs import log, logger


def as_gatekeeper_error(error: Exception, metrics: Metrics) -> GatekeeperError:
    """Return the error itself if it is ours; of any other nothing is told but that it happened."""
    if isinstance(error, GatekeeperError):
        known = error.code or ("invalid_request" if error.status == 400 else None)
        metrics.failed("invalid_request" if error.status == 400 else known)
        log(logging.INFO, "refused", status=error.status, code=known)
        return error
    metrics.failed("internal_error")
    logger.error("unexpected error", exc_info=error)
    return GatekeeperError("the gate failed on this request and delivered nothing", code="internal_error")
