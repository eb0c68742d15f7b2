"""DSSE envelopes (github.com/secure-systems-lab/dsse, v1.0): a payload and who signed it."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gatekeeper.certificate.keys import TrustedKey, TrustedKeys, key_id
from gatekeeper.errors import CertificateError

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"


class Signature(NamedTuple):
    """One signature; `key` is the id of the key that made it."""

    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload with its signatures; nothing in it may be believed before `verify`."""

    payload: bytes
    signatures: tuple[Signature, ...]
    payload_type: str = PAYLOAD_TYPE

    def to_json(self) -> bytes:
        """Return the envelope as one line of JSON."""
        return orjson.dumps(
            {
                "payloadType": self.payload_type,
                "payload": base64.b64encode(self.payload).decode(),
                "signatures": [
                    {"keyid": signature.key, "sig": base64.b64encode(signature.value).decode()}
                    for signature in self.signatures
                ],
            }
        )

    @classmethod
    def from_json(cls, data: bytes) -> "Envelope":
        """Read an envelope; raise CertificateError where the data is none."""
        try:
            body: Mapping[str, Any] = orjson.loads(data)
            signatures = tuple(
                Signature(str(entry.get("keyid", "")), _decode(entry["sig"])) for entry in body["signatures"]
            )
            return cls(_decode(body["payload"]), signatures, str(body["payloadType"]))
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            raise CertificateError("is no DSSE envelope", code="unreadable") from None


def sign(payload: bytes, key: Ed25519PrivateKey) -> Envelope:
    """Sign a payload of the in-toto type."""
    signature = key.sign(_pre_authentication(PAYLOAD_TYPE, payload))
    return Envelope(payload, (Signature(key_id(key.public_key()), signature),))


def verify(envelope: Envelope, trusted: TrustedKeys) -> TrustedKey:
    """Return the trusted key that signed an envelope.

    Raises CertificateError with code `unknown_key` where no trusted key is named, and `tampered` where
    one is and the signature is not its own.
    """
    message = _pre_authentication(envelope.payload_type, envelope.payload)
    named = [signature for signature in envelope.signatures if signature.key in trusted]
    for signature in named:
        key = trusted[signature.key]
        try:
            key.key.verify(signature.value, message)
        except InvalidSignature:
            continue
        return key
    if named:
        raise CertificateError(
            f"its content is not what '{trusted[named[0].key].name}' signed", code="tampered"
        )
    raise CertificateError("no trusted key signed it", code="unknown_key")


def _pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """Return what is signed: type and payload with their lengths, so that neither can pass for the other."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _decode(text: str) -> bytes:
    """Decode standard or URL-safe base64, as the specification allows both."""
    return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
