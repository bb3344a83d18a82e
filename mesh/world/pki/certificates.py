"""Certificates as values, and PEM text in and out."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

from mesh.errors import MeshError
from mesh.world.pki.sealed_key import seal

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----\n.*?-----END CERTIFICATE-----\n?", re.DOTALL)
_CURVES = {"secp256r1": "ecdsa-p256", "secp384r1": "ecdsa-p384", "secp521r1": "ecdsa-p521"}

T = TypeVar("T", bound=x509.ExtensionType)
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class CertInfo:
    """The fields of a certificate. Digests read `sha256:<hex>`; times are aware, in UTC.

    `spki` is the digest of the public key as in the certificate; `issuer_key` is the
    authority key identifier in hex, "" if there is none; `key` reads `ecdsa-p256`, `rsa-4096`, ….
    """

    subject: str
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    spki: str
    is_ca: bool
    path_length: int | None
    key: str
    issuer_key: str

    @property
    def is_self_issued(self) -> bool:
        """Whether it names itself as its issuer, as a root does."""
        return self.subject == self.issuer


def describe(pem: str) -> CertInfo:
    """Return the fields of the first certificate of a PEM text; raise MeshError if there is none."""
    return describe_certificate(load_certificates(pem)[0])


def describe_certificate(cert: x509.Certificate) -> CertInfo:
    """Return the fields of a certificate."""
    basic = _extension(cert, x509.BasicConstraints)
    authority = _extension(cert, x509.AuthorityKeyIdentifier)
    return CertInfo(
        subject=cert.subject.rfc4514_string(),
        issuer=cert.issuer.rfc4514_string(),
        serial=f"{cert.serial_number:x}",
        not_before=cert.not_valid_before_utc,
        not_after=cert.not_valid_after_utc,
        fingerprint=f"sha256:{cert.fingerprint(hashes.SHA256()).hex()}",
        spki=spki_of(cert.public_key()),
        is_ca=basic is not None and basic.ca,
        path_length=basic.path_length if basic else None,
        key=algorithm_of(cert.public_key()),
        issuer_key=(authority.key_identifier or b"").hex() if authority else "",
    )


def _extension(cert: x509.Certificate, kind: type[T]) -> T | None:
    with suppress(x509.ExtensionNotFound):
        return cert.extensions.get_extension_for_class(kind).value
    return None


def spki_of(key: PublicKeyTypes) -> str:
    """Return the digest of a public key; it identifies the private key without revealing it."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


def algorithm_of(key: PublicKeyTypes | PrivateKeyTypes) -> str:
    """Return a key's algorithm and size, as the mesh file writes them."""
    if isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey):
        return _CURVES.get(key.curve.name, key.curve.name)
    if isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey):
        return f"rsa-{key.key_size}"
    return type(key).__name__.lower().removesuffix("publickey").removesuffix("privatekey")


def pem_blocks(text: str) -> tuple[str, ...]:
    """Split a PEM text into its certificates, each ending in one newline, bytes otherwise kept."""
    return tuple(block.rstrip("\n") + "\n" for block in _BLOCK.findall(text))


def stray_text(text: str) -> str:
    """Return the text of a PEM file besides its certificates, "" if there is none."""
    return _BLOCK.sub("", text).strip()


def load_certificates(text: str) -> tuple[x509.Certificate, ...]:
    """Parse every certificate of a PEM text; raise MeshError if there is none or one is damaged."""
    try:
        return tuple(x509.load_pem_x509_certificates(text.encode()))
    except (ValueError, UnicodeError) as error:
        raise MeshError("it has no certificate in PEM form, or a damaged one") from error


def load_key(pem: bytes, passphrase: str = "") -> PrivateKey:
    """Parse a private key; raise MeshError with the problem, never with the content."""
    # The arithmetic of an RSA key is not checked, which takes 0.2 s: every certificate that it signs is
    # verified against the public key before use, so a damaged key cannot go unnoticed.
    try:
        key = serialization.load_pem_private_key(
            pem, passphrase.encode() or None, unsafe_skip_rsa_key_validation=True
        )
    except TypeError:
        raise MeshError(
            "the key has a passphrase" if not passphrase else "the key has no passphrase, but one is set"
        ) from None
    except ValueError:
        raise MeshError(
            "the passphrase is wrong" if passphrase else "it is not a private key in PEM form"
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise MeshError(f"{algorithm_of(key)} keys are supported by neither istiod nor ztunnel")
    return key


def key_pem(key: PrivateKey, passphrase: str = "") -> bytes:
    """Return a private key as PKCS#8, encrypted if there is a passphrase."""
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    if passphrase:
        return seal(key.private_bytes(serialization.Encoding.DER, form, plain), passphrase)
    return key.private_bytes(serialization.Encoding.PEM, form, plain)


def hash_for(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384:
    """Return the digest for signatures of a key; webpki accepts no other for P-384."""
    is_p384 = isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp384r1"
    return hashes.SHA384() if is_p384 else hashes.SHA256()
