"""The Gateway API in a cluster: which CRDs of the bundle exist, who created them, and what uses them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from mesh.errors import KubeError
from mesh.model import Attrs, Live
from mesh.model.diff import digest
from mesh.sdk.managed_fields import MESH_LABEL
from mesh.world import Kube, Object
from mesh.world.resources import GATEWAY, ResourceType
from mesh.world.snapshot import Snapshot

GROUP = "gateway.networking.k8s.io"
VERSION = f"{GROUP}/bundle-version"
CHANNEL = f"{GROUP}/channel"
KEY_CRDS = frozenset({"gatewayclasses", "gateways"})
"""The CRDs that the resources of a mesh need."""
CLASSES = "gatewayclasses"
SEAL = "gateways"
"""The CRD that is written last: its version is that of the bundle, and its note lists the others."""
PARTS = "meshform.io/crds"
"""The annotation with the names of all CRDs that were written with it."""


def orphaned(obj: Object, owners: Collection[str]) -> bool:
    """Return whether it was created for a Gateway, and none of its owners exists any more."""
    refs = [each for each in obj["metadata"].get("ownerReferences", []) if each["kind"] == GATEWAY.kind]
    return bool(refs) and all(each["uid"] not in owners for each in refs)


def bundle(crds: list[Object], snapshot: Snapshot) -> Live | None:
    """Return the bundle as one live object; None if no CRD of it exists."""
    members = members_of(crds)
    if not members:
        return None
    notes = notes_of(members[0])
    attrs = {"version": notes.get(VERSION, "unknown"), "channel": notes.get(CHANNEL, "unknown")}
    uid = members[0]["metadata"]["uid"]
    status = {"served": _served(snapshot), "missing": missing_in(members)}
    return Live(attrs, f"{uid}:{digest(attrs)}", uid, status=status, owner=owner_of(members))


def members_of(crds: list[Object]) -> list[Object]:
    """Return the CRDs of the group that stay, `gateways` first: it is in every bundle."""
    members = [
        obj
        for obj in crds
        if obj["metadata"]["name"].endswith(f".{GROUP}") and not obj["metadata"].get("deletionTimestamp")
    ]
    return sorted(members, key=lambda obj: plural(obj) != SEAL)


def missing_in(members: Iterable[Object]) -> list[str]:
    """Return the CRDs that a mesh needs, and those that were written with the others, and do not exist."""
    names = {plural(obj): notes_of(obj).get(PARTS, "") for obj in members}
    parts = {name for name in names.get(SEAL, "").split(",") if name}
    return sorted((KEY_CRDS | parts) - names.keys())


def leaving(crds: list[Object]) -> list[str]:
    """Return the CRDs of the group that are being deleted."""
    return sorted(
        obj["metadata"]["name"]
        for obj in crds
        if obj["metadata"]["name"].endswith(f".{GROUP}") and obj["metadata"].get("deletionTimestamp")
    )


def owner_of(members: Iterable[Object]) -> str:
    """Return the mesh that created the bundle, or a part of it; "" if none did."""
    labels = (obj["metadata"].get("labels", {}).get(MESH_LABEL, "") for obj in members)
    return next((mesh for mesh in labels if mesh), "")


def plural(crd: Object) -> str:
    """Return the first part of the name of a CRD."""
    return str(crd["metadata"]["name"]).partition(".")[0]


def notes_of(obj: Object) -> Mapping[str, str]:
    """Return the annotations of an object."""
    found: Mapping[str, str] = obj["metadata"].get("annotations") or {}
    return found


def _served(snapshot: Snapshot) -> list[str]:
    try:
        return [each["name"] for each in snapshot.get_path(f"/apis/{GROUP}/v1").get("resources", [])]
    except KubeError:
        return []


def as_good(attrs: Attrs, version: str) -> bool:
    """Return whether a bundle is not older than a version."""
    return number(str(attrs["version"])) >= number(version)


def number(version: str) -> tuple[int, ...]:
    """Return the three numbers of a bundle version; () for one that has none: it is older than any."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()


def is_of(obj: Object, mesh: str) -> bool:
    """Return whether this mesh created a CRD."""
    return bool(mesh) and obj["metadata"].get("labels", {}).get(MESH_LABEL) == mesh


def _is_istios(obj: Object) -> bool:
    return str(obj.get("spec", {}).get("controllerName", "")).startswith("istio.io/")


def instances(kube: Kube, crd: Object) -> list[str]:
    """Name up to five custom resources of a CRD; not the GatewayClasses that every istiod leaves."""
    plural, _, group = crd["metadata"]["name"].partition(".")
    for version in ("v1", "v1beta1", "v1alpha3", "v1alpha2"):
        listed = kube.list(ResourceType(group, version, plural, ""), metadata_only=plural != CLASSES)
        found = [each for each in listed if not _is_istios(each)]
        if found:
            names = [
                f"{plural}/{each['metadata'].get('namespace', '-')}/{each['metadata']['name']}"
                for each in found
            ]
            return names[:5]
    return []
