"""Nothing but a certificate for exactly this policy, model, calibration and code clears a deployment."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gatekeeper.certificate import Override, clear
from gatekeeper.errors import CertificateError
from tests.certificate.conftest import NOW, SERVED, Signer

OTHER = "sha256:" + "f" * 64
OVERRIDE = Override("Dr. A. Example", "certified model is down", NOW + timedelta(hours=8))


def test_a_certificate_that_binds_everything_clears_until_it_expires(signer: Signer) -> None:
    """The operator sees the policy certified, by whom and until when."""
    opened = signer.opened()
    clearance = clear(SERVED, [opened], NOW)
    assert clearance.certified is True
    assert (clearance.signer, clearance.until) == ("hospital", opened.certificate.expires)


@pytest.mark.parametrize(
    ("code", "served"),
    [
        ("policy", {"policy": OTHER}),
        ("model", {"fingerprint": "openai:model-b"}),
        ("calibration", {"calibration": OTHER}),
        ("calibration", {"calibration": None}),
        ("code", {"code": OTHER}),
    ],
)
def test_each_binding_that_differs_is_denied_and_named(
    signer: Signer, code: str, served: dict[str, Any]
) -> None:
    """A start that is refused says which of policy, model, calibration and code is another."""
    with pytest.raises(CertificateError) as refused:
        clear(replace(SERVED, **served), [signer.opened()], NOW)
    assert refused.value.code == code
    assert f"its {code} is" in refused.value.message


def test_a_certificate_without_calibration_does_not_clear_a_calibrated_deployment(signer: Signer) -> None:
    """Adding a calibration after certification voids the certificate."""
    with pytest.raises(CertificateError) as refused:
        clear(SERVED, [signer.opened(calibration=None)], NOW)
    assert refused.value.code == "calibration"


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("expired", {"expires": NOW}),
        ("not_yet_valid", {"issued": NOW + timedelta(hours=1)}),
    ],
)
def test_a_certificate_outside_its_time_is_denied(signer: Signer, code: str, changes: dict[str, Any]) -> None:
    """An expired certificate, or one from the future, starts nothing."""
    with pytest.raises(CertificateError) as refused:
        clear(SERVED, [signer.opened(**changes)], NOW)
    assert refused.value.code == code


def test_without_any_certificate_the_refusal_says_how_to_get_one() -> None:
    """An operator who has none is told the command that mints one."""
    with pytest.raises(CertificateError, match="certify mint") as refused:
        clear(SERVED, [], NOW)
    assert refused.value.code == "absent"


def test_of_several_certificates_the_nearest_failure_names_the_code(signer: Signer) -> None:
    """With an old certificate of another policy beside an expired one, the expiry is what is reported."""
    files = [signer.opened(policy=OTHER), signer.opened(expires=NOW)]
    with pytest.raises(CertificateError) as refused:
        clear(SERVED, files, NOW)
    assert refused.value.code == "expired"
    assert "its policy is" in refused.value.message


def test_the_longest_of_several_valid_certificates_counts(signer: Signer) -> None:
    """A renewed certificate takes over without the old one being removed."""
    longer = signer.opened(expires=NOW + timedelta(days=200))
    clearance = clear(SERVED, [longer, signer.opened()], NOW)
    assert clearance.certificate == longer.digest


def test_an_override_serves_without_ever_saying_certified() -> None:
    """Breaking the glass gives service until its end, uncertified."""
    clearance = clear(SERVED, [], NOW, OVERRIDE)
    assert (clearance.certified, clearance.until) == (False, OVERRIDE.until)
    clearance.check("any model at all", NOW)


def test_a_valid_certificate_makes_an_override_pointless(signer: Signer) -> None:
    """An override that is not needed does not take the certificate's place."""
    assert clear(SERVED, [signer.opened()], NOW, OVERRIDE).certified is True


@pytest.mark.parametrize(
    "override",
    [
        replace(OVERRIDE, by=" "),
        replace(OVERRIDE, reason=""),
        replace(OVERRIDE, until=NOW),
        replace(OVERRIDE, until=NOW + timedelta(days=8)),
        replace(OVERRIDE, until=OVERRIDE.until.replace(tzinfo=None)),
    ],
)
def test_an_incomplete_or_endless_override_is_denied(override: Override) -> None:
    """No anonymous, unexplained, ended or open-ended override starts a process."""
    with pytest.raises(CertificateError) as refused:
        clear(SERVED, [], NOW, override)
    assert refused.value.code == "override"


def test_a_clearance_ends_with_its_time_and_its_model(signer: Signer) -> None:
    """Once the certificate expires, or another model answers, nothing more is served under it."""
    clearance = clear(SERVED, [signer.opened()], NOW)
    clearance.check(SERVED.fingerprint, NOW)
    with pytest.raises(CertificateError) as swapped:
        clearance.check("openai:model-b", NOW)
    with pytest.raises(CertificateError) as late:
        clearance.check(SERVED.fingerprint, clearance.until)
    assert {swapped.value.code, late.value.code} == {"not_certified"}
    assert "another model" in swapped.value.message
    assert "expired" in late.value.message
