"""The bundle of the Gateway API that the mesh file names: its objects, and the order to apply them."""

from __future__ import annotations

from mesh.errors import RefusedError
from mesh.model.spec import GatewayAPI
from mesh.providers.crds.bundle import GROUP, PARTS, SEAL, notes_of, plural
from mesh.sdk.managed_fields import marks
from mesh.world import Object, World
from mesh.world.fetch import fetch
from mesh.world.resources import CRD
from mesh.world.yaml_documents import read_all

POLICIES = frozenset({"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"})


def objects(api: GatewayAPI, world: World) -> list[Object]:
    """Return the objects of the bundle to apply; policies only on request."""
    found = read_all(fetch(api.source, world.folder, sha256=api.sha256))
    if not any(obj.get("kind") == CRD.kind for obj in found):
        raise RefusedError(
            f"{api.source} holds no CustomResourceDefinition", hint="check spec.gatewayAPI.source"
        )
    strange = {obj.get("kind") for obj in found} - {CRD.kind} - POLICIES
    if strange:
        raise RefusedError(
            f"{api.source} holds more than CRDs: {', '.join(sorted(map(str, strange)))}",
            hint="give the standard-install bundle of the Gateway API",
        )
    return [obj for obj in found if obj["kind"] == CRD.kind or api.safe_upgrades]


def labelled(obj: Object, mesh: str) -> Object:
    """Return an object of the bundle with the label of a mesh."""
    meta = obj["metadata"]
    return {**obj, "metadata": {**meta, "labels": {**meta.get("labels", {}), **marks(mesh)}}}


def sealed(parts: list[Object]) -> list[Object]:
    """Return the objects in the order to apply them, with the names of all CRDs on the last one."""
    # A run may die after any of them, and its journal may be lost with its folder. The order makes the
    # cluster tell: the last CRD has the version of the bundle only if all the others were written.
    last = [obj for obj in parts if obj["metadata"]["name"] == f"{SEAL}.{GROUP}"]
    names = (plural(obj) for obj in parts if obj["kind"] == CRD.kind)
    note = {PARTS: ",".join(sorted(names))}
    return [obj for obj in parts if obj not in last] + [
        {**obj, "metadata": {**obj["metadata"], "annotations": {**notes_of(obj), **note}}} for obj in last
    ]
