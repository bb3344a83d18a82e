"""The four files of a signing CA as istiod reads them, and every problem they can have.

istiod, ztunnel and common tools accept different chains, so the rules here are the strictest of all,
and the chain is also given to the x509 verifier of `cryptography`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from mesh.errors import MeshError
from mesh.world.pki.certificates import (
    CertInfo,
    PrivateKey,
    describe_certificate,
    load_certificates,
    load_key,
    spki_of,
    stray_text,
)
from mesh.world.pki.path_validation import verifier_says

_KEYS = frozenset({"ecdsa-p256", "ecdsa-p384"})
_WEAK_HASHES = (hashes.SHA1, hashes.MD5)
_SHORT_RSA = 2048


@dataclass(frozen=True, slots=True)
class Bundle:
    """What istiod signs with, as PEM: its certificate and key, the chain (its own first), the roots."""

    ca_cert: str
    ca_key: bytes = field(repr=False)
    cert_chain: str
    root_cert: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """The result of checking a bundle: its certificate, the root it chains to, if any, and its problems."""

    certificate: CertInfo | None
    root: CertInfo | None
    roots: tuple[CertInfo, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Parsed:
    own: x509.Certificate
    key: PrivateKey | None
    chain: tuple[x509.Certificate, ...]
    roots: tuple[x509.Certificate, ...]


def check_bundle(bundle: Bundle, now: datetime) -> tuple[str, ...]:
    """Return every problem of a bundle; () if istiod may use it."""
    return inspect_bundle(bundle, now).problems


def inspect_bundle(bundle: Bundle, now: datetime) -> Inspection:
    """Read and check a bundle; never raises for its content."""
    try:
        return _inspect(bundle, now)
    except (ValueError, UnsupportedAlgorithm) as error:
        return Inspection(None, None, (), (f"a certificate is malformed: {error}",))


def _inspect(bundle: Bundle, now: datetime) -> Inspection:
    parsed, unreadable = _parse(bundle)
    if parsed is None:
        return Inspection(None, None, (), unreadable)
    path, root = _path(parsed)
    problems = [*unreadable, *_text_problems(bundle), *_pair_problems(parsed), *_chain_problems(parsed)]
    problems += _root_problems(parsed, root)
    for depth, cert in enumerate(path):
        problems += certificate_problems(cert, now, below=depth)
    if not problems and parsed.key is not None:
        problems += verifier_says(parsed.own, parsed.key, parsed.chain, parsed.roots, now)
    roots = tuple(describe_certificate(each) for each in parsed.roots)
    own = describe_certificate(parsed.own)
    return Inspection(
        own, describe_certificate(root) if root else None, roots, tuple(dict.fromkeys(problems))
    )


def _parse(bundle: Bundle) -> tuple[_Parsed | None, tuple[str, ...]]:
    problems: list[str] = []
    certs: list[tuple[x509.Certificate, ...]] = []
    files = {
        "ca-cert.pem": bundle.ca_cert,
        "cert-chain.pem": bundle.cert_chain,
        "root-cert.pem": bundle.root_cert,
    }
    for name, text in files.items():
        try:
            certs.append(load_certificates(text))
        except MeshError as error:
            problems.append(f"{name}: {error.message if text else 'it is missing'}")
    key: PrivateKey | None = None
    try:
        key = load_key(bundle.ca_key)
    except MeshError as error:
        problems.append(f"ca-key.pem: {error.message if bundle.ca_key else 'it is missing'}")
    if len(certs) < len(files):
        return None, tuple(problems)
    return _Parsed(certs[0][0], key, certs[1], certs[2]), tuple(problems)


def _text_problems(bundle: Bundle) -> Iterator[str]:
    texts = {
        "ca-cert.pem": bundle.ca_cert,
        "cert-chain.pem": bundle.cert_chain,
        "root-cert.pem": bundle.root_cert,
    }
    for name, text in texts.items():
        if "\r" in text:
            yield f"{name}: it has Windows line endings"
        elif stray_text(text):
            yield f"{name}: it has text besides certificates"
    if len(load_certificates(bundle.ca_cert)) > 1:
        yield "ca-cert.pem: it holds more than the intermediate; the others belong in cert-chain.pem"


def _pair_problems(parsed: _Parsed) -> Iterator[str]:
    if parsed.key is not None and spki_of(parsed.key.public_key()) != spki_of(parsed.own.public_key()):
        yield "ca-key.pem: the key does not belong to ca-cert.pem"
    if parsed.chain[0] != parsed.own:
        yield "cert-chain.pem: it does not begin with the certificate of ca-cert.pem"


def _chain_problems(parsed: _Parsed) -> Iterator[str]:
    if len(set(parsed.chain)) < len(parsed.chain):
        yield "cert-chain.pem: a certificate is in it twice"
    for lower, upper in pairwise(parsed.chain):
        if not issued_by(lower, upper):
            yield f"cert-chain.pem: {_short(lower)} is not followed by its issuer"
    if parsed.own.subject == parsed.own.issuer:
        yield f"ca-cert.pem: {_short(parsed.own)} has the name of its issuer; an intermediate is expected"


def _root_problems(parsed: _Parsed, root: x509.Certificate | None) -> Iterator[str]:
    if root is None:
        top = parsed.chain[-1]
        if top.subject == top.issuer:
            yield "root-cert.pem: the root at the end of cert-chain.pem is not in it"
        else:
            yield f"cert-chain.pem: the issuer of {_short(top)} is missing"
    names: dict[x509.Name, x509.Certificate] = {}
    for each in parsed.roots:
        if names.setdefault(each.subject, each) != each:
            yield f"root-cert.pem: two roots share the name {_short(each)}"
    if len(set(parsed.roots)) < len(parsed.roots):
        yield "root-cert.pem: a root is in it twice"


def _path(parsed: _Parsed) -> tuple[tuple[x509.Certificate, ...], x509.Certificate | None]:
    """Follow the issuers from the certificate to a trusted root; return the path and the root."""
    path, current = [parsed.own], parsed.own
    # Bounded, and no certificate twice: two CAs that signed each other would make a circle.
    for _ in range(len(parsed.chain) + 1):
        if current in parsed.roots:
            return tuple(path), current
        above = next(
            (each for each in parsed.roots + parsed.chain if each not in path and issued_by(current, each)),
            None,
        )
        if above is None:
            return tuple(path), None
        path.append(above)
        current = above
    return tuple(path), None


def issued_by(lower: x509.Certificate, upper: x509.Certificate) -> bool:
    """Whether names and signature say that `upper` issued `lower`."""
    try:
        lower.verify_directly_issued_by(upper)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def certificate_problems(cert: x509.Certificate, now: datetime, *, below: int) -> Iterator[str]:
    """Yield what keeps a certificate from being a CA with `below` CAs under it."""
    info, name = describe_certificate(cert), _short(cert)
    if now < info.not_before:
        yield f"{name} is not valid before {info.not_before:%Y-%m-%d %H:%M} UTC"
    if now >= info.not_after:
        yield f"{name} expired on {info.not_after:%Y-%m-%d %H:%M} UTC"
    if not info.is_ca:
        yield f"{name} is not a CA"
    elif info.path_length is not None and info.path_length < below:
        yield f"{name} allows {info.path_length} CAs below it, {below} needed"
    if not (info.key in _KEYS or (info.key.startswith("rsa-") and int(info.key[4:]) >= _SHORT_RSA)):
        yield f"{name} has a key that istiod or ztunnel does not accept: {info.key}"
    if cert.serial_number <= 0:
        yield f"{name} has a serial number that is not positive"
    if isinstance(cert.signature_hash_algorithm, _WEAK_HASHES) and cert.subject != cert.issuer:
        yield f"{name} is signed with {cert.signature_hash_algorithm.name.upper()}"
    yield from _extension_problems(cert, name)


def _extension_problems(cert: x509.Certificate, name: str) -> Iterator[str]:
    for extension in cert.extensions:
        match extension.value:
            case x509.NameConstraints():
                yield f"{name} has name constraints, which ztunnel refuses"
            case x509.KeyUsage(key_cert_sign=False):
                yield f"{name} may not sign certificates (key usage)"
            case x509.ExtendedKeyUsage() as usages if _BOTH - set(usages):
                yield f"{name} has an extended key usage without both client and server"


_BOTH = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH}


def _short(cert: x509.Certificate) -> str:
    return cert.subject.rfc4514_string() or f"certificate {cert.serial_number:x}"
