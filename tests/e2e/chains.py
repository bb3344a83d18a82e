"""Two opinions on a cluster's chain of trust, neither of them ours: openssl's and cryptography's."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from tests.conftest import Tool


def cacerts(kubectl: Tool, cluster: str) -> dict[str, bytes]:
    """The four files of a cluster's Secret `cacerts`."""
    secret = json.loads(kubectl(cluster, "get", "secret", "-n", "istio-system", "cacerts", "-o", "json"))
    return {name: base64.b64decode(value) for name, value in secret["data"].items()}


def fingerprint(pem: bytes) -> str:
    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()


def workload(files: dict[str, bytes], spiffe: str) -> bytes:
    """A workload's certificate, as istiod would sign it with the cluster's intermediate."""
    issuer = x509.load_pem_x509_certificate(files["ca-cert.pem"])
    key = load_pem_private_key(files["ca-key.pem"], None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer.subject)
        .public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(spiffe)]), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    return signed.public_bytes(Encoding.PEM)


def openssl_verifies(root: bytes, files: dict[str, bytes], leaf: bytes, folder: Path) -> None:
    folder.mkdir()
    for name, content in {**files, "root.pem": root, "leaf.pem": leaf}.items():
        (folder / name).write_bytes(content)
    for argv in (["ca-cert.pem"], ["-untrusted", "ca-cert.pem", "leaf.pem"]):
        command = ["openssl", "verify", "-x509_strict", "-CAfile", "root.pem", *argv]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{argv[-1]}: OK\n"


def cryptography_verifies(root: bytes, files: dict[str, bytes], leaf: bytes) -> None:
    store = Store([x509.load_pem_x509_certificate(root)])
    chain = [x509.load_pem_x509_certificate(files["ca-cert.pem"])]
    verifier = PolicyBuilder().store(store).build_client_verifier()
    assert len(verifier.verify(x509.load_pem_x509_certificate(leaf), chain).chain) == 3
