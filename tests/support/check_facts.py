"""Facts of small clusters, and rows of tables: facts, and the lines that a check prints of them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mesh.config.decode import load_mesh
from mesh.engine.registry import all_kinds
from mesh.engine.session import Session
from mesh.istio.names import NETWORK
from mesh.istio.solo import CLUSTER, EASTWEST_CLASS, REMOTE_CLASS
from mesh.model import Plan, Step, Unread
from mesh.model.spec import Mesh
from mesh.queries.checks import run
from mesh.queries.checks.catalog import BY_ID
from mesh.queries.checks.facts import ClusterFacts, MeshFacts
from mesh.queries.checks.model import CheckReport, CheckResult
from mesh.queries.current import current
from mesh.queries.status.read import status_of
from mesh.state.lockfile import fresh
from mesh.state.store import Store
from mesh.world import World
from mesh.world.clock import SystemClock
from mesh.world.helm.releases import Release, ReleaseView
from mesh.world.kube.errors import Call, Unreachable
from mesh.world.pki import CertInfo, Inspection, issue_root, new_key
from mesh.world.resources import GATEWAY, ResourceType
from tests.support.meshes import mesh_of

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MESH = load_mesh(ROOT / "examples" / "two-clusters" / "mesh.yaml")
UPSTREAM = replace(
    MESH,
    distribution="upstream",
    clusters=tuple(replace(each, trust_domain="cluster.local") for each in MESH.clusters),
)
_AUTOMATIC = mesh_of("automatic").automatic
assert _AUTOMATIC is not None
AUTOMATIC = replace(MESH, links=(), automatic=replace(_AUTOMATIC, management="cluster1"))
FLAT = replace(MESH, clusters=tuple(replace(each, network="flat") for each in MESH.clusters))

Body = dict[str, Any]
Seen = Mapping[str, Iterable[Body]]

SYSTEM, EDGE = "istio-system", "istio-eastwest"
PASSED = "passed"


def facts(name: str = "cluster1", /, mesh: Any = MESH, **more: Any) -> ClusterFacts:
    """One cluster; collections by their names (`host_pods` for "host pods"), or fields of `ClusterFacts`."""
    fields = {key: more.pop(key) for key in tuple(more) if key in ClusterFacts.__dataclass_fields__}
    seen = {key.replace("_", " "): tuple(rows) for key, rows in more.items()}
    return ClusterFacts(mesh.cluster(name), **{"uid": name, "seen": seen, **fields})


def scene(*clusters: ClusterFacts, **more: Any) -> MeshFacts:
    """The mesh around some clusters; without any, two of which nothing was read."""
    here = {each.name: each for each in clusters or (facts(), facts("cluster2"))}
    state, plan = more.pop("state", fresh("demo")), more.pop("plan", Unread("no plan"))
    mesh = more.pop("mesh", MESH)
    if any("gateways" in each.seen for each in here.values()):
        more = {**judged(mesh, here), **more}
    return MeshFacts(mesh, here, state, NOW, plan, **more)


class Answers:
    """An API server that has the Gateways of some facts, and nothing else."""

    server = "https://192.0.2.99:6443"

    def __init__(self, cluster: str, found: ClusterFacts | None) -> None:
        self.cluster, self.context, self.found = cluster, cluster, found

    def list(self, resource: ResourceType, **_query: Any) -> list[Body]:
        if self.found and self.found.unreachable:
            raise Unreachable(Call(self.cluster, self.context, "list", ""), self.found.unreachable)
        rows = self.found.seen.get(resource.plural, ()) if self.found and resource == GATEWAY else ()
        return [] if isinstance(rows, Unread) else [*rows]


def judged(mesh: Mesh, clusters: Mapping[str, ClusterFacts]) -> dict[str, Any]:
    """The states and the status that follow from the Gateways: those that a plan would be made from."""
    kubes = {each.name: Answers(each.name, clusters.get(each.name)) for each in mesh.clusters}
    world = World(kubes, {}, SystemClock(), {}, ROOT)
    session = Session(mesh, world, all_kinds(), Store(ROOT / "nowhere" / "mesh.lock"))
    seen = current(session)
    return {"states": seen.states, "status": status_of(session, seen)}


def plan(*steps: Step, **more: Any) -> Plan:
    """A plan with some steps."""
    return Plan(mesh="demo", steps=steps, serial=1, lineage="l", clusters={}, **more)


# --- objects ------------------------------------------------------------------------------------------------


def obj(
    name: str,
    namespace: str = SYSTEM,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    meta: Body | None = None,
    **body: Any,
) -> Body:
    """An object; `body` is what stands beside its metadata."""
    about = {
        "labels": dict(labels or {}),
        "annotations": dict(annotations or {}),
        "uid": name,
        **(meta or {}),
    }
    return {"metadata": {"name": name, "namespace": namespace, **about}, **body}


def space(name: str, **labels: str) -> Body:
    """A namespace with some labels."""
    return obj(name, "", labels=labels)


def pod_of(image: str, env: Mapping[str, str]) -> Body:
    """The spec of a pod with one container."""
    variables = [{"name": name, "value": value} for name, value in env.items()]
    return {"containers": [{"image": image, "env": variables}]}


def istiod(**env: str) -> Body:
    """A Deployment of istiod that is available, with some environment variables."""
    return obj(
        "istiod",
        labels={"app": "istiod"},
        kind="Deployment",
        spec={"replicas": 1, "template": {"spec": pod_of("registry.invalid/pilot:1.30.2-solo", env)}},
        status={"updatedReplicas": 1, "availableReplicas": 1, "replicas": 1},
    )


def daemon(component: str, *, tag: str = "1.30.2-solo", desired: int = 1, **env: str) -> Body:
    """A DaemonSet of cni or ztunnel that is ready on every node, with some environment variables."""
    labels = {"k8s-app": "istio-cni-node"} if component == "cni" else {"app": "ztunnel"}
    status = ("desiredNumberScheduled", "numberReady", "updatedNumberScheduled")
    return obj(
        "istio-cni-node" if component == "cni" else component,
        labels=labels,
        kind="DaemonSet",
        spec={
            "selector": {"matchLabels": labels},
            "template": {"spec": pod_of(f"registry.invalid/{component}:{tag}", env)},
        },
        status={"observedGeneration": 1, **dict.fromkeys(status, desired)},
    )


def pod(name: str, namespace: str = SYSTEM, *, ready: bool = True, **more: Any) -> Body:
    """A pod that is ready, or waits for its image."""
    condition = {"type": "Ready", "status": str(ready)}
    waiting = {"containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]}
    status = {"conditions": [condition], **({} if ready else waiting)}
    spec = more.pop("spec", {"containers": [{"image": "registry.invalid/a:1"}]})
    return obj(name, namespace, spec=spec, status={**status, **more.pop("status", {})}, **more)


def node(name: str = "node-1", *, ready: str = "True", **more: Any) -> Body:
    """A node of Linux that is ready and large."""
    info = {"kubeletVersion": more.pop("kubelet", "v1.33.0")}
    return obj(
        name,
        "",
        labels={"kubernetes.io/os": more.pop("os", "linux"), **more.pop("labels", {})},
        spec=more.pop("spec", {}),
        status={
            "conditions": [{"type": "Ready", "status": ready}],
            "allocatable": {"cpu": "4", "memory": "16Gi", "pods": "110", **more.pop("allocatable", {})},
            "nodeInfo": info,
        },
    )


def service(name: str = "shop", namespace: str = "shop", *, port: int = 80, **labels: str) -> Body:
    """A Service with one port."""
    return obj(name, namespace, labels=labels, spec={"ports": [{"port": port}]})


def gateway(
    name: str = "istio-eastwest", *, address: str = "192.0.2.1", cluster: str = "cluster1", **more: Any
) -> Body:
    """An east-west gateway that is programmed and has an address."""
    labels = {NETWORK: cluster, CLUSTER: cluster, **more.pop("labels", {})}
    found = [{"type": "IPAddress", "value": address}] if address else []
    return obj(
        name,
        more.pop("namespace", EDGE),
        labels=labels,
        spec={"gatewayClassName": more.pop("of", EASTWEST_CLASS), "listeners": LISTENERS},
        status={"conditions": [{"type": "Programmed", "status": "True"}], "addresses": found},
        **more,
    )


LISTENERS = [
    {"name": "cross-network", "port": 15008, "protocol": "HBONE"},
    {"name": "xds-tls", "port": 15012, "protocol": "TLS"},
]


def peer(target: str = "cluster2", *, address: str = "192.0.2.2", up: bool = True, **more: Any) -> Body:
    """A peer that is connected and in sync, or is not connected."""
    conditions = [
        {"type": f"gloo.solo.io/{name}", "status": str(up), "message": "not connected to peer"}
        for name in ("PeerConnected", "PeeringSucceeded")
    ]
    labels = {NETWORK: target, CLUSTER: target, **more.pop("labels", {})}
    spec = {"gatewayClassName": REMOTE_CLASS, "listeners": more.pop("listeners", LISTENERS)}
    return obj(
        more.pop("name", f"istio-remote-peer-{target}"),
        more.pop("namespace", EDGE),
        labels=labels,
        spec={**spec, "addresses": [{"type": "IPAddress", "value": address}] if address else []},
        status={"conditions": conditions},
        **more,
    )


def mesh_config(text: str) -> Body:
    """The ConfigMap that istiod reads."""
    return obj("istio", data={"mesh": text})


# --- values that are not objects ----------------------------------------------------------------------------


def certificate(fingerprint: str, *, left: timedelta = timedelta(days=365)) -> CertInfo:
    """A certificate that began a year before its end, or today if that is later."""
    ends = NOW + left
    begins = min(NOW, ends - timedelta(days=365))
    return CertInfo("s", "i", "1", begins, ends, fingerprint, "spki", True, 0, "ecdsa-p256", "")


def authority(
    own: str = "own", root: str = "root", *more: str, left: timedelta = timedelta(days=365), **kept: Any
) -> Inspection:
    """A `cacerts`: its intermediate, the root that it chains to, and more roots."""
    roots = tuple(certificate(each) for each in (root, *more))
    return Inspection(certificate(own, left=left), roots[0], roots, kept.get("problems", ()))


def root_pem(*, ends: timedelta = timedelta(days=365)) -> str:
    """The certificate of a new root of trust."""
    began = min(NOW, NOW + ends - timedelta(days=1))
    return issue_root(new_key("ecdsa-p256"), "demo", validity=NOW + ends - began, now=began)


def in_base64(text: str) -> str:
    """A text as the data of a Secret has it."""
    return base64.b64encode(text.encode()).decode()


def release(
    component: str, version: str = "1.30.2-solo", *, status: str = "deployed", **more: Any
) -> dict[tuple[str, str], ReleaseView]:
    """The release of a component, by its place."""
    chart = MESH.cluster("cluster1").charts[component]  # type: ignore[index]  # a component
    about = (chart.release, chart.namespace, 1, status, component, version, "")
    found = Release(*about, more.get("values", {}), "", 0, "", "", "", "", "", "2026-01-01T00:00:00Z")
    return {(chart.namespace, chart.release): ReleaseView(found, found, {})}


# --- tables -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """Facts, and what a check prints of the first cluster (or of the mesh): findings, or its outcome.

    A line that ends in `…` is the beginning of what is printed.
    """

    check: str
    lines: tuple[str, ...]
    given: MeshFacts = field(repr=False)

    @property
    def fails(self) -> bool:
        """Whether the check is to find something."""
        return self.lines[0].partition(":")[0] in {"error", "warning", "info"}


def row(check: str, lines: str | tuple[str, ...], *clusters: ClusterFacts, **more: Any) -> Row:
    """One row of a table."""
    return Row(check, (lines,) if isinstance(lines, str) else lines, scene(*clusters, **more))


def table(rows: Iterable[Row]) -> pytest.MarkDecorator:
    """The rows as parameters of a test."""
    return pytest.mark.parametrize(
        "row", [pytest.param(each, id=f"{each.check}-{each.lines[0]}") for each in rows]
    )


def holds(row: Row) -> None:
    """Assert that the check prints what its row says."""
    found = told(row.check, row.given)
    assert len(found) == len(row.lines), found
    begun = [
        want if want.endswith("…") and line.startswith(want[:-1]) else line
        for line, want in zip(found, row.lines, strict=True)
    ]
    assert begun == list(row.lines)


def results(check: str, one: MeshFacts) -> tuple[CheckResult, ...]:
    """What came of a check."""
    return asked(one, check).results


def asked(one: MeshFacts, *checks: str) -> CheckReport:
    """The report of some checks."""
    return run.run(one, [BY_ID[each] for each in checks])


def told(check: str, one: MeshFacts) -> list[str]:
    """What a check prints of the first cluster or of the mesh: findings with severity, else its outcome."""
    first = results(check, one)[0]
    found = [f"{(each.severity or first.check.severity).value}: {each.says}" for each in first.findings]
    return found or [": ".join(part for part in (first.state.value, first.why) if part)]
