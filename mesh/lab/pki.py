"""Certificates of a lab cluster: its CA, a serving certificate, and client certificates."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Longer than any lab lives; the start is early enough for a clock that is an hour off.
VALID = timedelta(days=365)
SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a client: the API server reads `name` as the user and `group` as its group."""

    name: str
    group: str


#: kwok and the controller manager replace kubelets and about forty controllers with an account each. One
#: admin identity for all of them saves forty token requests, and is safe on a loopback cluster.
CLIENTS = {
    "admin": Identity("lab-admin", "system:masters"),
    "kube-controller-manager": Identity("system:kube-controller-manager", "system:masters"),
    "kube-scheduler": Identity("system:kube-scheduler", "system:kube-scheduler"),
    "kwok": Identity("system:kwok", "system:masters"),
    "kubelet": Identity("system:kubelet", "system:masters"),
}


def write(folder: Path, *, cluster: str, service_ip: str) -> None:
    """Write the pairs `ca`, `server` and those of `CLIENTS` (.crt, .key), and `sa.key`, to `folder`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = _key()
    issuer = _name(f"{cluster} lab CA")
    ca = _base(issuer, issuer, authority.public_key(), authority)
    root = ca.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    root = root.add_extension(_usage(signs_certificates=True), critical=True)
    _write_pair(folder, "ca", root.sign(authority, hashes.SHA256()), authority)
    for name, leaf in _leaves(service_ip).items():
        key = _key()
        certificate = _base(leaf.subject, issuer, key.public_key(), authority)
        certificate = certificate.add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        )
        certificate = certificate.add_extension(_usage(signs_certificates=False), critical=True)
        certificate = certificate.add_extension(x509.ExtendedKeyUsage([leaf.usage]), critical=False)
        if leaf.names is not None:
            certificate = certificate.add_extension(leaf.names, critical=False)
        _write_pair(folder, name, certificate.sign(authority, hashes.SHA256()), key)
    _write_secret(folder / "sa.key", _pem(_key()))


@dataclass(frozen=True, slots=True)
class _Leaf:
    subject: x509.Name
    usage: x509.ObjectIdentifier
    names: x509.SubjectAlternativeName | None = None


def _leaves(service_ip: str) -> dict[str, _Leaf]:
    hosts = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
    names = x509.SubjectAlternativeName(
        [x509.DNSName(host) for host in hosts]
        + [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", service_ip)]
    )
    server = _Leaf(_name("kube-apiserver"), ExtendedKeyUsageOID.SERVER_AUTH, names)
    clients = {
        name: _Leaf(_name(who.name, who.group), ExtendedKeyUsageOID.CLIENT_AUTH)
        for name, who in CLIENTS.items()
    }
    return {"server": server, **clients}


def _base(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    authority: ec.EllipticCurvePrivateKey,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False
        )
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str, organization: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    # Not PKCS #8: the API server accepts service account keys only as "EC PRIVATE KEY".
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _write_pair(
    folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> None:
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    _write_secret(folder / f"{name}.key", _pem(key))


def _write_secret(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
