"""Read from one cluster what a mesh file would say of it, by the kinds that a plan reads with.

It writes nothing and keeps no secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mesh.errors import KubeError
from mesh.istio.addresses import cacerts_key, label_key
from mesh.istio.names import NETWORK
from mesh.model import Live, Place, Unread
from mesh.model.bounded_text import SMALL, Unfit
from mesh.model.spec import COMPONENTS, Component, SecretRef
from mesh.providers.cert import CertProvider, cacerts_place
from mesh.providers.chart import all_views
from mesh.providers.chart.refusals import revisioned
from mesh.providers.label import LabelLocator, LabelProvider
from mesh.queries.discover.found import DiscoveredCluster, InstalledComponent, SkippedCluster
from mesh.queries.discover.gateways import EASTWEST, REMOTE, bundle_version, gateways
from mesh.sdk.managed_fields import MESH_LABEL, owner_of
from mesh.world import Object
from mesh.world.guarded import guarded
from mesh.world.helm.releases import ReleaseView
from mesh.world.resources import CONFIG_MAP, DAEMON_SET, DEPLOYMENT, ResourceType
from mesh.world.shapes import fitted
from mesh.world.snapshot import Snapshot
from mesh.world.yaml_documents import read

UNNAMED = "Kubernetes"
OPERATOR = "istiod-gloo"
WORKLOADS: Mapping[Component, ResourceType] = {"istiod": DEPLOYMENT, "cni": DAEMON_SET, "ztunnel": DAEMON_SET}
_IMAGE = re.compile(r"(?P<hub>.+)/[^/:]+:(?P<tag>[^:@]+?)(?:-distroless|-debug)?(?:@.*)?")


def look(name: str, context: str, snapshot: Snapshot) -> DiscoveredCluster | SkippedCluster | None:
    """Return what a cluster runs; None without Istio, `SkippedCluster` if it cannot be adopted or read."""
    found = guarded(f"context {context}: what it holds", lambda: _look(name, context, snapshot))
    return SkippedCluster(name, context, found.why) if isinstance(found, Unread) else found


def _look(name: str, context: str, snapshot: Snapshot) -> DiscoveredCluster | SkippedCluster | None:
    istiods = snapshot.list(DEPLOYMENT, labels="app=istiod")
    views = all_views(snapshot).values()
    releases = {part: [view for view in views if view.is_of(part)] for part in COMPONENTS}
    if not istiods and not releases["istiod"]:
        return None
    if why := _not_adoptable(istiods, releases):
        return SkippedCluster(name, context, why, runs_istio=True)
    parts = {part: _part(part, held[0], snapshot) for part, held in releases.items() if held}
    found = _found(name, context, parts, releases["istiod"][0], istiods, snapshot)
    return replace(found, remarks=(*found.remarks, *_revisions(releases)))


def _not_adoptable(istiods: list[Object], releases: Mapping[Component, list[ReleaseView]]) -> str:
    for istiod in istiods:
        meta = istiod["metadata"]
        if meta["name"] == OPERATOR:
            return (
                "the Gloo Operator keeps its Istio (Deployment istiod-gloo), which is never taken over: move "
                "it to Helm first, see docs/how-to/guide-a.md"
            )
        if not releases["istiod"]:
            where = f"{meta['namespace']}/{meta['name']}"
            return f"istiod {where} was not installed by helm ({owner_of(istiod) or 'owner unknown'})"
    for part, held in releases.items():
        if len(held) > 1:
            names = ", ".join(f"{each.newest.namespace}/{each.newest.name}" for each in held)
            return f"it has several releases of the chart {part}: {names}; a mesh has one of each"
    return ""


def _revisions(releases: Mapping[Component, list[ReleaseView]]) -> Iterator[str]:
    """Yield what `mesh plan` will refuse, in its words."""
    for part, held in releases.items():
        for view in held:
            if why := revisioned(part, view, (view.deployed or view.newest).config):
                yield why


def _part(part: Component, view: ReleaseView, snapshot: Snapshot) -> InstalledComponent:
    one = view.deployed or view.newest
    for obj in snapshot.list(WORKLOADS[part], namespace=one.namespace) if part in WORKLOADS else ():
        if (obj["metadata"].get("annotations") or {}).get("meta.helm.sh/release-name") == one.name:
            image = _IMAGE.fullmatch(obj["spec"]["template"]["spec"]["containers"][0]["image"])
            if image:
                return InstalledComponent(
                    one.name, one.namespace, one.chart_version, image["hub"], image["tag"]
                )
    return InstalledComponent(one.name, one.namespace, one.chart_version)


def _found(
    name: str,
    context: str,
    parts: Mapping[Component, InstalledComponent],
    istiod: ReleaseView,
    istiods: list[Object],
    snapshot: Snapshot,
) -> DiscoveredCluster:
    config: Mapping[str, Any] = istiod.deployed.config if istiod.deployed else {}
    env = _environment(istiods)
    home = parts["istiod"].namespace
    licence, clear = _licence(config, env)
    roots, signer, remarks = _trust(name, home, snapshot)
    if owner := istiod.secret["metadata"].get("labels", {}).get(MESH_LABEL):
        remarks += (f"its releases belong to mesh {owner} already: use the file of that mesh",)
    missing = [part for part in COMPONENTS if part not in parts]
    if missing:
        remarks += (f"it has no release of {', '.join(missing)}: mesh would install it",)
    return DiscoveredCluster(
        name=name,
        context=context,
        parts=parts,
        cluster_name="" if env.get("CLUSTER_ID", UNNAMED) == UNNAMED else env["CLUSTER_ID"],
        network=str(_at(config, "global", "network") or _label(home, snapshot) or ""),
        trust_domain=_trust_domain(config, home, snapshot),
        licence=licence,
        clear_licence=clear,
        roots=roots,
        signer=signer,
        gateway_api=bundle_version(snapshot),
        eastwest=gateways(EASTWEST, snapshot),
        peers=gateways(REMOTE, snapshot),
        remarks=remarks,
    )


def _at(values: Any, *path: str) -> Any:
    for part in path:
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def _environment(istiods: list[Object]) -> dict[str, str]:
    return {
        each["name"]: str(each.get("value", ""))
        for obj in istiods[:1]
        for each in obj["spec"]["template"]["spec"]["containers"][0].get("env") or ()
    }


def _label(namespace: str, snapshot: Snapshot) -> str:
    key = label_key(snapshot.cluster, namespace)
    places = {key: Place("", namespace, LabelLocator(NETWORK))}
    found = LabelProvider().observe(places, snapshot)[key]
    if isinstance(found, Unread):
        raise KubeError(found.why)
    return str(found.attrs["metadata"]["labels"][NETWORK]) if isinstance(found, Live) else ""


def _licence(config: Mapping[str, Any], env: Mapping[str, str]) -> tuple[SecretRef | None, bool]:
    """Return where the licence is, and whether one is in clear text; its value is not kept."""
    ref = _at(config, "license", "secretRef")
    clear = bool(_at(config, "license", "value") or env.get("SOLO_LICENSE_KEY"))
    if isinstance(ref, Mapping) and ref.get("name"):
        return SecretRef(str(ref["name"]), str(ref.get("namespace") or "istio-system")), clear
    namespace, sign, name = env.get("SOLO_LICENSE_SECRET", "").partition("/")
    return (SecretRef(name, namespace) if sign and name else None), clear


def _trust_domain(config: Mapping[str, Any], namespace: str, snapshot: Snapshot) -> str:
    """Return the trust domain from istiod's values or ConfigMap, else its default."""
    if told := _at(config, "meshConfig", "trustDomain"):
        return str(told)
    for obj in snapshot.list(CONFIG_MAP, namespace=namespace, fields="metadata.name=istio"):
        try:
            found = fitted(read(obj.get("data", {}).get("mesh", ""), SMALL), {"trustDomain": str})
        except Unfit as error:
            raise KubeError(f"ConfigMap {namespace}/istio cannot be read: {error}") from None
        if told := found.get("trustDomain"):
            return str(told)
    return "cluster.local"


def _trust(name: str, namespace: str, snapshot: Snapshot) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """Return the roots that its certificates chain to, who signs them, and what is wrong with that."""
    key = cacerts_key(name)
    live = CertProvider().observe({key: cacerts_place(namespace)}, snapshot)[key]
    if isinstance(live, Unread):
        raise KubeError(f"its certificates cannot be read: {live.why}")
    if not isinstance(live, Live):
        return (), "", ()
    problems = tuple(f"its cacerts cannot be used: {each}" for each in live.status["problems"][:1])
    roots = (live.outputs["root"],) if live.outputs["root"] else tuple(live.status["roots"])
    return roots, str(live.status["by"]), problems
