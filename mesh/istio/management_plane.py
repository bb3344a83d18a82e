"""Automatic linking in the guide: releases of the management plane, their settings, commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mesh.istio.versions import Minor
from mesh.model.printable import quoted
from mesh.model.spec import Automatic, Cluster, Mesh

DEFINITIONS, PLATFORM = "gloo-platform-crds", "gloo-platform"
LOCAL_PEERS = "PEERING_AUTOMATIC_LOCAL_GATEWAY"
"""Makes istiod create a peer for its own gateway, which the management plane copies to other clusters."""

OLDEST: Minor = (2, 7)
"""The first minor version of the management plane that distributes peers."""

LABELLED: Minor = (1, 25)
"""The first minor version of Istio with the cluster name on gateways, which the distribution needs."""

REPOSITORY = "https://storage.googleapis.com/gloo-platform/helm-charts"


@dataclass(frozen=True, slots=True)
class PlatformRelease:
    """One release of the management plane in one cluster, with the values of the guide."""

    cluster: Cluster
    chart: str
    values: dict[str, Any]


def parts(mesh: Mesh, automatic: Automatic) -> Iterator[PlatformRelease]:
    """Yield the releases in the guide's order: the management cluster first."""
    management = mesh.cluster(automatic.management)
    gate = {"featureGates": {"ConfigDistribution": True}}
    yield PlatformRelease(management, DEFINITIONS, {**gate, "installEnterpriseCrds": True})
    yield PlatformRelease(management, PLATFORM, gate)
    for cluster in mesh.clusters:
        if cluster.name != management.name:
            yield PlatformRelease(cluster, DEFINITIONS, {"installEnterpriseCrds": True})


def located(source: str, chart: str) -> tuple[str, str]:
    """Return helm's chart argument and repository; both "" if the chart comes from the release."""
    if source.startswith("oci://"):
        return f"{source}/{chart}", ""
    return (chart, source) if source else ("", "")


def install(automatic: Automatic, cluster: Cluster, chart: str) -> str:
    """Return the command that installs a missing release."""
    where = ("--namespace", automatic.namespace, "--create-namespace", "--kube-context", cluster.context)
    words = ("helm", "install", chart, chart, "--repo", automatic.source or REPOSITORY, *where)
    return " ".join(map(quoted, words))


def register(management: Cluster, cluster: Cluster) -> str:
    """Return the command that registers a cluster with the management plane."""
    contexts = ("--kubecontext", management.context, "--remote-context", cluster.context)
    words = (
        "meshctl",
        "cluster",
        "register",
        cluster.cluster_name,
        *contexts,
        "--profiles",
        "gloo-core-agent",
    )
    return " ".join(map(quoted, (*words, "--telemetry-server-address", "HOST:4317")))
