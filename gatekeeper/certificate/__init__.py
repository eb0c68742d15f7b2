"""Deployment certificates: who signed that a policy with a model passed the suite, and for how long."""

from gatekeeper.certificate.bundle import OpenedCertificate, open_certificate, write_certificate
from gatekeeper.certificate.clearance import (
    Clearance,
    Deployment,
    Override,
    check_certificates,
    clear,
)
from gatekeeper.certificate.code import code_digest
from gatekeeper.certificate.keys import (
    TrustedKeys,
    load_signing_key,
    load_trusted_keys,
    new_key,
    trusted_line,
    write_signing_key,
)
from gatekeeper.certificate.statement import (
    LIMITS,
    Certificate,
    NamedDigest,
    digest_of,
    numbers_statement,
)

__all__ = [
    "LIMITS",
    "Certificate",
    "Clearance",
    "Deployment",
    "NamedDigest",
    "OpenedCertificate",
    "Override",
    "TrustedKeys",
    "check_certificates",
    "clear",
    "code_digest",
    "digest_of",
    "load_signing_key",
    "load_trusted_keys",
    "new_key",
    "numbers_statement",
    "open_certificate",
    "trusted_line",
    "write_certificate",
    "write_signing_key",
]
