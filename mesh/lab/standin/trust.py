"""The CA that an istiod signs with, and the roots it trusts: checks of a plugged-in and a self-signed CA.

Source of the facts: Istio's `pilot/pkg/bootstrap/istio_ca.go` and `security/pkg/pki/util/keycertbundle.go`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from mesh.lab.standin import issue

ISTIO: Final = ("ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem")
#: The layout of a TLS Secret, as cert-manager writes it; `tls.crt` is certificate and chain in one.
TLS: Final = ("tls.crt", "tls.key", "tls.crt", "ca.crt")


class TrustError(Exception):
    """The files are not a valid signing CA; the message is istiod's if it is known."""


class IncompleteError(TrustError):
    """Some of the files are missing."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA in use. `roots` are the SHA-256 of the roots it distributes, `anchors` those of its own chain."""

    source: str
    root_pem: bytes = field(repr=False)
    roots: frozenset[str]
    anchors: frozenset[str]
    not_before: datetime
    not_after: datetime

    def believes(self, other: Authority) -> bool:
        """Return whether a certificate signed by `other` chains to one of this CA's roots."""
        return not self.roots.isdisjoint(other.anchors)

    def valid(self, now: datetime) -> bool:
        """Return whether certificates that it signs verify now."""
        return self.not_before <= now <= self.not_after


def is_plugged_in(files: Mapping[str, bytes]) -> bool:
    """Return whether the Secret `cacerts` contains files for istiod."""
    return any(files.get(key) for key in (*ISTIO, *TLS))


def plugged_in(files: Mapping[str, bytes], now: datetime) -> Authority:
    """Return the CA in the Secret `cacerts`; raise `TrustError` if istiod would not start."""
    layout = TLS if all(files.get(key) for key in TLS) else ISTIO
    missing = [key for key in layout if not files.get(key)]
    if missing:
        raise IncompleteError(f"incomplete signing CA bundle detected: no {', '.join(missing)}")
    return _checked("cacerts", *(files[key] for key in layout), now=now)


def self_signed(files: Mapping[str, bytes], now: datetime) -> Authority:
    """Return the CA in the Secret `istio-ca-secret`, which is its own root."""
    certificate, key = files.get("ca-cert.pem", b""), files.get("ca-key.pem", b"")
    return _checked("self-signed", certificate, key, b"", certificate, now=now)


def remembered(root_pem: bytes, source: str) -> Authority:
    """Return a CA that is in use although its files no longer exist: only its root is known."""
    roots = _certificates(root_pem, "root")
    prints = frozenset(_print(root) for root in roots)
    return Authority(
        source,
        root_pem,
        prints,
        prints,
        max(root.not_valid_before_utc for root in roots),
        min(root.not_valid_after_utc for root in roots),
    )


def may_replace(old: Authority, new: Authority, *, multiroot: bool) -> bool:
    """Return whether a running istiod replaces `old` with `new`.

    If several roots are allowed, one bundle must contain the other byte for byte: up to 1.30 istiod
    compares text, not certificates.
    """
    if old.root_pem == new.root_pem:
        return True
    return multiroot and (old.root_pem in new.root_pem or new.root_pem in old.root_pem)


def _checked(
    source: str, certificate: bytes, key: bytes, chain: bytes, root: bytes, *, now: datetime
) -> Authority:
    signing = _certificates(certificate, "signing certificate")[0]
    signer = _signer(key)
    if signing.public_key() != signer.public_key():
        raise TrustError("the key does not match the signing certificate")
    roots = _certificates(root, "root certificate")
    between = _certificates(chain, "certificate chain") if chain.strip() else []
    path = _path(signing, between, roots)
    # The final test: does a workload certificate verify under the root?
    leaf = issue.workload(signing, signer, now)
    anchors = frozenset(_print(one) for one in roots if not _refusal(leaf, [signing, *between], one, now))
    if not anchors:
        why = _refusal(leaf, [signing, *between], path[-1], now)
        raise TrustError(f"failed to verify the certificate chain to the root: {why}")
    return Authority(
        source,
        root,
        frozenset(_print(one) for one in roots),
        anchors,
        max(one.not_valid_before_utc for one in path),
        min(one.not_valid_after_utc for one in path),
    )


def _certificates(pem: bytes, what: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise TrustError(f"cannot parse the {what}: {error}") from error


def _signer(pem: bytes) -> issue.Signer:
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise TrustError(f"cannot parse the signing key: {error}") from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TrustError("the signing key is neither RSA nor ECDSA")
    return key


def _path(
    signing: x509.Certificate, between: list[x509.Certificate], roots: list[x509.Certificate]
) -> list[x509.Certificate]:
    """Return the chain from the signing certificate to a root; each is a CA and is signed by the next."""
    path = [signing]
    while path[-1] not in roots:
        issuer = next((one for one in (*roots, *between) if one not in path and _issued(path[-1], one)), None)
        if issuer is None:
            raise TrustError("failed to verify the certificate chain: it does not lead to the root")
        path.append(issuer)
    for one in path:
        if not _may_sign(one):
            raise TrustError(f"certificate {one.subject.rfc4514_string()} is not a CA certificate")
    return path


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # noqa: BLE001  (three exception types mean the same: not signed by this certificate)
        return False
    return True


def _may_sign(certificate: x509.Certificate) -> bool:
    extensions = certificate.extensions
    try:
        authority = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
    try:
        return authority and extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return authority


def _refusal(
    leaf: x509.Certificate, chain: list[x509.Certificate], root: x509.Certificate, now: datetime
) -> str:
    """Return why `leaf` does not verify under `root` at `now`, or "".

    The extensions that public web CAs need are not required: istiod and ztunnel do not require them.
    """
    anyone = ExtensionPolicy.permit_all()
    issuers = anyone.require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    ends = anyone.require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
    policy = PolicyBuilder().store(Store([root])).time(now)
    verifier = policy.extension_policies(ca_policy=issuers, ee_policy=ends).build_client_verifier()
    try:
        verifier.verify(leaf, chain)
    except VerificationError as error:
        return str(error)
    return ""


def _print(certificate: x509.Certificate) -> str:
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def clock() -> datetime:
    """Return the current time in UTC, as certificates use it."""
    return datetime.now(UTC)
