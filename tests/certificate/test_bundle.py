"""Certificate files: what was signed is read back, and nothing else is believed."""

import base64
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatekeeper.certificate import open_certificate
from gatekeeper.certificate.dsse import Envelope, sign, verify
from gatekeeper.certificate.statement import read_certificate_statement
from gatekeeper.errors import CertificateError
from tests.certificate.conftest import NOW, NUMBERS, SERVED, Signer


def test_a_certificate_reads_back_as_it_was_written(signer: Signer) -> None:
    """What the file says is what was minted, and re-reading its statement changes nothing."""
    opened = signer.opened(baseline="sha256:" + "8" * 64)
    said = opened.certificate
    assert (said.policy.digest, said.fingerprint, said.code) == (
        SERVED.policy,
        SERVED.fingerprint,
        SERVED.code,
    )
    assert (said.questions, said.split, said.baseline) == (120, "certification", "sha256:" + "8" * 64)
    assert opened.numbers == NUMBERS
    assert read_certificate_statement(said.statement()) == said


def test_the_statement_is_an_in_toto_test_result_about_the_policy(signer: Signer) -> None:
    """Standard supply-chain tools find subject, predicate type and configuration where they look for them."""
    statement = orjson.loads(signer.opened().certificate.statement())
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert statement["subject"][0]["digest"] == {"sha256": SERVED.policy.removeprefix("sha256:")}
    assert statement["predicate"]["result"] == "PASSED"
    for descriptor in statement["predicate"]["configuration"]:
        assert set(descriptor["digest"]) == {"sha256"}


def test_a_key_that_is_not_trusted_is_denied(new_signer: Callable[[str], Signer]) -> None:
    """A certificate that somebody else signed opens nothing here."""
    path = new_signer("somebody").certificate()
    with pytest.raises(CertificateError) as refused:
        open_certificate(path, new_signer("hospital").trusted)
    assert refused.value.code == "unknown_key"


@pytest.mark.parametrize("line", [0, 1])
def test_a_changed_payload_is_denied_as_tampered(signer: Signer, line: int) -> None:
    """Editing the result or the numbers after signing is noticed."""
    path = signer.certificate()
    lines = [orjson.loads(entry) for entry in path.read_bytes().splitlines()]
    payload = base64.b64decode(lines[line]["payload"])
    changed = payload.replace(b'"1.0"', b'"1.1"')
    assert changed != payload
    lines[line]["payload"] = base64.b64encode(changed).decode()
    path.write_bytes(b"\n".join(orjson.dumps(entry) for entry in lines))
    with pytest.raises(CertificateError) as refused:
        open_certificate(path, signer.trusted)
    assert refused.value.code == "tampered"


def test_numbers_of_another_certificate_are_denied(signer: Signer) -> None:
    """Two genuine halves of two certificates do not make one."""
    first, second = signer.certificate(), signer.certificate(policy="sha256:" + "e" * 64)
    first.write_bytes(first.read_bytes().splitlines()[0] + b"\n" + second.read_bytes().splitlines()[1])
    with pytest.raises(CertificateError) as refused:
        open_certificate(first, signer.trusted)
    assert refused.value.code == "tampered"


def test_unknown_lines_of_a_bundle_are_passed_over(signer: Signer) -> None:
    """A bundle that carries other attestations too still opens."""
    path = signer.certificate()
    other = Envelope(b"{}", (), "application/vnd.other+json").to_json()
    path.write_bytes(other + b"\nnot even json\n" + path.read_bytes())
    assert open_certificate(path, signer.trusted).certificate.issued < NOW


@pytest.mark.parametrize("lines", [[0], [1], [0, 0, 1], []])
def test_missing_or_doubled_statements_are_denied(signer: Signer, lines: list[int]) -> None:
    """A certificate without its numbers, or with two results, is none."""
    path = signer.certificate()
    both = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join(both[line] for line in lines))
    with pytest.raises(CertificateError) as refused:
        open_certificate(path, signer.trusted)
    assert refused.value.code == "unreadable"


def test_an_absent_file_is_named(signer: Signer, tmp_path: Path) -> None:
    """A mistyped path is reported as such."""
    with pytest.raises(CertificateError, match=r"nowhere\.jsonl") as refused:
        open_certificate(tmp_path / "nowhere.jsonl", signer.trusted)
    assert refused.value.code == "absent"


@given(data=st.binary(max_size=400))
def test_arbitrary_bytes_never_pass_for_an_envelope(data: bytes) -> None:
    """Whatever stands in a file, reading it ends in an envelope or a plain refusal."""
    try:
        envelope = Envelope.from_json(data)
    except CertificateError as error:
        assert error.code == "unreadable"
    else:
        assert Envelope.from_json(envelope.to_json()) == envelope


@given(payload=st.binary(max_size=200), place=st.integers(0, 10_000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_single_changed_bit_breaks_a_signature(signer: Signer, payload: bytes, place: int) -> None:
    """One bit of payload or signature is enough for a refusal."""
    envelope = sign(payload, signer.key)
    assert verify(envelope, signer.trusted).name == "hospital"
    signed = envelope.signatures[0]
    whole = bytearray(payload + signed.value)
    whole[place % len(whole)] ^= 1 << place % 8
    forged = Envelope(bytes(whole[:-64]), (signed._replace(value=bytes(whole[-64:])),))
    with pytest.raises(CertificateError) as refused:
        verify(forged, signer.trusted)
    assert refused.value.code == "tampered"
