"""Kind `namespace`: a namespace that must exist; mesh manages it only if mesh created it."""

from __future__ import annotations

from collections.abc import Mapping

from mesh.errors import KubeError
from mesh.model import READY, Attrs, Found, Key, Live, Place, Ready, Resource, not_yet
from mesh.model.spec import Mesh
from mesh.sdk.contract import Last
from mesh.sdk.kube_object import Manifest, ManifestProvider, token
from mesh.sdk.kubectl import kubectl
from mesh.sdk.managed_fields import MESH_LABEL, is_going, owner_of
from mesh.sdk.script import Commands, Stage
from mesh.world import Kube, Object, World
from mesh.world.resources import NAMESPACE, ResourceType

MADE_BY_OTHERS = {
    ("", "configmaps"): {"kube-root-ca.crt", "istio-ca-root-cert"},
    ("", "serviceaccounts"): {"default"},
}
"""What the control plane creates in every namespace, by (group, resource)."""

SELF_MADE = ("istio-", "gloo-")
"""Prefixes of the leases and election ConfigMaps of istiod."""

PASSING = {"events", "endpointslices", "endpoints", "pods", "replicasets", "controllerrevisions", "leases"}
"""Resources that disappear with their owner, or that no one creates by hand."""


class NamespaceProvider(ManifestProvider):
    """A namespace; mesh changes nothing in one that exists."""

    kind = "namespace"
    resource = NAMESPACE
    stage = Stage.BASE

    def wanted(self, spec: Manifest, live: Found, last: Last | None) -> Attrs:
        """Return only that it exists: its labels are other resources."""
        del live, last
        return {"name": spec.body["metadata"]["name"]}

    def _live(self, _key: Key, obj: Object) -> Live:
        attrs = {"name": obj["metadata"]["name"]}
        uid = obj["metadata"]["uid"]
        return Live(
            attrs,
            token(obj, attrs),
            uid,
            status=obj.get("status", {}),
            owner=owner_of(obj),
            going=is_going(obj),
        )

    def commands(self, resource: Resource[Manifest], mesh: Mesh) -> Commands:
        """Create it; `kubectl create` alone would fail if it already exists."""
        cluster = mesh.cluster(resource.key.cluster)
        name = resource.place.name
        create = kubectl(cluster, "create", "namespace", name, "--dry-run=client", "-o", "yaml")
        return Commands(f"{create} | {kubectl(cluster, 'apply', '-f', '-')}\n")

    def ready(self, spec: Manifest, live: Live) -> Ready:
        """Return that it is ready unless it is being deleted."""
        del spec
        if live.status.get("phase") == "Terminating":
            return not_yet("it is being deleted")
        return READY

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Delete it if it holds no object of another owner; otherwise leave it and list them."""
        kube = world.kube(key.cluster)
        left = foreign(kube, place.name, live.owner)
        if left:
            return (f"namespace {place.name} stays, it holds: {', '.join(left)}",)
        return super().delete(key, place, live, last, world)


def foreign(kube: Kube, namespace: str, mesh: str) -> list[str]:
    """List `plural/name` of the objects in a namespace that a person, a program or another mesh created."""
    return sorted(
        f"{resource.plural}/{obj['metadata']['name']}"
        for resource in _listable(kube)
        for obj in _items(kube, resource, namespace)
        if not _comes_by_itself(resource, obj, mesh)
    )


def _listable(kube: Kube) -> list[ResourceType]:
    """Return the namespaced resources that this API server serves and can list, one version of each."""
    groups = [("", "v1")]
    for group in kube.get_path("/apis").get("groups", []):
        groups.append((group["name"], group["preferredVersion"]["version"]))
    found = []
    for group, version in groups:
        prefix = f"/apis/{group}/{version}" if group else "/api/v1"
        try:
            served = kube.get_path(prefix).get("resources", [])
        except KubeError:
            continue  # a broken aggregated API must not keep the others from being looked at
        found += [_resource(group, version, each) for each in served if _is_listable(each)]
    return [resource for resource in found if resource.plural not in PASSING]


def _is_listable(served: Mapping[str, object]) -> bool:
    return bool(served["namespaced"]) and "/" not in str(served["name"]) and "list" in str(served["verbs"])


def _resource(group: str, version: str, served: Mapping[str, object]) -> ResourceType:
    return ResourceType(group, version, str(served["name"]), str(served["kind"]))


def _items(kube: Kube, resource: ResourceType, namespace: str) -> list[Object]:
    return kube.list(resource, namespace=namespace, metadata_only=True)


def _comes_by_itself(resource: ResourceType, obj: Object, mesh: str) -> bool:
    meta = obj["metadata"]
    name = meta["name"]
    of_mesh = meta.get("labels", {}).get(MESH_LABEL) == mesh
    if meta.get("ownerReferences") or of_mesh or meta.get("deletionTimestamp"):
        return True
    if name in MADE_BY_OTHERS.get((resource.group, resource.plural), set()):
        return True
    return resource.plural == "configmaps" and name.startswith(SELF_MADE)
