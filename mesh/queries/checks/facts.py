"""The facts that checks judge: each cluster as it was read, and the mesh; frozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mesh.istio import solo, upstream
from mesh.istio.addresses import eastwest_key
from mesh.model import Action, Attrs, Key, Plan, Unread
from mesh.model.bounded_text import SMALL, Unfit
from mesh.model.spec import Cluster, Component, Mesh
from mesh.queries.checks.model import NotFound, Skip
from mesh.queries.states import ResourceState
from mesh.queries.status.model import ClusterStatus, Status
from mesh.state.lockfile import State
from mesh.world import Object
from mesh.world.helm.releases import Release, ReleaseView
from mesh.world.shapes import Each, fitted

if TYPE_CHECKING:
    from mesh.world.pki import Inspection

MESH_CONFIG = {
    "trustDomain": str,
    "defaultConfig": {"meshId": str},
    "discoverySelectors": [{"matchLabels": Each(str), "matchExpressions": [{"key": str, "values": [str]}]}],
}

Rows = tuple[Object, ...]

NOT_READ = Unread("it was not read")


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """One cluster. A part that could not be read is `Unread`, with the reason.

    `seen` holds the collections by their names in `mesh.queries.checks.read.queries`.
    `tried` holds the answers to dry runs: "" if the server accepted, else its message.
    `remotes` holds the problem with the remote secret of each link of an upstream mesh, "" for none.
    `ports` holds answers of pods. `skew` is the number of seconds by which the cluster's clock is ahead.
    `denied` are rights that planned writes lack, `stray` labelled objects that the state does not know.
    """

    cluster: Cluster
    unreachable: str = ""
    uid: str = ""
    version: str | Unread = NOT_READ
    skew: float | Unread = NOT_READ
    groups: frozenset[str] | Unread = NOT_READ
    seen: Mapping[str, Rows | Unread] = field(default_factory=dict)
    releases: Mapping[tuple[str, str], ReleaseView] | Unread = NOT_READ
    authority: Inspection | Unread | None = NOT_READ
    published: Mapping[str, frozenset[str]] | Unread = NOT_READ
    remotes: Mapping[str, str | Unread] | Unread = NOT_READ
    tried: Mapping[str, str | Unread] = field(default_factory=dict)
    ports: Mapping[str, Any] = field(default_factory=dict)
    denied: tuple[str, ...] | Unread = NOT_READ
    unknown_rights: tuple[str, ...] = ()
    stray: tuple[str, ...] | Unread = NOT_READ

    @property
    def name(self) -> str:
        """The cluster's name in the file."""
        return self.cluster.name

    @property
    def namespace(self) -> str:
        """Istiod's namespace."""
        return self.cluster.namespace

    def rows(self, what: str) -> Rows:
        """A collection; raise Skip if it could not be read."""
        rows: Rows = read(self.seen.get(what, Unread(f"{what} were not read")))
        return rows

    def named(self, what: str, namespace: str, name: str) -> Object | None:
        """One object of a collection, or None if it is missing."""
        return next((obj for obj in self.rows(what) if place(obj) == (namespace, name)), None)


@dataclass(frozen=True, slots=True)
class MeshFacts:
    """The mesh, the facts of its clusters, its state, and the plan (or why there is none).

    `held` are the clusters' copies of the state, `istioctl` is the version of the one on PATH ("": none).
    `missed` collects what `gather` could not read during one check: a comparison without findings has
    then not passed, because the unread cluster may differ.
    """

    mesh: Mesh
    clusters: Mapping[str, ClusterFacts]
    state: State
    now: datetime
    plan: Plan | Unread
    held: Mapping[str, State | None] = field(default_factory=dict)
    analysis: Mapping[str, tuple[Attrs, ...]] | Unread = NOT_READ
    istioctl: str | Unread = NOT_READ
    states: Mapping[Key, ResourceState] = field(default_factory=dict)
    status: Status | Unread = NOT_READ
    missed: list[str] = field(default_factory=list, compare=False)

    @property
    def unread(self) -> dict[str, str]:
        """The clusters and resources that could not be read, and why."""
        clusters = {f"cluster {each.name}": each.unreachable for each in self.clusters.values()}
        said = {name: why for name, why in clusters.items() if why}
        silent = {each.name for each in self.clusters.values() if each.unreachable}
        states = {str(key): each.unread for key, each in self.states.items() if key.cluster not in silent}
        return said | {name: why for name, why in states.items() if why}

    @property
    def reached(self) -> tuple[ClusterFacts, ...]:
        """The clusters that answered."""
        return tuple(each for each in self.clusters.values() if not each.unreachable)

    def gather(self, what: Callable[[ClusterFacts], Any]) -> dict[str, Any]:
        """Return the value of each cluster that has it; note clusters that could not be read as missed."""
        found: dict[str, Any] = {}
        for facts in self.clusters.values():
            if facts.unreachable:
                self.miss(f"{facts.name} does not answer")
                continue
            try:
                found[facts.name] = what(facts)
            except NotFound:
                continue
            except Skip as why:
                self.miss(f"{facts.name}: {why}")
        return found

    def miss(self, what: str) -> None:
        """Note something that could not be read."""
        if what not in self.missed:
            self.missed.append(what)

    def resource(self, key: Key) -> ResourceState:
        """The state of a resource; raise Skip if it was not decided or could not be read."""
        found = self.states.get(key)
        if found is None:
            raise Skip(f"{key} was not read")
        if found.unread:
            raise Skip(found.unread)
        return found

    def endpoint(self, target: ClusterFacts) -> Mapping[str, Any] | None:
        """Where the east-west gateway of a cluster is reached now; None if that is not known."""
        found = self.states.get(eastwest_key(target.cluster))
        outputs: Mapping[str, Any] = found.live.outputs if found and found.live else {}
        return outputs.get("endpoint")

    def changes(self, key: Key) -> bool:
        """Whether the plan changes a resource."""
        return isinstance(self.plan, Plan) and any(
            step.key == key and step.action is not Action.READ for step in self.plan.steps
        )


