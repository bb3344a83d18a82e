"""The Solo distribution: values, east-west gateway and peer objects, as in its guides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesh.istio.computed_values import LICENCE_ANNOTATION, annotated
from mesh.istio.management_plane import LOCAL_PEERS
from mesh.istio.names import NETWORK
from mesh.istio.overlay import overlay
from mesh.istio.versions import NODE_PORT, Minor, Version, since
from mesh.model import Unknown
from mesh.model.refs import Ref
from mesh.model.spec import Cluster, Component, Mesh, SecretRef

Endpoint = Mapping[str, Any] | Ref | Unknown
"""The address of an east-west gateway: {type: IPAddress|Hostname, value, xdsPort}, maybe not known yet."""

EASTWEST_CLASS = "istio-eastwest"
REMOTE_CLASS = "istio-remote"
PEER_NAME = "istio-remote-peer-{cluster}"

EXPOSE_ISTIOD = "istio.io/expose-istiod"
CLUSTER = "topology.istio.io/cluster"
REGION = "topology.kubernetes.io/region"
ZONE = "topology.kubernetes.io/zone"
SERVICE_TYPE = "peering.solo.io/data-plane-service-type"
PREFERRED_SERVICE_TYPE = "peering.solo.io/preferred-data-plane-service-type"
SERVICE_ACCOUNT = "gateway.istio.io/service-account"
TRUST_DOMAIN = "gateway.istio.io/trust-domain"

LICENCE_SECRET = "solo-istio-license"  # noqa: S105  # the name of a Secret
LICENCE_KEY = "license-key"
LICENCE_KEYS = (LICENCE_KEY, "gloo-mesh-license-key", "gloo-trial-license-key")
"""The keys that istiod reads in the Secret; the first existing one counts."""

HBONE_PORT = 15008
XDS_PORT = 15012
HBONE_LISTENER = "cross-network"
XDS_LISTENER = "xds-tls"

LICENCE_BY_CHART: Sequence[tuple[Minor, bool]] = (((1, 24), False), ((1, 25), True))
"""Whether the istiod chart has `license.secretRef`; otherwise mesh sets the environment variable."""

GATEWAY_LABELS: Sequence[tuple[Minor, frozenset[str]]] = (
    ((1, 24), frozenset({EXPOSE_ISTIOD, NETWORK})),
    ((1, 25), frozenset({EXPOSE_ISTIOD, NETWORK, CLUSTER, REGION, ZONE})),
)
"""The labels that a version reads on an east-west gateway, and those it also reads on a peer object."""

GATEWAY_ANNOTATIONS: Sequence[tuple[Minor, frozenset[str]]] = (
    ((1, 24), frozenset({SERVICE_ACCOUNT, TRUST_DOMAIN})),
    (NODE_PORT, frozenset({SERVICE_ACCOUNT, TRUST_DOMAIN, SERVICE_TYPE, PREFERRED_SERVICE_TYPE})),
)


def chart_values(
    mesh: Mesh,
    cluster: Cluster,
    component: Component,
    *,
    licence: SecretRef | None = None,
    licence_digest: Ref | Unknown | str | None = None,
    root: Ref | Unknown | str | None = None,
) -> dict[str, Any]:
    """See `Distribution.chart_values`."""
    guide = upgraded(component) if cluster.adopt else documented(cluster, component)
    values = overlay(guide, cluster.charts[component].values)
    values = overlay(values, computed(mesh, cluster, component))
    if component == "istiod":
        values = overlay(values, _licence(_line(mesh), licence, licence_digest))
    return annotated(values, component, root)


def documented(cluster: Cluster, component: Component) -> dict[str, Any]:
    """Return the values of the guide that a user can override."""
    match component:
        case "base":
            return {"defaultRevision": "", "profile": "ambient"}
        case "istiod":
            return {
                "profile": "ambient",
                "global": {"proxy": {"clusterDomain": "cluster.local"}},
                "meshConfig": {
                    "accessLogFile": "/dev/stdout",
                    "defaultConfig": {
                        "proxyMetadata": {
                            "ISTIO_META_DNS_AUTO_ALLOCATE": "true",
                            "ISTIO_META_DNS_CAPTURE": "true",
                        }
                    },
                },
                "env": {
                    "PILOT_ENABLE_IP_AUTOALLOCATE": "true",
                    "PILOT_ENABLE_K8S_SELECT_WORKLOAD_ENTRIES": "false",
                    "PILOT_SKIP_VALIDATE_TRUST_DOMAIN": "true",
                },
                "pilot": {"cni": {"enabled": True}},
            }
        case "cni":
            return {
                "profile": "ambient",
                "ambient": {"dnsCapture": True},
                "excludeNamespaces": [cluster.namespace, "kube-system"],
            }
        case "ztunnel":
            return {
                "profile": "ambient",
                "configValidation": True,
                "enabled": True,
                "variant": "distroless",
                "proxy": {"clusterDomain": "cluster.local"},
                "terminationGracePeriodSeconds": 29,
                "env": {"L7_ENABLED": "true", "SKIP_VALIDATE_TRUST_DOMAIN": "true"},
            }


def upgraded(component: Component) -> dict[str, Any]:
    """Return the values that the guide adds to an existing mesh; a user can override them."""
    match component:
        case "istiod":
            return {
                "env": {
                    "PILOT_ENABLE_IP_AUTOALLOCATE": "true",
                    "PILOT_ENABLE_K8S_SELECT_WORKLOAD_ENTRIES": "false",
                    "PILOT_SKIP_VALIDATE_TRUST_DOMAIN": "true",
                }
            }
        case "cni":
            return {"ambient": {"dnsCapture": True}}
        case "ztunnel":
            return {"env": {"L7_ENABLED": "true", "SKIP_VALIDATE_TRUST_DOMAIN": "true"}}
    return {}


def computed(mesh: Mesh, cluster: Cluster, component: Component) -> dict[str, Any]:
    """Return the values that mesh computes; `COMPUTED` lists their paths."""
    images = {"hub": mesh.hub, "tag": mesh.tag} | ({"variant": mesh.variant} if mesh.variant else {})
    own_namespace = {} if cluster.namespace == "istio-system" else {"istioNamespace": cluster.namespace}
    cni, ztunnel = cluster.charts["cni"].namespace, cluster.charts["ztunnel"].namespace
    match component:
        case "base":
            return {"global": own_namespace} if own_namespace else {}
        case "istiod":
            values: dict[str, Any] = {
                "global": images
                | own_namespace
                | {"multiCluster": {"clusterName": cluster.cluster_name}, "network": cluster.network},
                "meshConfig": {"trustDomain": cluster.trust_domain},
                "pilot": {"cni": {"namespace": cni}},
                "platforms": {"peering": {"enabled": True}},
            }
            values |= {"env": {LOCAL_PEERS: "true"}} if mesh.automatic else {}
            # Without it, istiod refuses certificate requests of a ztunnel in another namespace.
            return values | ({"trustedZtunnelNamespace": ztunnel} if ztunnel != cluster.namespace else {})
        case "cni":
            return {"global": images | own_namespace}
        case "ztunnel":
            return images | {
                "istioNamespace": cluster.namespace,
                "namespace": ztunnel,
                "multiCluster": {"clusterName": cluster.cluster_name},
                "network": cluster.network,
            }


def licence_secret(mesh: Mesh, cluster: Cluster) -> SecretRef:
    """Return the Secret from which istiod reads its licence: the user's, or the one that mesh keeps."""
    return mesh.licence.secret or SecretRef(LICENCE_SECRET, cluster.namespace)


