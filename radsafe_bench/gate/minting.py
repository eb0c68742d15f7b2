"""From a verdict that passed to a signed certificate; no other verdict can become one."""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gatekeeper.certificate import Certificate, digest_of, numbers_statement, write_certificate
from gatekeeper.errors import CertificateError
from radsafe_bench.gate.baseline import numbers_of
from radsafe_bench.gate.criteria import CONFIDENCE, Result
from radsafe_bench.gate.reporting import to_json
from radsafe_bench.gate.trial import RECORDED
from radsafe_bench.gate.verdict import UNBOUND, Verdict


def mint(verdict: Verdict, key: Ed25519PrivateKey, path: Path, *, issued: datetime, lasts: timedelta) -> None:
    """Sign what a verdict says and write the certificate.

    Raises CertificateError unless the verdict is `pass`, for decisions of a serving gate, whose model and
    code cannot be seen from outside, and where the policy would believe any judging model.
    """
    basis = verdict.basis
    if verdict.result is not Result.PASS or basis is None:
        raise CertificateError(f"the verdict is {verdict.result.value}: only a pass can be certified")
    if basis.source != RECORDED:
        raise CertificateError("a serving gate's model and code are not known; certify a recorded run")
    if basis.judge == UNBOUND:
        raise CertificateError(
            "the policy's checks would believe any judging model: name the one that was recorded "
            "(`fingerprint` of `judge` and `options`; calls.jsonl shows it), and judge the policy again"
        )
    numbers = {"confidence": CONFIDENCE, **to_json(verdict), **numbers_of(verdict)}
    second = numbers_statement(basis.policy, numbers)
    certificate = Certificate(
        policy=basis.policy,
        fingerprint=basis.fingerprint,
        calibration=basis.calibration,
        code=basis.code,
        version=basis.version,
        suite=basis.suite,
        split=basis.split,
        questions=basis.questions,
        notice=basis.notice,
        prompts=basis.prompts,
        run=basis.records,
        criteria=basis.criteria,
        scope=basis.scope,
        baseline=basis.baseline,
        tests=tuple(row.name for row in verdict.rows),
        numbers=digest_of(second),
        issued=issued,
        expires=issued + lasts,
    )
    write_certificate(path, (certificate.statement(), second), key)
