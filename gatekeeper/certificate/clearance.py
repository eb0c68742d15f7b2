"""Whether a policy may serve: a certificate that binds what is being served, or an override by a person.

Everything here is a pure function of what it is given, the time included.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gatekeeper.certificate.bundle import OpenedCertificate
from gatekeeper.errors import CertificateError

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far in the future a certificate may seem to be issued."""

LONGEST_OVERRIDE: Final = timedelta(days=7)
"""An override is for an emergency; one that must last longer needs a certificate instead."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is about to serve, as far as a certificate binds it; `calibration` None where none is applied."""

    policy: str
    fingerprint: str
    calibration: str | None
    code: str


@dataclass(frozen=True, slots=True)
class Override:
    """A person's decision to serve without a certificate until a time."""

    by: str
    reason: str
    until: datetime

    def check(self, now: datetime) -> None:
        """Raise CertificateError where an override is incomplete, over, or longer than LONGEST_OVERRIDE."""
        if not self.by.strip() or not self.reason.strip():
            raise CertificateError("an override needs a name and a reason", code="override")
        if self.until.tzinfo is None:
            raise CertificateError(
                "an override's end needs a time zone, such as …T18:00:00Z", code="override"
            )
        if self.until <= now:
            raise CertificateError(f"the override ended at {self.until.isoformat()}", code="override")
        if self.until - now > LONGEST_OVERRIDE:
            raise CertificateError(
                f"an override lasts at most {LONGEST_OVERRIDE.days} days; certify the policy instead",
                code="override",
            )


@dataclass(frozen=True, slots=True)
class Clearance:
    """Leave to serve one model until a time: by a certificate, or by an override without one.

    `certificate` is the digest of its statement.
    """

    fingerprint: str
    until: datetime
    certificate: str | None = None
    signer: str | None = None
    override: Override | None = None

    @property
    def certified(self) -> bool:
        """Whether responses may say that the policy is certified."""
        return self.certificate is not None

    def record(self) -> dict[str, str | None]:
        """Return it as a line for the decision log: who gave leave, why, until when."""
        until = self.until.isoformat()
        if self.override is not None:
            by, reason = self.override.by, self.override.reason
            return {"event": "break_glass", "by": by, "reason": reason, "until": until}
        given = {"certificate": self.certificate, "signer": self.signer}
        return {"event": "certificate", **given, "until": until}

    def check(self, fingerprint: str | None, now: datetime) -> None:
        """Raise CertificateError where it has run out, or where another model has answered.

        An override is for whatever answers.
        """
        if now >= self.until:
            what = "certificate expired" if self.certified else "override ended"
            raise CertificateError(f"the {what} at {self.until.isoformat()}", code="not_certified")
        if self.certified and fingerprint != self.fingerprint:
            raise CertificateError("another model answered than the certified one", code="not_certified")


def clear(
    deployment: Deployment,
    certificates: Sequence[OpenedCertificate],
    now: datetime,
    override: Override | None = None,
) -> Clearance:
    """Return the leave to serve a deployment.

    Raises CertificateError, with the code of the first binding that fails (`absent`, `policy`, `model`,
    `calibration`, `code`, `expired`, `not_yet_valid`), where no certificate holds and no override stands
    in for it.
    """
    try:
        opened = check_certificates(deployment, certificates, now)
    except CertificateError:
        if override is None:
            raise
        override.check(now)
        return Clearance(deployment.fingerprint, override.until, override=override)
    return Clearance(
        deployment.fingerprint,
        opened.certificate.expires,
        certificate=opened.digest,
        signer=opened.signer,
    )


def check_certificates(
    deployment: Deployment, certificates: Sequence[OpenedCertificate], now: datetime
) -> OpenedCertificate:
    """Return a certificate that binds all of a deployment, the one that lasts longest.

    Raises CertificateError naming, for each certificate, the binding that failed; its code is that of
    the certificate that came nearest.
    """
    failures = {opened.digest: next(_failures(opened, deployment, now), None) for opened in certificates}
    valid = [opened for opened in certificates if failures[opened.digest] is None]
    if valid:
        return max(valid, key=lambda opened: opened.certificate.expires)
    found = sorted(
        (failure for failure in failures.values() if failure), key=lambda pair: _ORDER.index(pair[0])
    )
    if not found:
        raise CertificateError(
            "no certificate is given; mint one with `radsafe-bench certify mint` and name it with "
            "--certificate",
            code="absent",
        )
    reasons = "; ".join(why for _, why in reversed(found))
    raise CertificateError(f"no certificate holds for what is being served: {reasons}", code=found[-1][0])


_ORDER: Final = ("policy", "model", "calibration", "code", "not_yet_valid", "expired")


def _failures(opened: OpenedCertificate, deployment: Deployment, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield every binding that does not hold, in the order of `_ORDER`."""
    said = opened.certificate
    pairs = (
        ("policy", said.policy.digest, deployment.policy),
        ("model", said.fingerprint, deployment.fingerprint),
        ("calibration", said.calibration or "none", deployment.calibration or "none"),
        ("code", said.code, deployment.code),
    )
    for binding, certified, serving in pairs:
        if certified != serving:
            yield binding, f"its {binding} is {certified}, the one being served {serving}"
    if said.issued > now + CLOCK_SKEW:
        yield "not_yet_valid", f"it is issued at {said.issued.isoformat()}, in the future"
    if now >= said.expires:
        yield "expired", f"it expired at {said.expires.isoformat()}"