def _licence(line: Minor, licence: SecretRef | None, digest: Ref | Unknown | str | None) -> dict[str, Any]:
    """Return the values that refer istiod to its licence; the key itself never becomes a value."""
    if licence is None:
        return {}
    if since(LICENCE_BY_CHART, line):
        values: dict[str, Any] = {
            "license": {"secretRef": {"name": licence.name, "namespace": licence.namespace}}
        }
    else:
        values = {"env": {"SOLO_LICENSE_SECRET": f"{licence.namespace}/{licence.name}"}}
    return values if digest is None else values | {"podAnnotations": {LICENCE_ANNOTATION: digest}}


def eastwest_gateway(mesh: Mesh, cluster: Cluster) -> dict[str, Any]:
    """See `Distribution.eastwest_gateway`."""
    labels = {
        EXPOSE_ISTIOD: str(XDS_PORT),
        NETWORK: cluster.network,
        CLUSTER: cluster.cluster_name,
        REGION: cluster.eastwest.region,
        ZONE: cluster.eastwest.zone,
    }
    annotations = {SERVICE_TYPE: cluster.eastwest.service.lower()}
    meta = _metadata(mesh, cluster, cluster.eastwest.name, labels, annotations)
    return _gateway(meta, {"gatewayClassName": EASTWEST_CLASS, "listeners": _listeners(XDS_PORT)})


def peer_gateway(mesh: Mesh, source: Cluster, target: Cluster, endpoint: Endpoint) -> dict[str, Any]:
    """Return the Gateway object in `source` that represents the gateway of `target`.

    A `Ref` endpoint becomes three refs `<name>.type`, `<name>.value`, `<name>.xdsPort`: the dots
    select parts of the output. An `Unknown` endpoint is used three times unchanged.
    """
    labels = {NETWORK: target.network, CLUSTER: target.cluster_name, REGION: target.eastwest.region}
    annotations = {
        SERVICE_ACCOUNT: target.eastwest.name,
        TRUST_DOMAIN: target.trust_domain,
        PREFERRED_SERVICE_TYPE: target.eastwest.service.lower(),
    }
    name = PEER_NAME.format(cluster=target.cluster_name)
    spec = {
        "gatewayClassName": REMOTE_CLASS,
        "addresses": [{"type": _part(endpoint, "type"), "value": _part(endpoint, "value")}],
        "listeners": _listeners(_part(endpoint, "xdsPort")),
    }
    return _gateway(_metadata(mesh, source, name, labels, annotations), spec)


def _part(endpoint: Endpoint, part: str) -> Any:
    match endpoint:
        case Ref():
            return Ref(endpoint.key, f"{endpoint.name}.{part}")
        case Unknown():
            return endpoint
        case _:
            return endpoint[part]


def _listeners(xds_port: Any) -> list[dict[str, Any]]:
    passthrough = {"mode": "Passthrough"}
    return [
        {"name": HBONE_LISTENER, "port": HBONE_PORT, "protocol": "HBONE", "tls": passthrough},
        {"name": XDS_LISTENER, "port": xds_port, "protocol": "TLS", "tls": dict(passthrough)},
    ]


def _metadata(
    mesh: Mesh, where: Cluster, name: str, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> dict[str, Any]:
    """Return the metadata: the labels and annotations that the version reads and the file sets."""
    line = _line(mesh)
    meta: dict[str, Any] = {"name": name, "namespace": where.eastwest.namespace}
    for section, values, table in (
        ("labels", labels, GATEWAY_LABELS),
        ("annotations", annotations, GATEWAY_ANNOTATIONS),
    ):
        read = since(table, line)
        if kept := {key: value for key, value in values.items() if value and key in read}:
            meta[section] = kept
    return meta


def _gateway(metadata: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": metadata,
        "spec": spec,
    }


def _line(mesh: Mesh) -> Minor:
    version = Version.parse(mesh.version)
    assert version is not None, "the decoder rejects any other version"
    return version.line
