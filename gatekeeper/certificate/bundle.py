"""Certificate files: two signed statements as an in-toto bundle (`NAME.intoto.jsonl`), and opening them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gatekeeper.certificate.dsse import PAYLOAD_TYPE, Envelope, sign, verify
from gatekeeper.certificate.keys import TrustedKeys
from gatekeeper.certificate.statement import (
    NUMBERS,
    TEST_RESULT,
    Certificate,
    digest_of,
    predicate_type,
    read_certificate_statement,
    read_numbers_statement,
)
from gatekeeper.errors import CertificateError

MAX_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class OpenedCertificate:
    """A certificate whose two signatures hold: what it says, its numbers, its digest, who signed it."""

    certificate: Certificate
    numbers: dict[str, Any]
    digest: str
    signer: str


def write_certificate(path: Path, statements: tuple[bytes, bytes], key: Ed25519PrivateKey) -> None:
    """Sign both statements and write them as a bundle, one envelope a line."""
    path.write_bytes(b"".join(sign(statement, key).to_json() + b"\n" for statement in statements))


def open_certificate(path: Path, trusted: TrustedKeys) -> OpenedCertificate:
    """Read a certificate file and check both signatures and that the statements belong together.

    Raises CertificateError with code `absent`, `unreadable`, `unknown_key` or `tampered`.
    """
    envelopes = [_envelope(line) for line in _lines(path)]
    try:
        return _opened(_only(envelopes, TEST_RESULT), _only(envelopes, NUMBERS), trusted)
    except CertificateError as error:
        raise CertificateError(f"{path}: {error.message}", code=error.code) from error


def _opened(result: Envelope, numbers: Envelope, trusted: TrustedKeys) -> OpenedCertificate:
    signer = verify(result, trusted)
    verify(numbers, trusted)
    certificate = read_certificate_statement(result.payload)
    if certificate.numbers != digest_of(numbers.payload):
        raise CertificateError("its numbers belong to another certificate", code="tampered")
    said = read_numbers_statement(numbers.payload)
    return OpenedCertificate(certificate, said, digest_of(result.payload), signer.name)


def _lines(path: Path) -> list[bytes]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CertificateError(f"{path}: larger than {MAX_BYTES} bytes; this is no certificate")
        return [line for line in path.read_bytes().splitlines() if line.strip()]
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read ({error.strerror})", code="absent") from error


def _envelope(line: bytes) -> Envelope | None:
    """Read one line; a bundle's reader passes over lines that it does not know."""
    try:
        envelope = Envelope.from_json(line)
    except CertificateError:
        return None
    return envelope if envelope.payload_type == PAYLOAD_TYPE else None


def _only(envelopes: list[Envelope | None], kind: str) -> Envelope:
    found = [envelope for envelope in envelopes if envelope and predicate_type(envelope.payload) == kind]
    if len(found) != 1:
        raise CertificateError(
            f"holds {len(found)} statements of type {kind} where a certificate has one", code="unreadable"
        )
    return found[0]
