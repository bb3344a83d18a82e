"""Which servers may be reached without TLS: none, unless the environment names them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from mesh.model.printable import without_password

ALLOWED = "MESH_ALLOW_HTTP"


def allowed_hosts(env: Mapping[str, str]) -> frozenset[str]:
    """Return the hosts, or hosts with ports, that MESH_ALLOW_HTTP names."""
    return frozenset(env.get(ALLOWED, "").lower().replace(",", " ").split())


def refusal(url: str, hosts: frozenset[str]) -> str:
    """Return why a URL is not used; "" if it begins with https, or with http and an allowed host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return f"{without_password(url)} is not a valid URL"
    if parts.scheme not in ("http", "https") or not host:
        return f"{without_password(url)} does not begin with https://"
    if parts.username or parts.password:
        return f"{without_password(url)} contains a user name or password"
    if parts.scheme == "https" or {host, f"{host}:{port}"} & hosts:
        return ""
    named = f"{host}:{port}" if port else host
    return (
        f"{url} has no TLS: credentials and data would be sent in the open; use https://, or set "
        f"{ALLOWED}={named}"
    )
