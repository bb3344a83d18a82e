"""Roots and intermediates made with openssl, in the shape of the guide's Makefile."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

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

    def intermediate(self, cluster: str, *, days: int = 730, extensions: str = INTERMEDIATE) -> dict[str, str]:
        """The four files of `cacerts`; `days` may be negative: expired."""
        extension, request = self.folder / "ext.cnf", self.folder / "i.csr"
        extension.write_text(extensions)
        subject = ["-subj", f"/O=Istio/CN=Intermediate CA/L={cluster}"]
        _openssl(self.folder, "req", "-new", *KEY, "-keyout", "i.key", "-out", request.name, *subject)
        _openssl(
            self.folder,
            *("x509", "-req", "-in", request.name, "-out", "i.crt", "-CA", "root.crt", "-CAkey", "root.key"),
            *("-extfile", extension.name, "-extensions", "ca", "-CAcreateserial"),
            *("-days", str(days)),
        )
        certificate = (self.folder / "i.crt").read_text()
        return {
            "ca-cert.pem": certificate,
            "ca-key.pem": (self.folder / "i.key").read_text(),
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
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True, timeout=30)
