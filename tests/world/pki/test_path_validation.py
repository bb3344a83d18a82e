"""Two engines accept what is issued."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import PolicyBuilder, Store

from mesh.world import pki
from mesh.world.pki.path_validation import _leaf

from .certs import NOW, bundle, root

ALGORITHMS = ("ecdsa-p256", "ecdsa-p384", "rsa-4096")


def load(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


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
