"""Certificates with one thing wrong with them, for tests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from mesh.world import pki

NOW = datetime(2026, 5, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Signer:
    certificate: str
    key: pki.PrivateKey

    @property
    def authority(self) -> pki.Issuer:
        return pki.Issuer((self.certificate,), self.key)


def root(mesh: str = "prod", now: datetime = NOW) -> Signer:
    key = pki.new_key("ecdsa-p384")
    return Signer(pki.issue_root(key, mesh, validity=10 * YEAR, now=now), key)


def bundle(
    signer: Signer, *, key: str = "ecdsa-p256", validity: timedelta = YEAR, now: datetime = NOW
) -> pki.Bundle:
    own = pki.new_key(key)
    cert = pki.issue_intermediate(
        signer.authority, own.public_key(), "prod/cluster1", validity=validity, now=now
    )
    return pki.Bundle(cert, pki.key_pem(own), cert + signer.certificate, signer.certificate)


@dataclass(frozen=True)
class Odd:
    """A certificate to be made by hand; what is not said is as the profile has it."""

    subject: str = "odd"
    ca: bool = True
    path_length: int | None = 0
    extensions: tuple[x509.ExtensionType, ...] = ()
    begin: datetime = NOW - timedelta(days=1)
    end: datetime = NOW + YEAR
    cert_sign: bool = True


AnyKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def odd(how: Odd, key: AnyKey, issuer: Signer | None = None) -> str:
    """Make a certificate; without an issuer it signs itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, how.subject)])
    above = x509.load_pem_x509_certificate(issuer.certificate.encode()) if issuer else None
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(above.subject if above else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(how.begin)
        .not_valid_after(how.end)
        .add_extension(
            x509.BasicConstraints(ca=how.ca, path_length=how.path_length if how.ca else None), critical=True
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=how.cert_sign,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    for extension in how.extensions:
        builder = builder.add_extension(extension, critical=False)
    signed = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def odd_bundle(signer: Signer, how: Odd, key: AnyKey | None = None) -> pki.Bundle:
    own = key or ec.generate_private_key(ec.SECP256R1())
    cert = odd(how, own, signer)
    pem = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pki.Bundle(cert, pem, cert + signer.certificate, signer.certificate)
