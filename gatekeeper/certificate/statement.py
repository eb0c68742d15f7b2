"""What a certificate says, as in-toto statements (in-toto.io/Statement/v1).

Two statements about one subject, the policy: a test result (predicate test-result/v0.1) whose
configuration names everything the result depends on, and the numbers behind it, which the first one
names by digest.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from gatekeeper.errors import CertificateError

STATEMENT: Final = "https://in-toto.io/Statement/v1"
TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"
NUMBERS: Final = "urn:radsafe-gatekeeper:gate-numbers:v1"

LIMITS: Final = (
    "Suite only: holds for this suite's multiple-choice questions, not for free text, other questions or "
    "patients. Not a medical device approval."
)


@dataclass(frozen=True, slots=True)
class NamedDigest:
    """Something with a name and version, and the `sha256:<hex>` digest of its content."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """That a policy with a model passed a suite under its own criteria. Digests read `sha256:<hex>`.

    `calibration` and `baseline` are None where none was used. `code` is that of `code_digest`, `version`
    the gatekeeper's. `split` says which part of the suite was judged, on `questions` questions. `scope`
    is the policy's, with ceilings and floors. `tests` names the criteria that passed. `numbers` is the
    digest of the second statement.
    """

    policy: NamedDigest
    fingerprint: str
    calibration: str | None
    code: str
    version: str
    suite: NamedDigest
    split: str
    questions: int
    notice: str
    prompts: str | None
    run: str
    criteria: str
    scope: Mapping[str, Any]
    baseline: str | None
    tests: tuple[str, ...]
    numbers: str
    issued: datetime
    expires: datetime

    def statement(self) -> bytes:
        """Return the test-result statement."""
        predicate = {
            "result": "PASSED",
            "configuration": [entry for entry in self._configuration() if entry["digest"]],
            "passedTests": list(self.tests),
            "warnedTests": [],
            "failedTests": [],
            "radsafe": {"issued": self.issued, "expires": self.expires, "limits": LIMITS},
        }
        return _statement(self.policy, TEST_RESULT, predicate)

    def _configuration(self) -> list[dict[str, Any]]:
        suite = {
            "name": self.suite.name,
            "version": self.suite.version,
            "split": self.split,
            "questions": self.questions,
            "notice": self.notice,
        }
        return [
            _descriptor("suite", self.suite.digest, **suite),
            _descriptor("model", digest_of(self.fingerprint.encode()), fingerprint=self.fingerprint),
            _descriptor("calibration", self.calibration),
            _descriptor("code", self.code, gatekeeper=self.version),
            _descriptor("prompts", self.prompts),
            _descriptor("run", self.run),
            _descriptor("criteria", self.criteria, scope=self.scope),
            _descriptor("baseline", self.baseline),
            _descriptor("numbers", self.numbers),
        ]


def numbers_statement(policy: NamedDigest, numbers: Mapping[str, Any]) -> bytes:
    """Return the statement of the numbers behind a test result."""
    return _statement(policy, NUMBERS, numbers)


def digest_of(data: bytes) -> str:
    """Return `sha256:<hex>` of bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def read_certificate_statement(payload: bytes) -> Certificate:
    """Read a test-result statement; raise CertificateError (`unreadable`) where it is none of ours."""
    try:
        parsed = _Statement.model_validate_json(payload)
        return _certificate(parsed)
    except (ValidationError, KeyError, ValueError, TypeError) as error:
        raise CertificateError("is no statement of a gate's result", code="unreadable") from error


def read_numbers_statement(payload: bytes) -> dict[str, Any]:
    """Return the numbers of a numbers statement; raise CertificateError where it is none."""
    if predicate_type(payload) != NUMBERS:
        raise CertificateError("is no statement of a gate's numbers", code="unreadable")
    numbers: dict[str, Any] = orjson.loads(payload)["predicate"]
    return numbers


def predicate_type(payload: bytes) -> str | None:
    """Return the predicate type that a statement states, None where it is no statement."""
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    kind = body.get("predicateType") if isinstance(body, dict) and body.get("_type") == STATEMENT else None
    return kind if isinstance(kind, str) else None


class _Lenient(BaseModel):
    """In-toto's parsing rules: what is not known is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _DigestSet(_Lenient):
    sha256: str


class _Subject(_Lenient):
    digest: _DigestSet
    name: str
    annotations: dict[str, str]


class _Descriptor(_Lenient):
    name: str
    digest: _DigestSet
    annotations: dict[str, Any] = {}


class _Validity(_Lenient):
    issued: AwareDatetime
    expires: AwareDatetime


class _Predicate(_Lenient):
    result: Literal["PASSED"]
    configuration: tuple[_Descriptor, ...]
    passedTests: tuple[str, ...]  # noqa: N815  # the predicate's own spelling
    radsafe: _Validity


class _Statement(_Lenient):
    subject: tuple[_Subject]
    predicateType: Literal["https://in-toto.io/attestation/test-result/v0.1"]  # noqa: N815  # as above
    predicate: _Predicate


def _certificate(statement: _Statement) -> Certificate:
    named = {entry.name: entry for entry in statement.predicate.configuration}
    digests = {name: f"sha256:{entry.digest.sha256}" for name, entry in named.items()}
    subject, suite = statement.subject[0], named["suite"].annotations
    return Certificate(
        policy=NamedDigest(subject.name, subject.annotations["version"], f"sha256:{subject.digest.sha256}"),
        fingerprint=str(named["model"].annotations["fingerprint"]),
        calibration=digests.get("calibration"),
        code=digests["code"],
        version=str(named["code"].annotations["gatekeeper"]),
        suite=NamedDigest(str(suite["name"]), str(suite["version"]), digests["suite"]),
        split=str(suite["split"]),
        questions=int(suite["questions"]),
        notice=str(suite["notice"]),
        prompts=digests.get("prompts"),
        run=digests["run"],
        criteria=digests["criteria"],
        scope=named["criteria"].annotations["scope"],
        baseline=digests.get("baseline"),
        tests=statement.predicate.passedTests,
        numbers=digests["numbers"],
        issued=statement.predicate.radsafe.issued,
        expires=statement.predicate.radsafe.expires,
    )


def _statement(policy: NamedDigest, kind: str, predicate: Mapping[str, Any]) -> bytes:
    subject = {
        "name": policy.name,
        "digest": _digest_set(policy.digest),
        "annotations": {"version": policy.version},
    }
    body = {"_type": STATEMENT, "subject": [subject], "predicateType": kind, "predicate": predicate}
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def _descriptor(name: str, digest: str | None, /, **annotations: Any) -> dict[str, Any]:
    return {"name": name, "digest": _digest_set(digest) if digest else None, "annotations": annotations}


def _digest_set(digest: str) -> dict[str, str]:
    return {"sha256": digest.removeprefix("sha256:")}
