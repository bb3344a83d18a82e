"""Read the connection settings of a kubeconfig context: host, port, TLS and an optional token."""

from __future__ import annotations

import base64
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml


class AccessError(Exception):
    """The kubeconfig lacks settings of a context."""


@dataclass(frozen=True, slots=True)
class Access:
    """Connection settings of one API server, with mutual TLS."""

    context: str
    host: str
    port: int
    tls: ssl.SSLContext = field(repr=False)
    token: str = field(default="", repr=False)


def read(kubeconfig: Path, contexts: tuple[str, ...]) -> tuple[Access, ...]:
    """Return the access of each context in order; raise `AccessError` with the missing part."""
    try:
        document = yaml.safe_load(kubeconfig.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise AccessError(f"cannot read {kubeconfig}: {error}") from error
    return tuple(of(document, context) for context in contexts)


def of(document: Mapping[str, Any], context: str) -> Access:
    """Return the access of a context of a parsed kubeconfig; raise `AccessError` with the missing part."""
    chosen = _named(document, "contexts", context)["context"]
    cluster = _named(document, "clusters", chosen["cluster"])["cluster"]
    user = _named(document, "users", chosen["user"])["user"]
    address = urlsplit(cluster["server"])
    return Access(
        context, address.hostname or "", address.port or 443, _tls(cluster, user), user.get("token", "")
    )


def _named(document: Mapping[str, Any], section: str, name: str) -> Mapping[str, Any]:
    for entry in document.get(section) or ():
        if entry["name"] == name:
            found: Mapping[str, Any] = entry
            return found
    raise AccessError(f"no {name!r} under {section} in the kubeconfig")


def _tls(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    authority = _content(cluster, "certificate-authority")
    tls = ssl.create_default_context(cadata=authority.decode() if authority else None)
    certificate, key = _content(user, "client-certificate"), _content(user, "client-key")
    if certificate and key:
        # Python's ssl module reads client certificates only from files.
        with tempfile.TemporaryDirectory() as folder:
            pair = Path(folder, "pair.pem")
            pair.touch(mode=0o600)
            pair.write_bytes(certificate + b"\n" + key)
            tls.load_cert_chain(pair)
    return tls


def _content(section: Mapping[str, Any], name: str) -> bytes:
    if inline := section.get(f"{name}-data"):
        return base64.b64decode(inline)
    return Path(section[name]).read_bytes() if section.get(name) else b""
