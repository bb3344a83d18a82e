"""Kubeconfig files of a lab, with inline credentials and verified servers."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Access:
    """Access of one client to one cluster: `pki` is its certificate folder, `client` a key pair in it."""

    context: str
    server: str
    pki: Path
    client: str


def write(path: Path, accesses: Iterable[Access]) -> None:
    """Write the kubeconfig for `accesses` at `path`, atomically; the first one is the current context.

    The document is JSON, which is valid YAML to every kubeconfig reader.
    """
    temporary = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(document(tuple(accesses)), file, indent=1)
    temporary.replace(path)


def document(accesses: tuple[Access, ...]) -> dict[str, object]:
    """Return the kubeconfig for `accesses` as plain data; cluster, user and context have the same name."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": accesses[0].context if accesses else "",
        "clusters": [{"name": access.context, "cluster": _cluster(access)} for access in accesses],
        "users": [{"name": access.context, "user": _user(access)} for access in accesses],
        "contexts": [
            {"name": access.context, "context": {"cluster": access.context, "user": access.context}}
            for access in accesses
        ],
    }


def _cluster(access: Access) -> dict[str, str]:
    return {"server": access.server, "certificate-authority-data": _inline(access.pki / "ca.crt")}


def _user(access: Access) -> dict[str, str]:
    return {
        "client-certificate-data": _inline(access.pki / f"{access.client}.crt"),
        "client-key-data": _inline(access.pki / f"{access.client}.key"),
    }


def _inline(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
