"""The upstream distribution: values, east-west gateway and remote secrets, as in Istio's guide.

Source: istio.io, "Install ambient multi-primary on different networks". Clusters find each other's
services through each other's API servers, with a token from a remote secret. It needs no
licence. See docs/how-to/upstream.md.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from mesh.istio.computed_values import annotated
from mesh.istio.names import NETWORK
from mesh.istio.overlay import overlay
from mesh.istio.versions import UPSTREAM_BETA, Version
from mesh.model import Unknown
from mesh.model.refs import Ref
from mesh.model.spec import Cluster, Component, Mesh, SecretRef

EASTWEST_CLASS = "istio-east-west"
EASTWEST_NAME = "istio-eastwestgateway"
HBONE_PORT = 15008
TERMINATE_MODE = "gateway.istio.io/tls-terminate-mode"

MULTI_NETWORK = "AMBIENT_ENABLE_MULTI_NETWORK"
TRUST_DOMAIN = "cluster.local"
"""The default trust domain, the same in all clusters."""

REMOTE_SECRET = "istio-remote-secret-{cluster}"  # noqa: S105  # the name of a Secret
READER = "istio-reader"
READER_ACCOUNT = "istio-reader-service-account"
READER_SECRET = "istio-reader-service-account-istio-remote-secret-token"  # noqa: S105  # as istioctl names it


def chart_values(
    mesh: Mesh,
    cluster: Cluster,
    component: Component,
    *,
    licence: SecretRef | None = None,
    licence_digest: Ref | Unknown | str | None = None,
    root: Ref | Unknown | str | None = None,
) -> dict[str, Any]:
    """See `Distribution.chart_values`; there is no licence."""
    del licence, licence_digest
    values = overlay(documented(component), cluster.charts[component].values)
    return annotated(overlay(values, computed(mesh, cluster, component)), component, root)


def documented(component: Component) -> dict[str, Any]:
    """Return the values of the guide that a user can override."""
    return {"profile": "ambient"} if component in {"istiod", "cni"} else {}


def computed(mesh: Mesh, cluster: Cluster, component: Component) -> dict[str, Any]:
    """Return the values that mesh computes; `computed_values_upstream.UPSTREAM` lists their paths."""
    named = {"hub": mesh.hub, "tag": mesh.tag, "variant": mesh.variant}
    # The charts know their registry, which changes with their version.
    images = {name: value for name, value in named.items() if value}
    own_namespace = {} if cluster.namespace == "istio-system" else {"istioNamespace": cluster.namespace}
    ztunnel = cluster.charts["ztunnel"].namespace
    match component:
        case "base":
            return {"global": own_namespace} if own_namespace else {}
        case "istiod":
            values: dict[str, Any] = {
                "global": images
                | own_namespace
                | {
                    "meshID": mesh.mesh_id,
                    "multiCluster": {"clusterName": cluster.cluster_name},
                    "network": cluster.network,
                },
                "meshConfig": {"trustDomain": cluster.trust_domain},
                "env": {MULTI_NETWORK: "true"},
            }
            # Without it, istiod refuses certificate requests of a ztunnel in another namespace.
            return values | ({"trustedZtunnelNamespace": ztunnel} if ztunnel != cluster.namespace else {})
        case "cni":
            return {"global": images | own_namespace}
        case "ztunnel":
            return (
                images
                | own_namespace
                | {"multiCluster": {"clusterName": cluster.cluster_name}, "network": cluster.network}
            )


def eastwest_gateway(mesh: Mesh, cluster: Cluster) -> dict[str, Any]:
    """See `Distribution.eastwest_gateway`: one listener, which terminates the outer of two HBONE tunnels."""
    del mesh
    tls = {"mode": "Terminate", "options": {TERMINATE_MODE: "ISTIO_MUTUAL"}}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {
            "name": cluster.eastwest.name,
            "namespace": cluster.eastwest.namespace,
            "labels": {NETWORK: cluster.network},
        },
        "spec": {
            "gatewayClassName": EASTWEST_CLASS,
            "listeners": [{"name": "mesh", "port": HBONE_PORT, "protocol": "HBONE", "tls": tls}],
        },
    }


def remarks(mesh: Mesh) -> Iterator[str]:
    """Yield remarks for the plan about this version."""
    version = Version.parse(mesh.version)
    if version and version.line < UPSTREAM_BETA:
        yield (
            f"multi-network ambient is alpha in Istio {version.major}.{version.minor}: "
            "it is beta from 1.29, and not meant for production before that"
        )


def is_loopback(server: str) -> bool:
    """Return whether the address of an API server is a loopback address."""
    host = urlsplit(server).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
