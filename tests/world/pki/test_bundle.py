"""Every way a bundle can be wrong is told."""

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from mesh.world import pki

from .certs import NOW, YEAR, Odd, Signer, bundle, odd, odd_bundle, root

ROOT = root()
GOOD = bundle(ROOT)
OTHER = bundle(ROOT)
FOREIGN = root("other")


def old_root() -> Signer:
    """A root of Istio's makefile: no key identifiers, no path length, more key usages."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Signer(odd(Odd("Root CA", path_length=None), key), key)


def test_a_good_bundle_has_no_problems() -> None:
    found = pki.inspect_bundle(GOOD, NOW)
    assert found.problems == ()
    assert found.certificate == pki.describe(GOOD.ca_cert)
    assert found.root == pki.describe(ROOT.certificate)


def test_certificates_of_the_makefile_of_istio_are_accepted() -> None:
    names = x509.SubjectAlternativeName([x509.DNSName("istiod.istio-system.svc")])
    assert pki.check_bundle(odd_bundle(old_root(), Odd("Intermediate CA", extensions=(names,))), NOW) == ()


def test_a_chain_without_its_root_and_a_bundle_of_two_roots_are_accepted() -> None:
    assert pki.check_bundle(replace(GOOD, cert_chain=GOOD.ca_cert), NOW) == ()
    both = replace(GOOD, root_cert=FOREIGN.certificate + ROOT.certificate)
    found = pki.inspect_bundle(both, NOW)
    assert (found.problems, found.root) == ((), pki.describe(ROOT.certificate))


def test_a_chain_of_three_is_accepted_with_all_of_it() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    middle = Signer(odd(Odd("middle", path_length=None), key, Signer(TOP, TOP_KEY)), key)
    made = odd_bundle(middle, Odd("own"))
    chain = made.ca_cert + middle.certificate
    whole = replace(made, cert_chain=chain + TOP, root_cert=TOP)
    assert pki.check_bundle(whole, NOW) == ()
    assert "is missing" in pki.check_bundle(replace(whole, cert_chain=made.ca_cert), NOW)[0]


TOP_KEY = ec.generate_private_key(ec.SECP256R1())
TOP = odd(Odd("top", path_length=2), TOP_KEY)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"root_cert": FOREIGN.certificate}, "the root at the end of cert-chain.pem is not in it"),
        ({"root_cert": FOREIGN.certificate, "cert_chain": GOOD.ca_cert}, "the issuer of"),
        (
            {"cert_chain": ROOT.certificate + GOOD.ca_cert},
            "does not begin with the certificate of ca-cert.pem",
        ),
        ({"cert_chain": GOOD.ca_cert + FOREIGN.certificate}, "is not followed by its issuer"),
        ({"cert_chain": GOOD.cert_chain + ROOT.certificate}, "is in it twice"),
        ({"root_cert": ROOT.certificate * 2}, "a root is in it twice"),
        ({"ca_cert": GOOD.cert_chain}, "more than the intermediate"),
        ({"ca_key": OTHER.ca_key}, "the key does not belong"),
        ({"ca_key": pki.key_pem(pki.load_key(GOOD.ca_key), "secret")}, "the key has a passphrase"),
        ({"ca_key": b"nonsense"}, "ca-key.pem: it is not a private key"),
        ({"ca_key": b""}, "ca-key.pem: it is missing"),
        ({"ca_cert": ""}, "ca-cert.pem: it is missing"),
        ({"cert_chain": ""}, "cert-chain.pem: it is missing"),
        ({"root_cert": ""}, "root-cert.pem: it is missing"),
        ({"root_cert": "0\x82\x01"}, "root-cert.pem: it has no certificate in PEM form"),
        ({"root_cert": ROOT.certificate.replace("\n", "\r\n")}, "Windows line endings"),
        ({"root_cert": ROOT.certificate + "trailing"}, "text besides certificates"),
        ({"ca_cert": ROOT.certificate, "ca_key": pki.key_pem(ROOT.key)}, "has the name of its issuer"),
    ],
)
def test_a_wrong_file_is_told(changed: dict[str, str | bytes], why: str) -> None:
    problems = pki.check_bundle(replace(GOOD, **changed), NOW)  # type: ignore[arg-type]  # a table of fields
    assert any(why in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (Odd(ca=False), "is not a CA"),
        (Odd(end=NOW), "expired on 2026-05-01 00:00 UTC"),
        (Odd(begin=NOW + timedelta(hours=1)), "is not valid before"),
        (Odd(cert_sign=False), "may not sign certificates"),
        (Odd(extensions=(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]),)), "extended key usage"),
        (
            Odd(extensions=(x509.NameConstraints([x509.UniformResourceIdentifier("prod.local")], None),)),
            "name constraints",
        ),
    ],
)
def test_a_wrong_certificate_is_told(how: Odd, why: str) -> None:
    problems = pki.check_bundle(odd_bundle(ROOT, how), NOW)
    assert any(why in problem for problem in problems), problems


def test_a_weak_or_strange_key_is_told() -> None:
    keys = {
        "rsa-1024": rsa.generate_private_key(public_exponent=65537, key_size=1024),
        "ecdsa-p521": ec.generate_private_key(ec.SECP521R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
    }
    for name, key in keys.items():
        problems = pki.check_bundle(odd_bundle(ROOT, Odd(), key), NOW)
        assert any(f"does not accept: {name}" in problem for problem in problems), problems


def test_a_root_without_room_for_an_intermediate_is_told() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    tight = Signer(odd(Odd("tight", path_length=0), key), key)
    assert "allows 0 CAs below it, 1 needed" in pki.check_bundle(bundle(tight), NOW)[0]


def test_an_expired_root_is_told() -> None:
    later = NOW + 11 * YEAR
    assert any("Root G1" in each and "expired" in each for each in pki.check_bundle(GOOD, later))


def test_two_roots_of_one_name_are_told() -> None:
    twins = [odd(Odd("twin", path_length=1), ec.generate_private_key(ec.SECP256R1())) for _ in range(2)]
    problems = pki.check_bundle(replace(GOOD, root_cert=ROOT.certificate + "".join(twins)), NOW)
    assert problems == ("root-cert.pem: two roots share the name CN=twin",)


def test_a_signature_with_sha1_is_told(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    top = Signer(odd(Odd("top", path_length=1), key), key)
    made = odd_bundle(top, Odd())
    (tmp_path / "top.crt").write_text(top.certificate)
    (tmp_path / "top.key").write_bytes(pki.key_pem(key))
    (tmp_path / "own.key").write_bytes(made.ca_key)
    (tmp_path / "ext").write_text(
        "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n"
    )
    openssl(tmp_path, "req -new -key own.key -subj /CN=own -out own.csr")
    openssl(
        tmp_path, "x509 -req -sha1 -in own.csr -CA top.crt -CAkey top.key -extfile ext -days 9 -out own.crt"
    )
    weak = (tmp_path / "own.crt").read_text()
    now = pki.describe(weak).not_before
    problems = pki.check_bundle(replace(made, ca_cert=weak, cert_chain=weak + top.certificate), now)
    assert any("signed with SHA1" in problem for problem in problems), problems


def openssl(folder: Path, arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True)
