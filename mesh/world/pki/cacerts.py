"""The data of the Secret `cacerts`, which istiod reads, from and to a bundle."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import timedelta

from mesh.model.bounded_text import SMALL, Unfit, from_base64
from mesh.world.pki.bundle import Bundle
from mesh.world.pki.certificates import CertInfo, pem_blocks
from mesh.world.pki.issue import SKEW

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


def bundle_from(data: Mapping[str, str]) -> Bundle:
    """Return the bundle in a Secret's data (base64), in Istio's layout or that of `kubernetes.io/tls`."""
    values = {name: _decode(value) for name, value in data.items()}

    def text(name: str) -> str:
        return values.get(name, b"").decode(errors="replace")

    if "ca-cert.pem" in values or "tls.crt" not in values:
        key = values.get("ca-key.pem", b"")
        return Bundle(text("ca-cert.pem"), key, text("cert-chain.pem"), text("root-cert.pem"))
    own = next(iter(pem_blocks(text("tls.crt"))), "")
    return Bundle(own, values.get("tls.key", b""), text("tls.crt"), text("ca.crt"))


def data_from(bundle: Bundle) -> dict[str, str]:
    """Return a bundle as a Secret's data (base64), all four keys."""
    files = {
        "ca-cert.pem": bundle.ca_cert.encode(),
        "ca-key.pem": bundle.ca_key,
        "cert-chain.pem": bundle.cert_chain.encode(),
        "root-cert.pem": bundle.root_cert.encode(),
    }
    return {name: base64.b64encode(value).decode() for name, value in files.items()}


def _decode(value: str) -> bytes:
    try:
        return from_base64(value, SMALL)
    except Unfit:
        return b""


def lifetime(info: CertInfo) -> timedelta:
    """Return the validity of a certificate, without its backdating."""
    return info.not_after - info.not_before - SKEW


def duration(span: timedelta) -> str:
    """Return a duration as people write it: `365d`, `36h`, `90s`."""
    if span % _DAY == timedelta():
        return f"{span // _DAY}d"
    if span % _HOUR == timedelta():
        return f"{span // _HOUR}h"
    return f"{span // timedelta(seconds=1)}s"
