"""Read the pods of a cluster's components, whoever keeps them: a Helm release, or the Gloo Operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mesh.model.spec import Cluster, Component
from mesh.providers.chart import views_in
from mesh.queries.status.judge import workload
from mesh.queries.status.model import Workload
from mesh.sdk.rollout_status import of_release
from mesh.world import Object
from mesh.world.helm.releases import ReleaseView
from mesh.world.kube.errors import Forbidden
from mesh.world.resources import DAEMON_SET, DEPLOYMENT, NODE, POD
from mesh.world.snapshot import Snapshot

WORKLOADS: Mapping[Component, Mapping[str, str]] = {
    "istiod": {"app": "istiod"},
    "cni": {"k8s-app": "istio-cni-node"},
    "ztunnel": {"app": "ztunnel"},
}
"""The components that run pods, and the labels of their workloads where no Helm release of ours has them."""

OPERATED, REVISION = "istiod-gloo", "gloo"
"""What the Gloo Operator calls its istiod, and the revision that all it installs has."""

REVISION_LABEL = "istio.io/rev"


def workloads(cluster: Cluster, snapshot: Snapshot) -> tuple[Workload, ...]:
    """Every workload of every component, and a row that says so for a component without any."""
    reader = _Reader(cluster, snapshot)
    return tuple(each for name in WORKLOADS for each in reader.component(name))


def keeper(obj: Object) -> str:
    """Say that the Gloo Operator keeps a workload, with its revision; "" if it does not."""
    meta = obj["metadata"]
    revision = meta.get("labels", {}).get(REVISION_LABEL, "")
    if meta["name"] != OPERATED and revision != REVISION:
        return ""
    return f"Gloo Operator, revision {revision or 'unknown'}"


@dataclass(frozen=True, slots=True)
class _Reader:
    cluster: Cluster
    snapshot: Snapshot

    def component(self, component: Component) -> tuple[Workload, ...]:
        view = self._release(component)
        nodes = len(self.snapshot.list(NODE, metadata_only=True))
        version = (view.deployed or view.newest).chart_version if view else ""
        found = self._of_file(component) or self._operated(component)
        if not found:
            namespace = self.cluster.charts[component].namespace
            return (Workload(component, namespace, chart=version, why="it is not installed"),)
        judged = (replace(workload(component, obj, nodes, self._pods), keeper=keeper(obj)) for obj in found)
        release = view.status if view else ""
        return tuple(
            each if each.keeper else replace(each, chart=version, release=release) for each in judged
        )

    def _release(self, component: Component) -> ReleaseView | None:
        """The release of the file, else the one of the chart: one that was adopted has a name of its own.

        For who may read Secrets; its pods are shown to others too.
        """
        chart = self.cluster.charts[component]
        try:
            views = views_in(self.snapshot, chart.namespace)
        except Forbidden:
            return None
        alike = [view for view in views.values() if view.is_of(component)]
        return views.get((chart.namespace, chart.release)) or (alike[0] if len(alike) == 1 else None)

    def _of_file(self, component: Component) -> list[Object]:
        """Those of the namespace in the file: of its release, else by their labels."""
        chart, labels = self.cluster.charts[component], WORKLOADS[component]
        everything = [
            {**obj, "kind": resource.kind}
            for resource in (DEPLOYMENT, DAEMON_SET)
            for obj in self.snapshot.list(resource, namespace=chart.namespace)
        ]
        named = [obj for obj in everything if labels.items() <= obj["metadata"].get("labels", {}).items()]
        return of_release(everything, chart.release, chart.namespace) or named

    def _operated(self, component: Component) -> list[Object]:
        """Those of the Gloo Operator, which chooses the namespace itself."""
        labels = ",".join(f"{key}={value}" for key, value in WORKLOADS[component].items())
        resource = DEPLOYMENT if component == "istiod" else DAEMON_SET
        try:
            found = self.snapshot.list(resource, labels=labels)
        except Forbidden:
            return []
        return [{**obj, "kind": resource.kind} for obj in found if keeper(obj)]

    def _pods(self, obj: Object) -> list[Object]:
        labels = ",".join(f"{key}={value}" for key, value in obj["spec"]["selector"]["matchLabels"].items())
        return self.snapshot.list(POD, namespace=obj["metadata"]["namespace"], labels=labels)
