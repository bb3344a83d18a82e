"""Read the pods of a cluster's components, of a Helm release or of the Gloo Operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mesh.istio.addresses import chart_key
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
"""The components that run pods, and the labels of their workloads where no release of the mesh has them."""

OPERATED, REVISION = "istiod-gloo", "gloo"
"""The name of the Gloo Operator's istiod, and the revision of everything that it installs."""

REVISION_LABEL = "istio.io/rev"


def workloads(cluster: Cluster, snapshot: Snapshot) -> tuple[Workload, ...]:
    """Return every workload of every component, and a row for each component without any."""
    reader = _Reader(cluster, snapshot)
    return tuple(each for name in WORKLOADS for each in reader.component(name))


def keeper(obj: Object) -> str:
    """Return the Gloo Operator with its revision if it owns a workload, "" if it does not."""
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
            why = "it is not installed"
            return (
                Workload(component, namespace, chart=version, why=why, resource=self._address(component)),
            )
        judged = (replace(workload(component, obj, nodes, self._pods), keeper=keeper(obj)) for obj in found)
        release = view.status if view else ""
        return tuple(
            each
            if each.keeper
            else replace(each, chart=version, release=release, resource=self._address(component))
            for each in judged
        )

    def _address(self, component: Component) -> str:
        return str(chart_key(self.cluster.name, component))

    def _release(self, component: Component) -> ReleaseView | None:
        """Return the release of the mesh file, or the only one of the chart: an adopted one keeps its name.

        An identity that may not read Secrets sees the pods all the same.
        """
        chart = self.cluster.charts[component]
        try:
            views = views_in(self.snapshot, chart.namespace)
        except Forbidden:
            return None
        alike = [view for view in views.values() if view.is_of(component)]
        return views.get((chart.namespace, chart.release)) or (alike[0] if len(alike) == 1 else None)

    def _of_file(self, component: Component) -> list[Object]:
        """Return the workloads in the namespace of the file: those of its release, or by their labels."""
        chart, labels = self.cluster.charts[component], WORKLOADS[component]
        everything = [
            {**obj, "kind": resource.kind}
            for resource in (DEPLOYMENT, DAEMON_SET)
            for obj in self.snapshot.list(resource, namespace=chart.namespace)
        ]
        named = [obj for obj in everything if labels.items() <= obj["metadata"].get("labels", {}).items()]
        return of_release(everything, chart.release, chart.namespace) or named

    def _operated(self, component: Component) -> list[Object]:
        """Return the workloads of the Gloo Operator, which chooses the namespace itself."""
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
