"""Roots and intermediates made with openssl, in the shape of the guide's Makefile."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = """[req]
distinguished_name = name
x509_extensions = ca
prompt = no
[name]
O = Istio
CN = Root CA
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, digitalSignature, nonRepudiation, keyEncipherment, keyCertSign
subjectKeyIdentifier = hash
"""
INTERMEDIATE = """[ca]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, digitalSignature, nonRepudiation, keyEncipherment, keyCertSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:istiod.istio-system.svc
"""
PLAIN = """[ca]
basicConstraints = critical, CA:false
"""


@dataclass(frozen=True, slots=True)
class Root:
    """A root of trust in a folder of its own."""

    folder: Path

    @property
    def pem(self) -> str:
        """The root's certificate."""
        return (self.folder / "root.crt").read_text()

    def intermediate(self, cluster: str, *, extensions: str = INTERMEDIATE) -> dict[str, str]:
        """The four files of `cacerts` with a new key."""
        extension, request = self.folder / "ext.cnf", self.folder / "i.csr"
        extension.write_text(extensions)
        subject = ["-subj", f"/O=Istio/CN=Intermediate CA/L={cluster}"]
        _openssl(self.folder, "req", "-new", *KEY, "-keyout", "i.key", "-out", request.name, *subject)
        _openssl(
            self.folder,
            *("x509", "-req", "-in", request.name, "-out", "i.crt", "-CA", "root.crt", "-CAkey", "root.key"),
            *("-extfile", extension.name, "-extensions", "ca", "-CAcreateserial"),
            *("-days", "730"),
        )
        return self._files((self.folder / "i.crt").read_text(), (self.folder / "i.key").read_text())

    def expired(self) -> dict[str, str]:
        """The four files of `cacerts` with a certificate of the past, which openssl 3.0 cannot make."""
        issuer = x509.load_pem_x509_certificate(self.pem.encode())
        signer = serialization.load_pem_private_key((self.folder / "root.key").read_bytes(), None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Intermediate CA")]))
            .issuer_name(issuer.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(2021, 1, 1, tzinfo=UTC))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(signer, hashes.SHA256())
        )
        plain = serialization.NoEncryption()
        return self._files(
            certificate.public_bytes(serialization.Encoding.PEM).decode(),
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode(),
        )

    def _files(self, certificate: str, key: str) -> dict[str, str]:
        return {
            "ca-cert.pem": certificate,
            "ca-key.pem": key,
            "cert-chain.pem": certificate + self.pem,
            "root-cert.pem": self.pem,
        }


KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def root(folder: Path) -> Root:
    """A new root."""
    folder.mkdir(parents=True)
    (folder / "root.cnf").write_text(ROOT)
    _openssl(
        folder,
        *("req", "-x509", "-new", *KEY, "-keyout", "root.key", "-out", "root.crt"),
        *("-days", "3650", "-config", "root.cnf"),
    )
    return Root(folder)


def _openssl(folder: Path, *args: str) -> None:
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True, timeout=150)
