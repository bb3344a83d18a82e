"""A second check of a chain: the path validation of `cryptography`, as a peer of the mesh does it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from mesh.world.pki.certificates import PrivateKey, hash_for

_LEAF_LIFE = timedelta(hours=1)
_IDENTITY = "spiffe://check.mesh/ns/check/sa/check"


def verifier_says(
    own: x509.Certificate,
    key: PrivateKey,
    chain: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    now: datetime,
) -> Iterator[str]:
    """Certify a workload with the intermediate, in memory, and verify it; yield the problem, if any."""
    # The verifier's own rules for CA extensions are those of the web's CAs. They are relaxed to what a mesh
    # needs: a root without key identifiers, as Istio's own makefile makes them, is valid there.
    leaf = _leaf(own, key, now)
    policy = PolicyBuilder().store(Store(list(roots))).time(now)
    policy = policy.extension_policies(
        ca_policy=ExtensionPolicy.permit_all().require_present(
            x509.BasicConstraints, Criticality.AGNOSTIC, None
        ),
        ee_policy=ExtensionPolicy.webpki_defaults_ee(),
    )
    try:
        policy.build_client_verifier().verify(leaf, [each for each in chain if each not in roots])
    except VerificationError as error:
        yield f"the chain does not verify: {error}"


def _leaf(own: x509.Certificate, key: PrivateKey, now: datetime) -> x509.Certificate:
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    names = [x509.UniformResourceIdentifier(_IDENTITY)]
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(own.subject)
        .public_key(leaf_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + _LEAF_LIFE)
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(own.public_key()),  # type: ignore[arg-type]  # a CA's key is one it takes
            critical=False,
        )
        .sign(key, hash_for(key))
    )
