"""The LISTs that the checks need, as data: a row in `QUERIES` is all that a new one takes.

`read` sends each query and fills `ClusterFacts.seen`. No manifest of `mesh rbac` follows from them: it
grants what a plan reads, and a check is skipped if its LIST is denied.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mesh.model.spec import Cluster
from mesh.world.resources import (
    CONFIG_MAP,
    CRD,
    DAEMON_SET,
    DEPLOYMENT,
    GATEWAY,
    LEASE,
    NAMESPACE,
    NODE,
    POD,
    SERVICE,
    ResourceType,
)

VALIDATING = ResourceType(
    "admissionregistration.k8s.io",
    "v1",
    "validatingwebhookconfigurations",
    "ValidatingWebhookConfiguration",
    namespaced=False,
)
MUTATING = ResourceType(
    "admissionregistration.k8s.io",
    "v1",
    "mutatingwebhookconfigurations",
    "MutatingWebhookConfiguration",
    namespaced=False,
)
QUOTA = ResourceType("", "v1", "resourcequotas", "ResourceQuota")
LIMITS = ResourceType("", "v1", "limitranges", "LimitRange")
DISRUPTION = ResourceType("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
POLICY = ResourceType("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
SLICE = ResourceType("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
WORKLOAD_ENTRY = ResourceType("networking.istio.io", "v1", "workloadentries", "WorkloadEntry")
CONTROLLER = ResourceType(
    "operator.gloo.solo.io", "v1", "servicemeshcontrollers", "ServiceMeshController", namespaced=False
)


def everywhere(_cluster: Cluster) -> frozenset[str]:
    """All namespaces, in one request."""
    return frozenset({""})


def of_control_plane(cluster: Cluster) -> frozenset[str]:
    """The namespaces of the charts."""
    return frozenset({cluster.namespace, *(chart.namespace for chart in cluster.charts.values())})


def of_system(cluster: Cluster) -> frozenset[str]:
    """The namespaces of the charts, and kube-system: CNI plugins run there."""
    return of_control_plane(cluster) | {"kube-system"}


def of_leases(_cluster: Cluster) -> frozenset[str]:
    """The namespace of the leases of runs."""
    return frozenset({"kube-system"})


@dataclass(frozen=True, slots=True)
class Query:
    """One LIST in each of the namespaces that `where` returns ("": in all, with one request)."""

    resource: ResourceType
    labels: str = ""
    fields: str = ""
    metadata_only: bool = False
    where: Callable[[Cluster], frozenset[str]] = everywhere


QUERIES: dict[str, Query] = {
    "namespaces": Query(NAMESPACE),
    "nodes": Query(NODE),
    "crds": Query(CRD, metadata_only=True),
    "gateways": Query(GATEWAY),
    "services": Query(SERVICE),
    "deployments": Query(DEPLOYMENT),
    "daemonsets": Query(DAEMON_SET, where=of_system),
    "configs": Query(CONFIG_MAP, where=of_control_plane),
    "leases": Query(LEASE, where=of_leases),
    "pods": Query(POD, metadata_only=True),
    "host pods": Query(POD, fields="spec.hostNetwork=true", metadata_only=True),
    "mesh pods": Query(POD, labels="app in (istiod,ztunnel)"),
    "cni pods": Query(POD, labels="k8s-app=istio-cni-node"),
    "gateway pods": Query(POD, labels="gateway.networking.k8s.io/gateway-name"),
    "roots": Query(CONFIG_MAP, fields="metadata.name=istio-ca-root-cert"),
    "cilium": Query(CONFIG_MAP, fields="metadata.name=cilium-config"),
    "validating": Query(VALIDATING),
    "mutating": Query(MUTATING),
    "quotas": Query(QUOTA),
    "limits": Query(LIMITS),
    "disruption": Query(DISRUPTION),
    "policies": Query(POLICY),
    "workload entries": Query(WORKLOAD_ENTRY),
    "controllers": Query(CONTROLLER, metadata_only=True),
}
"""Every collection by its name in `ClusterFacts.rows`."""

ENDPOINTS = "kubernetes.io/service-name in ({names})"
"""The selector of the EndpointSlices of several Services, in one request."""
