"""Kind `crds`: the Kubernetes Gateway API, a bundle of CRDs of one version and channel.

An equal or newer bundle stays as it is and is not managed by mesh; the standard bundle never replaces an
experimental one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from mesh.errors import KubeError, RefusedError
from mesh.model import READY, Action, Attrs, Found, Key, Live, Place, Ready, Resource, Unread, not_yet
from mesh.model.diff import digest
from mesh.model.spec import Cluster, GatewayAPI, Mesh
from mesh.sdk.capabilities import Busy, Kept, Permitted, Resumable, Scripted, Shown
from mesh.sdk.contract import Last, Preview, Provider
from mesh.sdk.document import Document
from mesh.sdk.gateway_pods import NAME as OF_GATEWAY
from mesh.sdk.kubectl import WAIT, kubectl
from mesh.sdk.managed_fields import MESH_LABEL, marks
from mesh.sdk.rights import READ, Right, applied, rights
from mesh.sdk.script import Commands, Stage
from mesh.sdk.shell import Raw, command, comment
from mesh.world import Kube, Object, World
from mesh.world.fetch import fetch
from mesh.world.resources import CRD, DEPLOYMENT, GATEWAY, SERVICE, ResourceType
from mesh.world.snapshot import Snapshot
from mesh.world.yaml_documents import read_all

GROUP = "gateway.networking.k8s.io"
VERSION = f"{GROUP}/bundle-version"
CHANNEL = f"{GROUP}/channel"
MANAGER = "mesh/crds"
NAME = "gateway-api"
POLICIES = frozenset({"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"})
KEY_CRDS = frozenset({"gatewayclasses", "gateways"})
"""The CRDs that the resources of a mesh need."""
CLASSES = "gatewayclasses"


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
    Permitted,
    Shown[CrdsSpec],
    Scripted[CrdsSpec],
):
    """All CRDs of the group `gateway.networking.k8s.io`, as one resource."""

    kind = "crds"
    stage = Stage.BASE

    def wanted(self, spec: CrdsSpec, live: Found, last: Last | None) -> Attrs:
        """Return the bundle of the file, or the live one if that is not older."""
        del last
        if isinstance(live, Live) and _as_good(live.attrs, spec.api.version):
            return live.attrs
        return {"version": spec.api.version, "channel": "standard"}

    def refuse(self, spec: CrdsSpec, live: Found, last: Last | None) -> str:
        """Refuse to replace an experimental bundle by the standard one."""
        del last
        if not isinstance(live, Live) or _as_good(live.attrs, spec.api.version):
            return ""
        if live.attrs["channel"] != "experimental":
            return ""
        return (
            f"the cluster has the experimental Gateway API {live.attrs['version']}, older than "
            f"{spec.api.version}: the standard bundle never replaces an experimental one, since it would "
            "drop its fields; upgrade it yourself, or lower spec.gatewayAPI.version"
        )

    def unfinished(self, spec: CrdsSpec, live: Live) -> str:
        """Return that CRDs of the bundle may be missing: the attrs come from one CRD."""
        return "some of its CRDs may be missing" if live.owner == spec.mesh else ""

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Read the metadata of the CRDs, and whether the API server serves the group."""
        try:
            return dict.fromkeys(places, _bundle(snapshot.list(CRD, metadata_only=True), snapshot))
        except KubeError as error:
            return dict.fromkeys(places, Unread(error.message))

    def owned(self, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:
        """Return the bundle if its first CRD carries the mesh's label."""
        members = _members(snapshot.list(CRD, metadata_only=True))
        if not members or members[0]["metadata"].get("labels", {}).get(MESH_LABEL) != mesh:
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
        names = [obj["metadata"]["name"] for obj in objects(spec.api, world)]
        return Preview(notes=(f"{len(names)} objects from {spec.api.source}",))

    def commands(self, resource: Resource[CrdsSpec], mesh: Mesh) -> Commands:
        """Apply the bundle and wait until the API server serves it."""
        return Commands(
            "".join(_commands(mesh.cluster(resource.key.cluster), resource.spec)),
            once=("".join(_download(resource.spec.api)),),
        )

    def documents(self, spec: CrdsSpec, key: Key, world: World | None) -> Iterable[Document]:
        """Return every object of the bundle if it is selected by name: a bundle has some 15,000 lines."""
        pin = f", sha256 {spec.api.sha256}" if spec.api.sha256 else ""
        source = f"Gateway API {spec.api.version}, every CRD of {spec.api.source}{pin}"
        if world is None:
            return (Document(None, (source, f"too long to print here: run mesh show --manifests {key}")),)
        return [Document(labelled(obj, spec.mesh), (source,)) for obj in objects(spec.api, world)]

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
        kube = world.kube(key.cluster)
        for obj in objects(spec.api, world):
            kube.apply(labelled(obj, spec.mesh), manager=MANAGER, force=True)

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
        """Delete the CRDs that mesh created, unless custom resources are left."""
        del place, live, last
        kube = world.kube(key.cluster)
        ours = [obj for obj in _members(kube.list(CRD, metadata_only=True)) if _is_ours(obj)]
        left = [line for obj in ours for line in _instances(kube, obj)]
        if left:
            return (f"the Gateway API CRDs stay, they are in use: {', '.join(left)}",)
        for obj in ours:
            kube.delete(CRD, "", obj["metadata"]["name"], uid=obj["metadata"]["uid"])
        return ()


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


def orphaned(obj: Object, owners: Collection[str]) -> bool:
    """Return whether it was created for a Gateway, and none of its owners exists any more."""
    refs = [each for each in obj["metadata"].get("ownerReferences", []) if each["kind"] == GATEWAY.kind]
    return bool(refs) and all(each["uid"] not in owners for each in refs)


def _bundle(crds: list[Object], snapshot: Snapshot) -> Live | None:
    members = _members(crds)
    if not members:
        return None
    annotations = members[0]["metadata"].get("annotations", {})
    attrs = {
        "version": annotations.get(VERSION, "unknown"),
        "channel": annotations.get(CHANNEL, "unknown"),
    }
    uid = members[0]["metadata"]["uid"]
    owner = members[0]["metadata"].get("labels", {}).get(MESH_LABEL, "")
    return Live(attrs, f"{uid}:{digest(attrs)}", uid, status={"served": _served(snapshot)}, owner=owner)


def _members(crds: list[Object]) -> list[Object]:
    """Return the CRDs of the group, `gateways` first: it is in every bundle."""
    members = [obj for obj in crds if obj["metadata"]["name"].endswith(f".{GROUP}")]
    return sorted(members, key=lambda obj: not obj["metadata"]["name"].startswith("gateways."))


def _served(snapshot: Snapshot) -> list[str]:
    try:
        return [each["name"] for each in snapshot.get_path(f"/apis/{GROUP}/v1").get("resources", [])]
    except KubeError:
        return []


def _as_good(attrs: Attrs, version: str) -> bool:
    return number(str(attrs["version"])) >= number(version)


def number(version: str) -> tuple[int, ...]:
    """Return the three numbers of a bundle version; () for one that has none: it is older than any."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()


def _is_ours(obj: Object) -> bool:
    return MESH_LABEL in obj["metadata"].get("labels", {})


def _is_istios(obj: Object) -> bool:
    return str(obj.get("spec", {}).get("controllerName", "")).startswith("istio.io/")


def _instances(kube: Kube, crd: Object) -> list[str]:
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


DOWNLOADED = Raw('"$work/gateway-api.yaml"')


def _is_pinned(api: GatewayAPI) -> bool:
    """Return whether the digest is that of one file; the digest of a folder covers all of its files."""
    return bool(api.sha256) and not FilePath(api.source).is_dir()


def _download(api: GatewayAPI) -> Iterator[str]:
    """Download the CRDs once, and continue only if their digest matches the configuration."""
    if _is_pinned(api):
        yield comment(f"Gateway API {api.version}")
        get = ("curl", "-fsSL", api.source) if "://" in api.source else ("cat", api.source)
        yield f"{command(*get)} >{DOWNLOADED}\n"
        digest_of = f'"$(openssl dgst -sha256 -r {DOWNLOADED} | cut -d" " -f1)"'
        yield f"if [ {digest_of} != {command(api.sha256)} ]; then\n"
        yield f"  echo {command(f'{api.source} does not have the pinned digest')} >&2\n  exit 1\nfi\n"


def _commands(cluster: Cluster, spec: CrdsSpec) -> Iterator[str]:
    if not spec.api.safe_upgrades:
        yield comment(
            "the bundle may contain the policy safe-upgrades; mesh skips it without gatewayAPI.safeUpgrades"
        )
    source = DOWNLOADED if _is_pinned(spec.api) else spec.api.source
    yield kubectl(cluster, "apply", "--server-side", "-f", source) + "\n"
    names = [f"{CRD.plural}/{name}.{GROUP}" for name in ("gatewayclasses", "gateways")]
    yield kubectl(cluster, "wait", "--for=condition=Established", WAIT, *names) + "\n"
