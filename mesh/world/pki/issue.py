"""New keys and certificates, all of one profile.

The profile is the strictest that istiod (Go's x509), ztunnel (webpki) and Envoy all accept: no
name constraints (webpki refuses URI ones), no extended key usage (Go would then require
serverAuth), path lengths 1 and 0, key identifiers on both sides, a different subject for every
certificate, random serials, and a start ten minutes ago for clocks that are slow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import NameOID

from mesh.errors import MeshError
from mesh.world.pki.certificates import PrivateKey, hash_for, load_certificates, load_key, spki_of

SKEW = timedelta(minutes=10)
_NAME_LIMIT = 44
"""Characters of the name proper in a common name, which X.509 limits to 64 in all."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A signer: the certificates from the signer up to the root (PEM), and the signer's key."""

    chain: tuple[str, ...]
    key: PrivateKey = field(repr=False)

    @property
    def certificate(self) -> x509.Certificate:
        """The signer's own certificate."""
        return load_certificates(self.chain[0])[0]


def load_authority(chain: tuple[str, ...], key: bytes, passphrase: str = "") -> Issuer:
    """Return the signer of a chain and its key; raise MeshError if the key does not belong to the chain."""
    authority = Issuer(chain, load_key(key, passphrase))
    if spki_of(authority.certificate.public_key()) != spki_of(authority.key.public_key()):
        raise MeshError("the key does not belong to the certificate")
    return authority


def new_key(algorithm: str) -> PrivateKey:
    """Generate a key; `algorithm` is one of `mesh.model.spec.KeyAlgorithm`."""
    match algorithm:
        case "ecdsa-p256":
            return ec.generate_private_key(ec.SECP256R1())
        case "ecdsa-p384":
            return ec.generate_private_key(ec.SECP384R1())
        case "rsa-4096":
            return rsa.generate_private_key(public_exponent=65537, key_size=4096)
    raise MeshError(f"{algorithm} is not a key algorithm: use ecdsa-p256, ecdsa-p384 or rsa-4096")


def issue_root(key: PrivateKey, mesh: str, *, validity: timedelta, now: datetime) -> str:
    """Return a root certificate for a key, signed with that key, as PEM."""
    name = _name(f"{mesh[:_NAME_LIMIT]} Root G1 {_short_id(key.public_key())}")
    builder = _builder(key.public_key(), name, path_length=1)
    return _sign(builder.issuer_name(name), key, now, now + validity)


def issue_intermediate(
    authority: Issuer, key: PublicKeyTypes, name: str, *, validity: timedelta, now: datetime
) -> str:
    """Return the certificate (PEM) of a cluster's key under `name` (`<mesh>/<cluster>`)."""
    signer = authority.certificate
    # It ends no later than any issuer: a chain is valid only while every part is, so a later date hides
    # the day on which the cluster's identities stop working.
    ends = [cert.not_valid_after_utc for pem in authority.chain for cert in load_certificates(pem)]
    builder = _builder(key, _intermediate_name(key, name, now), path_length=0)
    builder = builder.issuer_name(signer.subject).add_extension(_authority_id(signer), critical=False)
    return _sign(builder, authority.key, now, min(now + validity, *ends))


def request_intermediate(key: PrivateKey, name: str, *, now: datetime) -> str:
    """Return a PKCS#10 request (PEM) for the same certificate, for another signer."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        _intermediate_name(key.public_key(), name, now)
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(), critical=True)
    request = builder.sign(key, hash_for(key))
    return request.public_bytes(serialization.Encoding.PEM).decode()


def _intermediate_name(key: PublicKeyTypes, name: str, now: datetime) -> x509.Name:
    return _name(f"{name[:_NAME_LIMIT]} CA {now:%Y%m} {_short_id(key)}")


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "mesh"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _short_id(key: PublicKeyTypes) -> str:
    return _subject_id(key).digest.hex()[:8]


def _subject_id(key: PublicKeyTypes) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key)  # type: ignore[arg-type]  # a certificate's key is one


def _authority_id(signer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Return the signer's own key identifier, which need not be the digest of its key."""
    try:
        known = signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        known = _subject_id(signer.public_key())
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known)


def _builder(key: PublicKeyTypes, subject: x509.Name, *, path_length: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)  # type: ignore[arg-type]  # a certificate's key is one
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage(), critical=True)
        .add_extension(_subject_id(key), critical=False)
    )


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _sign(builder: x509.CertificateBuilder, key: PrivateKey, now: datetime, end: datetime) -> str:
    dated = builder.not_valid_before(now - SKEW).not_valid_after(end)
    return dated.sign(key, hash_for(key)).public_bytes(serialization.Encoding.PEM).decode()
