"""What is issued has the profile."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509

from mesh.errors import MeshError
from mesh.world import pki

from .certs import NOW, YEAR, bundle, root

ALGORITHMS = ("ecdsa-p256", "ecdsa-p384", "rsa-4096")


def load(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def test_a_root_has_the_profile() -> None:
    cert = load(root().certificate)
    info = pki.describe(root().certificate)
    usage = cert.extensions.get_extension_for_class(x509.KeyUsage)
    assert (info.key, info.is_ca, info.path_length) == ("ecdsa-p384", True, 1)
    assert (
        usage.critical,
        usage.value.key_cert_sign,
        usage.value.crl_sign,
        usage.value.digital_signature,
    ) == (
        True,
        True,
        True,
        False,
    )
    assert {each.oid._name for each in cert.extensions} == {
        "basicConstraints",
        "keyUsage",
        "subjectKeyIdentifier",
    }
    assert cert.not_valid_before_utc == NOW - timedelta(minutes=10)
    assert cert.serial_number.bit_length() > 64


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_intermediate_has_the_profile(algorithm: str) -> None:
    signer = root()
    cert = load(bundle(signer, key=algorithm).ca_cert)
    info = pki.describe(bundle(signer, key=algorithm).ca_cert)
    assert (info.key, info.is_ca, info.path_length) == (algorithm, True, 0)
    assert info.issuer == pki.describe(signer.certificate).subject != info.subject
    assert {each.oid._name for each in cert.extensions} == {
        "basicConstraints",
        "keyUsage",
        "subjectKeyIdentifier",
        "authorityKeyIdentifier",
    }
    above = load(signer.certificate).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert info.issuer_key == above.digest.hex()


def test_subjects_are_unique_and_short_enough_whatever_the_names() -> None:
    signer, name = root("m" * 200), f"{'m' * 63}/{'c' * 63}"
    keys = [pki.new_key("ecdsa-p256") for _ in range(2)]
    subjects = {
        pki.describe(
            pki.issue_intermediate(signer.authority, k.public_key(), name, validity=YEAR, now=NOW)
        ).subject
        for k in keys
    }
    assert len(subjects) == len(keys)


def test_an_intermediate_never_outlives_its_root() -> None:
    signer = root()
    cert = pki.describe(bundle(signer, validity=20 * YEAR).ca_cert)
    assert cert.not_after == pki.describe(signer.certificate).not_after


def test_keys_are_not_shown() -> None:
    signer = root()
    shown = repr(signer.authority) + repr(bundle(signer))
    assert "PRIVATE" not in shown


def test_an_unknown_algorithm_is_named() -> None:
    with pytest.raises(MeshError, match="ed25519 is not a key algorithm"):
        pki.new_key("ed25519")


def test_a_key_that_is_not_that_of_the_certificate_is_refused() -> None:
    with pytest.raises(MeshError, match="does not belong"):
        pki.load_authority((root().certificate,), pki.key_pem(root().key))
