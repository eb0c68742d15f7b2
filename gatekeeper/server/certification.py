"""What a process that requires a certificate may serve, and until when."""

from datetime import UTC, datetime
from typing import Any, Final

from gatekeeper.certificate import (
    Clearance,
    Deployment,
    OpenedCertificate,
    Override,
    clear,
    code_digest,
    load_trusted_keys,
    open_certificate,
)
from gatekeeper.errors import CertificateError, ConfigurationError
from gatekeeper.gate import Bundle
from gatekeeper.settings import Settings

_NAMELESS: Final = (
    "what is served has no single fingerprint that a certificate could bind; start the model server first, "
    "and declare what it serves with --fingerprint and --upstream-model"
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Certification:
    """The leave to serve of one process; `clearance` is the one in force, None without or in shadow mode.

    Shadow mode needs no certificate, delivers everything, and is never certified.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.trusted_keys is None:
            raise ConfigurationError("--require-certificate needs --trusted-keys FILE")
        self._trusted = settings.trusted_keys
        self._certificates = settings.certificate
        self._override = _override(settings)
        self.clearance: Clearance | None = None

    def clear(self, bundle: Bundle, fingerprint: str | None) -> Clearance | None:
        """Return the leave to serve a bundle, which is not in force yet; None in shadow mode.

        Certificates are read anew, so that renewals are seen. Raises CertificateError where a binding
        fails and no override stands in.
        """
        return None if bundle.policy.mode == "shadow" else self._clear(bundle, fingerprint)

    def check(self, fingerprint: str | None) -> None:
        """Raise CertificateError where the leave has run out, or another model has answered."""
        if self.clearance is not None:
            self.clearance.check(fingerprint, _utc_now())

    @property
    def expired(self) -> bool:
        """Whether the leave has run out."""
        return self.clearance is not None and _utc_now() >= self.clearance.until

    @property
    def overridden(self) -> bool:
        """Whether an override is what is served under."""
        return self.clearance is not None and self.clearance.override is not None and not self.expired

    def state(self) -> dict[str, Any]:
        """Return what `/readyz` tells."""
        clearance = self.clearance
        return {
            "certified": clearance is not None and clearance.certified and not self.expired,
            "override": self.overridden,
            "until": clearance.until.isoformat() if clearance else None,
        }

    def _clear(self, bundle: Bundle, fingerprint: str | None) -> Clearance:
        opened, problems = self._read()
        if self._override is None:
            if fingerprint is None:
                raise CertificateError(_NAMELESS, code="model")
            if problems and not opened:
                raise problems[0]
        applied = bundle.calibrations.of(fingerprint)
        deployment = Deployment(
            policy=bundle.loaded.digest,
            fingerprint=fingerprint or "unknown",
            calibration=applied.digest if applied else None,
            code=code_digest(),
        )
        return clear(deployment, opened, _utc_now(), self._override)

    def _read(self) -> tuple[list[OpenedCertificate], list[CertificateError]]:
        """Open all certificates; one that cannot be read does not spoil the others."""
        opened: list[OpenedCertificate] = []
        problems: list[CertificateError] = []
        for path in self._certificates:
            try:
                opened.append(open_certificate(path, load_trusted_keys(self._trusted)))
            except CertificateError as error:
                problems.append(error)
        return opened, problems


def _override(settings: Settings) -> Override | None:
    """Read a break-glass override; ConfigurationError where it is incomplete or would not be audited."""
    parts = (settings.break_glass_by, settings.break_glass_reason, settings.break_glass_until)
    if parts == (None, None, None):
        return None
    by, reason, until = parts
    if by is None or reason is None or until is None:
        raise ConfigurationError("breaking the glass takes a name, a reason and an end: --break-glass-…")
    if settings.audit_log is None:
        raise ConfigurationError("breaking the glass is audited: give --audit-log FILE")
    return Override(by, reason, until)
