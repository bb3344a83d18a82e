"""The Secret `cacerts` as it is sent, and as `mesh show --manifests` prints it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.model import SENSITIVE, Key
from mesh.model.spec import ExistingCA
from mesh.providers.cert.specs import CACERTS, CertSpec, IntermediateSpec, RootSpec
from mesh.sdk.document import Document, nothing
from mesh.sdk.managed_fields import ADDRESS_ANNOTATION, marks
from mesh.world import Object
from mesh.world.resources import SECRET

FILES = ("ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem")
"""The keys of the Secret, by the names that istiod reads."""


def secret(spec: IntermediateSpec, key: Key, data: Mapping[str, Any]) -> Object:
    """Return the Secret with these values."""
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.kind,
        "metadata": {
            "name": CACERTS,
            "namespace": spec.namespace,
            "labels": marks(spec.mesh),
            "annotations": {ADDRESS_ANNOTATION: str(key)},
        },
        "type": "Opaque",
        "data": data,
    }


def shown(spec: CertSpec, key: Key) -> Document:
    """Return the Secret with its values masked; nothing of a root, or of a Secret that the user keeps."""
    if isinstance(spec, RootSpec):
        return nothing("stays on the signing machine; its key is never sent to a cluster")
    if isinstance(spec.ca, ExistingCA):
        return nothing(f"Secret {spec.namespace}/{CACERTS} is only verified, never written")
    return Document(secret(spec, key, dict.fromkeys(FILES, SENSITIVE)))
