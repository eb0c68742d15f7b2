"""Certificates minted with throw-away keys under a fixed clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gatekeeper.certificate import (
    Certificate,
    Deployment,
    NamedDigest,
    OpenedCertificate,
    TrustedKeys,
    digest_of,
    load_trusted_keys,
    new_key,
    numbers_statement,
    open_certificate,
    trusted_line,
    write_certificate,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SERVED = Deployment(
    policy="sha256:" + "1" * 64,
    fingerprint="openai:model-a",
    calibration="sha256:" + "2" * 64,
    code="sha256:" + "3" * 64,
)
NUMBERS = {"alpha": 0.05, "rows": []}


@dataclass(frozen=True)
class Signer:
    """A key, the file of keys that trusts it, and a way to mint certificates with it."""

    key: Ed25519PrivateKey
    trusted: TrustedKeys
    folder: Path

    def certificate(self, **changes: Any) -> Path:
        """Write a certificate for SERVED, valid around NOW, with some of its fields changed."""
        policy = NamedDigest("default", "1.0", changes.pop("policy", SERVED.policy))
        numbers = numbers_statement(policy, NUMBERS)
        fields: dict[str, Any] = {
            "policy": policy,
            "fingerprint": SERVED.fingerprint,
            "calibration": SERVED.calibration,
            "code": SERVED.code,
            "version": "0.1.0",
            "suite": NamedDigest("radsafe200", "1", "sha256:" + "4" * 64),
            "split": "certification",
            "questions": 120,
            "notice": "Labels await clinicians' review.",
            "prompts": "sha256:" + "5" * 64,
            "run": "sha256:" + "6" * 64,
            "criteria": "sha256:" + "7" * 64,
            "scope": {"clean_evidence": {"coverage_floor": 0.7}},
            "baseline": None,
            "tests": ("clean_evidence/ceiling/high_risk_error",),
            "numbers": digest_of(numbers),
            "issued": NOW - timedelta(days=1),
            "expires": NOW + timedelta(days=89),
        }
        certificate = Certificate(**{**fields, **changes})
        path = self.folder / f"{len(list(self.folder.iterdir()))}.intoto.jsonl"
        write_certificate(path, (certificate.statement(), numbers), self.key)
        return path

    def opened(self, **changes: Any) -> OpenedCertificate:
        """Mint and open a certificate."""
        return open_certificate(self.certificate(**changes), self.trusted)


@pytest.fixture
def new_signer(tmp_path: Path) -> Callable[[str], Signer]:
    """Return a function that makes a signer by name."""

    def make(name: str) -> Signer:
        folder, key = tmp_path / name, new_key()
        folder.mkdir()
        trusted = tmp_path / f"{name}.keys"
        trusted.write_text(f"# who may sign\n\n{trusted_line(key.public_key(), name)}\n")
        return Signer(key, load_trusted_keys(trusted), folder)

    return make


@pytest.fixture
def signer(new_signer: Callable[[str], Signer]) -> Signer:
    """Return a signer that is trusted."""
    return new_signer("hospital")
