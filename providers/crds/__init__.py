"""Kind `crds`: the Kubernetes Gateway API, a bundle of CRDs of one version and channel.

An equal or newer bundle stays as it is and is not managed by mesh; the standard bundle never replaces an
experimental one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mesh.errors import KubeError
from mesh.model import READY, Action, Attrs, Found, Key, Live, Place, Ready, Reason, Resource, Unread, not_yet
from mesh.model.spec import GatewayAPI, Mesh
from mesh.providers.crds.bundle import (
    GROUP,
    KEY_CRDS,
    as_good,
    bundle,
    instances,
    is_of,
    leaving,
    members_of,
    number,
    orphaned,
    owner_of,
)
from mesh.providers.crds.commands import download, install
from mesh.providers.crds.source import labelled, objects, sealed
from mesh.sdk.capabilities import Busy, Kept, Permitted, Renewable, Resumable, Scripted, Shown
from mesh.sdk.contract import Last, Preview, Provider
from mesh.sdk.document import Document
from mesh.sdk.gateway_pods import NAME as OF_GATEWAY
from mesh.sdk.rights import READ, Right, applied, rights
from mesh.sdk.script import Commands, Stage
from mesh.sdk.shell import quoted
from mesh.world import Kube, Object, World
from mesh.world.resources import CRD, DEPLOYMENT, GATEWAY, SERVICE
from mesh.world.snapshot import Snapshot

__all__ = ["NAME", "CrdsProvider", "CrdsSpec", "number"]

MANAGER = "mesh/crds"
NAME = "gateway-api"


@dataclass(frozen=True, slots=True)
class CrdsSpec:
    """The oldest bundle that is accepted."""

    mesh: str
    api: GatewayAPI


class CrdsProvider(
    Provider[CrdsSpec],
    Kept,
    Busy,
    Resumable[CrdsSpec],
    Renewable[CrdsSpec],
    Permitted,
    Shown[CrdsSpec],
    Scripted[CrdsSpec],
):
    """All CRDs of the group `gateway.networking.k8s.io`, as one resource."""

    kind = "crds"
    stage = Stage.BASE
    renewed = Reason.UNHEALTHY
    lasting = True

    def wanted(self, spec: CrdsSpec, live: Found, last: Last | None) -> Attrs:
        """Return the bundle of the file, or the live one if that is not older."""
        del last
        if isinstance(live, Live) and as_good(live.attrs, spec.api.version):
            return live.attrs
        return {"version": spec.api.version, "channel": "standard"}

    def refuse(self, spec: CrdsSpec, live: Found, last: Last | None) -> str:
        """Refuse to replace an experimental bundle by the standard one."""
        del last
        if not isinstance(live, Live):
            return ""
        if as_good(live.attrs, spec.api.version):
            return _refuse_mix(spec, live)
        if live.attrs["channel"] != "experimental":
            return ""
        return (
            f"the cluster has the experimental Gateway API {live.attrs['version']}, older than "
            f"{spec.api.version}: the standard bundle never replaces an experimental one, since it would "
            "drop its fields; upgrade it yourself, or lower spec.gatewayAPI.version"
        )

    def due(self, spec: CrdsSpec, live: Live, now: datetime) -> str:
        """Return which CRDs of the bundle are missing: the version comes from one of them."""
        del spec, now
        missing = live.status.get("missing", ())
        return f"the cluster has a part of the bundle only, without {', '.join(missing)}" if missing else ""

    def busy(self, key: Key, place: Place, world: World) -> str:
        """Return which CRDs are being deleted: what is applied to these disappears with them."""
        del place
        try:
            names = leaving(world.kube(key.cluster).list(CRD, metadata_only=True))
        except KubeError:
            return ""
        return f"still being deleted: {', '.join(names)}" if names else ""

    def unfinished(self, spec: CrdsSpec, live: Live) -> str:
        """Return that CRDs of the bundle may be missing: the attrs come from one CRD."""
        return "some of its CRDs may be missing" if live.owner == spec.mesh else ""

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Read the metadata of the CRDs, and whether the API server serves the group."""
        try:
            return dict.fromkeys(places, bundle(snapshot.list(CRD, metadata_only=True), snapshot))
        except KubeError as error:
            return dict.fromkeys(places, Unread(error.message))

    def owned(self, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:
        """Return the bundle if its first CRD carries the mesh's label."""
        if owner_of(members_of(snapshot.list(CRD, metadata_only=True))) != mesh:
            return {}
        return {Key(self.kind, snapshot.cluster, NAME): Place("", NAME)}

    def ready(self, spec: CrdsSpec, live: Live) -> Ready:
        """Return whether the CRDs are established *and* served: only discovery proves both."""
        del spec
        missing = sorted(KEY_CRDS - set(live.status["served"]))
        return not_yet(f"the API server does not serve {', '.join(missing)} yet") if missing else READY

    def preview(self, spec: CrdsSpec, key: Key, live: Live | None, world: World) -> Preview:
        """Read the bundle, so that a wrong source or digest fails the plan and not the apply."""
        del key, live
        sends = {obj["metadata"]["name"]: obj for obj in objects(spec.api, world)}
        return Preview(notes=(f"{len(sends)} objects from {spec.api.source}",), sends=sends)

    def commands(self, resource: Resource[CrdsSpec], mesh: Mesh) -> Commands:
        """Apply the bundle and wait until the API server serves it."""
        return Commands(
            "".join(install(mesh.cluster(resource.key.cluster), resource.spec.api)),
            once=("".join(download(resource.spec.api)),),
        )

    def documents(self, spec: CrdsSpec, key: Key, world: World | None) -> Iterable[Document]:
        """Return every object of the bundle if it is selected by name: a bundle has some 15,000 lines."""
        pin = f", sha256 {spec.api.sha256}" if spec.api.sha256 else ""
        source = f"Gateway API {spec.api.version}, every CRD of {spec.api.source}{pin}"
        if world is None:
            return (
                Document(
                    None, (source, f"too long to print here: run mesh show --manifests {quoted(str(key))}")
                ),
            )
        return [Document(labelled(obj, spec.mesh), (source,)) for obj in sealed(objects(spec.api, world))]

    def rights(self, action: Action, key: Key, place: Place) -> Iterable[Right]:
        """Return the rights to apply or delete CRDs."""
        del key, place
        return applied(CRD, action)

    def reads(self, key: Key, place: Place) -> Iterable[Right]:
        """Return the right to list CRDs."""
        del key, place
        return rights(CRD, READ)

    def create(self, spec: CrdsSpec, key: Key, world: World) -> None:
        """Apply every object of the bundle."""
        _apply(world.kube(key.cluster), sealed(objects(spec.api, world)), spec.mesh)

    def update(self, spec: CrdsSpec, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Apply the bundle; of another owner's bundle of the same version only the CRDs that are missing."""
        del last
        parts = sealed(objects(spec.api, world))
        missing = {f"{name}.{GROUP}" for name in live.status.get("missing", ())}
        if missing and live.owner != spec.mesh and as_good(live.attrs, spec.api.version):
            parts = [obj for obj in parts if obj["metadata"]["name"] in missing]
        _apply(world.kube(key.cluster), parts, spec.mesh)

    def keeps(self, place: Place, world: World) -> str:
        """Return that CRDs stay: deleting them deletes every custom resource of their kinds."""
        del place, world
        return "CRDs stay; `mesh destroy --crds` removes them"

    def going(self, key: Key, place: Place, world: World) -> str:
        """Return what deleted Gateways left: no garbage collector finds an owner without its CRD."""
        del place
        kube = world.kube(key.cluster)
        try:
            owners = {obj["metadata"]["uid"] for obj in kube.list(GATEWAY, metadata_only=True)}
            left = [
                f"{each.plural}/{obj['metadata']['name']}"
                for each in (DEPLOYMENT, SERVICE)
                for obj in kube.list(each, labels=OF_GATEWAY, metadata_only=True)
                if orphaned(obj, owners)
            ]
        except KubeError:
            return ""
        return f"waiting for the garbage collector to remove {', '.join(sorted(left))}" if left else ""

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Delete the CRDs that carry the label of the same mesh, unless custom resources are left."""
        del place, last
        kube = world.kube(key.cluster)
        ours = [obj for obj in members_of(kube.list(CRD, metadata_only=True)) if is_of(obj, live.owner)]
        left = [line for obj in ours for line in instances(kube, obj)]
        if left:
            return (f"the Gateway API CRDs stay, they are in use: {', '.join(left)}",)
        for obj in ours:
            kube.delete(CRD, "", obj["metadata"]["name"], uid=obj["metadata"]["uid"])
        return ()


def _apply(kube: Kube, parts: Iterable[Object], mesh: str) -> None:
    for obj in parts:
        kube.apply(labelled(obj, mesh), manager=MANAGER, force=True)


def _refuse_mix(spec: CrdsSpec, live: Live) -> str:
    """Refuse to complete a newer or an experimental bundle with CRDs of the one in the file."""
    missing = live.status.get("missing", ())
    theirs = str(live.attrs["version"])
    is_same = number(theirs) == number(spec.api.version) and live.attrs["channel"] != "experimental"
    if not missing or is_same:
        return ""
    return (
        f"the cluster has a part of the {live.attrs['channel']} Gateway API {theirs}, without "
        f"{', '.join(missing)}: mesh does not add CRDs of the standard {spec.api.version}; apply "
        "that bundle again yourself, or set spec.gatewayAPI.version and source to it"
    )
