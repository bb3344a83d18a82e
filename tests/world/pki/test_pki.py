"""What is issued has the profile, and two engines accept it."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.verification import PolicyBuilder, Store

from mesh.errors import MeshError
from mesh.world import pki
from mesh.world.pki.path_validation import _leaf

from .certs import NOW, YEAR, Odd, bundle, odd, root

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


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_openssl_and_the_strict_verifier_accept_a_workload_under_it(algorithm: str, tmp_path: Path) -> None:
    signer = root()
    made = bundle(signer, key=algorithm)
    own, key = load(made.ca_cert), pki.load_key(made.ca_key)
    leaf = _leaf(own, key, NOW)
    policy = PolicyBuilder().store(Store([load(signer.certificate)])).time(NOW)
    policy.build_client_verifier().verify(leaf, [own])
    for name, pem in {"root": signer.certificate, "own": made.ca_cert}.items():
        (tmp_path / name).write_text(pem)
    (tmp_path / "leaf").write_bytes(leaf.public_bytes(Encoding.PEM))
    base = ["openssl", "verify", "-x509_strict", "-attime", str(int(NOW.timestamp())), "-CAfile"]
    for rest in (["own"], ["-untrusted", "own", "leaf"]):
        done = subprocess.run(
            [*base, "root", *rest], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert pki.check_bundle(made, NOW) == ()


def test_a_key_comes_back_only_with_its_passphrase() -> None:
    signer = root()
    encrypted = pki.key_pem(signer.key, "open sesame")
    chain = (signer.certificate,)
    assert b"ENCRYPTED" in encrypted
    assert pki.load_authority(chain, encrypted, "open sesame").chain == chain
    for passphrase, why in {"": "has a passphrase", "wrong": "passphrase is wrong"}.items():
        with pytest.raises(MeshError, match=why):
            pki.load_key(encrypted, passphrase)
    with pytest.raises(MeshError, match="has no passphrase"):
        pki.load_key(pki.key_pem(signer.key), "open sesame")


def test_a_key_that_is_not_that_of_the_certificate_is_refused() -> None:
    with pytest.raises(MeshError, match="does not belong"):
        pki.load_authority((root().certificate,), pki.key_pem(root().key))


def test_a_key_of_a_kind_that_istiod_does_not_take_is_refused() -> None:
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    with pytest.raises(MeshError, match="ed25519"):
        pki.load_key(pem)


def test_keys_are_not_shown() -> None:
    signer = root()
    shown = repr(signer.authority) + repr(bundle(signer))
    assert "PRIVATE" not in shown


def test_an_unknown_algorithm_is_named() -> None:
    with pytest.raises(MeshError, match="ed25519 is not a key algorithm"):
        pki.new_key("ed25519")


def test_a_root_may_sign_for_clusters() -> None:
    assert pki.check_authority(root().certificate, NOW) == ()


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (Odd(path_length=None, ca=False), "is not a CA"),
        (Odd(path_length=0), "allows 0 CAs below it, 1 needed"),
        (Odd(path_length=1, end=NOW), "expired"),
        (Odd(path_length=1, begin=NOW + timedelta(days=1)), "not valid before"),
        (Odd(path_length=1, cert_sign=False), "may not sign"),
    ],
)
def test_a_root_that_may_not_sign_is_refused(how: Odd, why: str) -> None:
    pem = odd(how, ec.generate_private_key(ec.SECP256R1()))
    assert any(why in problem for problem in pki.check_authority(pem, NOW))


def test_a_signer_below_the_root_needs_its_issuers_in_the_file() -> None:
    signer, key = root(), ec.generate_private_key(ec.SECP256R1())
    top = odd(Odd("top", path_length=None), key)
    below = odd(Odd("below", path_length=1), pki.new_key("ecdsa-p256"), type(signer)(top, key))
    assert pki.check_authority(below + top, NOW) == ()
    assert "is not a root" in pki.check_authority(below, NOW)[0]
    assert any("not followed by its issuer" in each for each in pki.check_authority(top + below, NOW))


def test_what_is_no_certificate_is_said_to_be_none() -> None:
    assert "no certificate" in pki.check_authority("", NOW)[0]
    with pytest.raises(MeshError, match="no certificate"):
        pki.describe("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


def test_pem_blocks_keep_their_bytes() -> None:
    one, two = root().certificate, root().certificate
    assert pki.pem_blocks(f"a comment\n{one}\n\n{two.rstrip()}") == (one, two)


SIGNER = """
import sys, datetime
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from mesh.world import pki
folder = sys.argv[1]
request = x509.load_pem_x509_csr(sys.stdin.buffer.read())
root = open(folder + "/root.crt").read()
authority = pki.load_authority((root,), open(folder + "/root.key", "rb").read())
now = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)
life = datetime.timedelta(days=9)
print(pki.issue_intermediate(authority, request.public_key(), "by/command", validity=life, now=now) + root)
"""


def test_a_command_signs_a_request(tmp_path: Path) -> None:
    signer = root()
    (tmp_path / "root.crt").write_text(signer.certificate)
    (tmp_path / "root.key").write_bytes(pki.key_pem(signer.key))
    key = pki.new_key("ecdsa-p256")
    request = pki.request_intermediate(key, "prod/cluster1", now=NOW)
    argv = (sys.executable, "-c", SIGNER, str(tmp_path))
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    own, top = pki.pem_blocks(pki.sign_with_command(argv, request, env=env, folder=tmp_path))
    assert pki.check_bundle(pki.Bundle(own, pki.key_pem(key), own + top, top), NOW) == ()


def test_a_command_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="ended with code 3: no such role"):
        pki.sign_with_command(("sh", "-c", "echo no such role >&2; exit 3"), "", env={}, folder=tmp_path)
    with pytest.raises(MeshError, match="could not be run"):
        pki.sign_with_command(("./none",), "", env={}, folder=tmp_path)
