"""The key of each cluster for fingerprints of hidden values: stored in the cluster, or derived until it is.

See docs/decisions/0025-keyed-fingerprints.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.errors import KubeError
from mesh.model.bounded_text import SMALL, from_base64
from mesh.world.resources import NAMESPACE, SECRET

DATA_KEY = "key"
SIZE = 32
SELECTION = "status!=superseded"
"""Secrets but for old revisions of helm: the one LIST of Secrets that all kinds share (decision 14)."""

Lister = Callable[..., Iterable[Mapping[str, Any]]]


def name_of(mesh: str) -> str:
    """Return the name of the Secret."""
    return f"mesh-{mesh}-key"


@dataclass(frozen=True, slots=True)
class FingerprintKeys:
    """The keys of a mesh: `namespaces` are istiod's by cluster, `own` returns the word of this folder.

    `own` may create that word, so it is called only where a key is needed and none is stored; it returns b""
    if it cannot.
    """

    mesh: str = ""
    namespaces: Mapping[str, str] = field(default_factory=dict)
    own: Callable[[], bytes] = bytes

    def of(self, cluster: str, listed: Lister) -> bytes:
        """Return the key of a cluster, b"" if there is none; `listed` lists objects of that cluster."""
        try:
            return self.stored(cluster, listed) or self.derived(cluster, listed)
        except KubeError:
            return b""

    def stored(self, cluster: str, listed: Lister) -> bytes:
        """Return the key that the cluster holds, b"" if it holds none."""
        namespace = self.namespaces.get(cluster)
        if not namespace:
            return b""
        secrets = listed(SECRET, namespace=namespace, labels=SELECTION)
        return next((_key(each) for each in secrets if each["metadata"]["name"] == name_of(self.mesh)), b"")

    def derived(self, cluster: str, listed: Lister) -> bytes:
        """Return the key that the first run stores in the cluster: no cluster learns another's."""
        if cluster not in self.namespaces or not (own := self.own()):
            return b""
        names = (each["metadata"] for each in listed(NAMESPACE))
        uid = next((str(each["uid"]) for each in names if each["name"] == "kube-system"), "")
        return hmac.new(own, f"mesh\0{self.mesh}\0{uid}".encode(), hashlib.sha256).digest() if uid else b""

    def secret(self, cluster: str, key: bytes, labels: Mapping[str, str]) -> dict[str, Any]:
        """Return the Secret that holds a key."""
        return {
            "apiVersion": SECRET.api_version,
            "kind": SECRET.kind,
            "metadata": {
                "name": name_of(self.mesh),
                "namespace": self.namespaces[cluster],
                "labels": dict(labels),
            },
            "type": "Opaque",
            "data": {DATA_KEY: base64.b64encode(key).decode()},
        }


def _key(secret: Mapping[str, Any]) -> bytes:
    """Return the key in a Secret; b"" for one that another program made or a person has changed."""
    try:
        key = from_base64(str((secret.get("data") or {}).get(DATA_KEY, "")), SMALL)
    except (binascii.Error, ValueError):
        return b""
    return key if len(key) == SIZE else b""
