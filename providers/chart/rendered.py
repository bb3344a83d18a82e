"""The objects of a release as helm rendered them, each with the place of its live counterpart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from mesh.model import Place
from mesh.world import Object
from mesh.world import yaml_documents as documents
from mesh.world.helm.releases import Release
from mesh.world.resources import TABLE, ResourceType

_BETWEEN = re.compile(r"^---.*$", re.MULTILINE)

RBAC, ADMISSION = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"
OF_CHARTS = (
    ResourceType(RBAC, "v1", "roles", "Role"),
    ResourceType(RBAC, "v1", "rolebindings", "RoleBinding"),
    ResourceType(RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False),
    ResourceType(RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    ResourceType(
        ADMISSION, "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", namespaced=False
    ),
    ResourceType(
        ADMISSION, "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", namespaced=False
    ),
    ResourceType(
        ADMISSION, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", namespaced=False
    ),
    ResourceType(
        ADMISSION,
        "v1",
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
        namespaced=False,
    ),
    ResourceType("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    ResourceType("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget"),
    ResourceType("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
    ResourceType("", "v1", "resourcequotas", "ResourceQuota"),
)
"""The types in Istio's charts that mesh itself neither reads nor writes."""

KNOWN = {**TABLE, **{(each.api_version, each.kind): each for each in OF_CHARTS}}
Find = Callable[[Object], ResourceType]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One object of a rendering; it is the same for every plan, so it is never changed."""

    resource: ResourceType
    place: Place
    body: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def label(self) -> str:
        """The object in words."""
        return f"{self.resource.kind} {self.place.name}"


def rendered(release: Release, find: Find) -> Iterator[Rendered]:
    """Yield the objects of a release; `find` looks up a type that is not known here."""
    for body in _bodies(release.manifest):
        meta = body["metadata"]
        known = KNOWN.get((str(body.get("apiVersion")), str(body.get("kind"))))
        resource = known or find(dict(body))
        space = str(meta.get("namespace") or release.namespace) if resource.namespaced else ""
        yield Rendered(resource, Place(space, str(meta.get("name", ""))), body)


def _bodies(manifest: str) -> Iterator[Mapping[str, Any]]:
    for text in _BETWEEN.split(manifest):
        body = _parsed(text)
        if _is_object(body):
            yield body


def _is_object(body: Any) -> bool:
    """Return whether a document names an object: the record of a release is what its cluster says it is."""
    if not isinstance(body, Mapping) or not isinstance(meta := body.get("metadata"), Mapping):
        return False
    named = body.get("apiVersion"), body.get("kind"), meta.get("name"), meta.get("namespace", "")
    return all(isinstance(part, str) for part in named) and bool(meta["name"])


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Any:
    """Parse one document; the same objects are in the releases of many clusters, and some are long."""
    return documents.read(text)