def cluster_status(scene: MeshFacts, facts: ClusterFacts, part: str) -> ClusterStatus:
    """The status of a cluster; raise Skip if that part of it could not be read."""
    status: ClusterStatus = read(scene.status).cluster(facts.name)
    if part in status.unread:
        raise Skip(status.unread[part])
    return status


def read(found: Any) -> Any:
    """Return a part that was read; raise Skip with the reason if it could not be."""
    if isinstance(found, Unread):
        raise Skip(found.why)
    return found


def place(obj: Object) -> tuple[str, str]:
    """Namespace and name."""
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


def shown(obj: Object) -> str:
    """An object as `namespace/name`, or `name` if it has no namespace."""
    return "/".join(part for part in place(obj) if part)


def labels(obj: Object) -> Mapping[str, str]:
    """The labels of an object."""
    return obj["metadata"].get("labels") or {}


def annotated(obj: Object) -> Mapping[str, str]:
    """The annotations of an object."""
    return obj["metadata"].get("annotations") or {}


def environment(workload: Object) -> dict[str, str]:
    """The literal environment variables of the containers of a workload or pod; the first container wins."""
    spec = workload["spec"].get("template", workload)["spec"]
    everything = [each for container in spec.get("containers", []) for each in container.get("env", [])]
    return {each["name"]: str(each["value"]) for each in reversed(everything) if "value" in each}


def setting(name: str, value: str | None) -> str:
    """A label or variable as findings show it: `NAME=value`, or `no NAME` if it is unset."""
    return f"{name}={value}" if value else f"no {name}"


def images(workload: Object) -> list[str]:
    """The images of a workload's or pod's containers."""
    spec = workload["spec"].get("template", workload)["spec"]
    return [container.get("image", "") for container in spec.get("containers", [])]


def istiod(facts: ClusterFacts) -> Object:
    """Istiod's Deployment; raise NotFound if it is missing."""
    for obj in facts.rows("deployments"):
        if labels(obj).get("app") == "istiod" and place(obj)[0] == facts.namespace:
            return obj
    raise NotFound(f"namespace {facts.namespace} has no istiod")


DAEMONS: Mapping[Component, tuple[str, str]] = {
    "cni": ("k8s-app", "istio-cni-node"),
    "ztunnel": ("app", "ztunnel"),
}
"""The pod label of each component that runs on every node."""


def daemon(facts: ClusterFacts, component: Component) -> Object:
    """The DaemonSet of cni or ztunnel; raise NotFound if it is missing."""
    key, value = DAEMONS[component]
    namespace = facts.cluster.charts[component].namespace
    for obj in facts.rows("daemonsets"):
        found = labels(obj).get(key) or obj["spec"]["selector"].get("matchLabels", {}).get(key)
        if found == value and place(obj)[0] == namespace:
            return obj
    raise NotFound(f"namespace {namespace} has no {component}")


def mesh_config(facts: ClusterFacts) -> Mapping[str, Any]:
    """The mesh config of istiod: the document `mesh` of its ConfigMap; {} if it is missing."""
    from mesh.world.yaml_documents import read as parse

    found = facts.named("configs", facts.namespace, "istio")
    text = (found or {}).get("data", {}).get("mesh", "")
    try:
        document: Mapping[str, Any] = fitted(parse(text, SMALL), MESH_CONFIG)
    except Unfit as error:
        raise Skip(f"ConfigMap {facts.namespace}/istio cannot be read: {error}") from None
    return document


def trust_domain(facts: ClusterFacts) -> str:
    """The trust domain of the identities that istiod issues; raise NotFound if istiod is missing."""
    istiod(facts)
    return str(mesh_config(facts).get("trustDomain", "cluster.local"))


def of_class(facts: ClusterFacts, name: str) -> list[Object]:
    """The Gateways of a class."""
    return [obj for obj in facts.rows("gateways") if obj["spec"].get("gatewayClassName") == name]


def eastwest_gateways(scene: MeshFacts, facts: ClusterFacts) -> list[Object]:
    """The east-west gateways; the Gateway class depends on the distribution."""
    is_upstream = scene.mesh.distribution == "upstream"
    return of_class(facts, upstream.EASTWEST_CLASS if is_upstream else solo.EASTWEST_CLASS)


def deployed(facts: ClusterFacts, component: Component) -> Release | None:
    """The deployed revision of a component's release, or None."""
    view = release(facts, component)
    return view.deployed or view.newest if view else None


def release(facts: ClusterFacts, component: Component) -> ReleaseView | None:
    """The release of a component, or None: by its name, else by its chart, as an adopted release is found."""
    chart = facts.cluster.charts[component]
    views: Mapping[tuple[str, str], ReleaseView] = read(facts.releases)
    found = views.get((chart.namespace, chart.release))
    return found or next((view for view in views.values() if view.is_of(component)), None)


def installed(facts: ClusterFacts) -> bool:
    """Whether the cluster has a control plane to judge: an istiod in its namespace, from any installer."""
    try:
        istiod(facts)
    except NotFound:
        return False
    return True


def true(value: Any) -> bool:
    """Whether an environment variable means yes, as Go's ParseBool reads it."""
    return str(value).lower() in {"1", "t", "true"}
