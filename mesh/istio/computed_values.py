"""The chart values that mesh computes, each with the hint for a user who sets it.

A value with two writers differs sooner or later, and most of these then fail silently. Setting one
by hand is therefore a mistake, which `mesh.config.resolve.values` reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.istio.management_plane import LOCAL_PEERS
from mesh.istio.overlay import overlay
from mesh.model import Path
from mesh.model.spec import Component

LICENCE_ANNOTATION = "meshform.io/licence"
ROOT_ANNOTATION = "meshform.io/ca"
RESTARTED: frozenset[Component] = frozenset({"istiod", "ztunnel"})
"""Charts with pods that read the root of trust at start, and so restart when it changes."""

_HUB = "use spec.istio.images.hub"
_TAG = "use spec.istio.images.tag (or spec.istio.version)"
_VARIANT = "use spec.istio.images.variant"
_NAMESPACE = "use namespaces.istiod of the cluster"
_CLUSTER = "use clusterName of the cluster"
_NETWORK = "use network of the cluster"
_TRUST = "use trustDomain of the cluster"
_LICENCE = "use spec.istio.license"
_ZTUNNEL = "use namespaces.ztunnel of the cluster"
_CNI = "use namespaces.cni of the cluster"
_GLOBAL_IMAGES: Mapping[Path, str] = {
    ("global", "hub"): _HUB,
    ("global", "tag"): _TAG,
    ("global", "variant"): _VARIANT,
    ("global", "istioNamespace"): _NAMESPACE,
}
# The chart reads a component's own section as well as the top level.
_ISTIOD_ENV: Mapping[Path, str] = {
    (*section, "env", name): use
    for section in ((), ("pilot",))
    for name, use in (
        ("CLUSTER_ID", _CLUSTER),
        ("ENABLE_PEERING_DISCOVERY", "remove it: peering is always enabled"),
        (LOCAL_PEERS, "use spec.links"),
        ("SOLO_LICENSE_KEY", _LICENCE),
        ("SOLO_LICENSE_SECRET", _LICENCE),
    )
}
_ROOT = "use spec.rootOfTrust"
_REVISION = "remove it: clusters are upgraded in place, without revisions"

COMPUTED: Mapping[Component, Mapping[Path, str]] = {
    "base": {("global", "istioNamespace"): _NAMESPACE},
    "istiod": {
        **_GLOBAL_IMAGES,
        **_ISTIOD_ENV,
        ("hub",): _HUB,
        ("tag",): _TAG,
        ("variant",): _VARIANT,
        ("pilot", "hub"): _HUB,
        ("pilot", "tag"): _TAG,
        ("pilot", "variant"): _VARIANT,
        ("global", "multiCluster", "clusterName"): _CLUSTER,
        ("global", "multiCluster", "enabled"): "remove it: it belongs to another multicluster mode",
        ("global", "network"): _NETWORK,
        ("global", "trustDomain"): f"{_TRUST} (the chart silently ignores global.trustDomain)",
        ("meshConfig", "trustDomain"): _TRUST,
        ("platforms", "peering", "enabled"): "remove it: peering is always enabled",
        ("license",): _LICENCE,
        ("revision",): _REVISION,
        ("pilot", "cni", "namespace"): _CNI,
        ("trustedZtunnelNamespace",): _ZTUNNEL,
        ("podAnnotations", LICENCE_ANNOTATION): _LICENCE,
        ("podAnnotations", ROOT_ANNOTATION): _ROOT,
    },
    "cni": {
        **_GLOBAL_IMAGES,
        ("hub",): _HUB,
        ("tag",): _TAG,
        ("variant",): _VARIANT,
        ("cni", "hub"): _HUB,
        ("cni", "tag"): _TAG,
        ("cni", "variant"): _VARIANT,
        ("revision",): _REVISION,
    },
    "ztunnel": {
        ("hub",): _HUB,
        ("tag",): _TAG,
        ("variant",): _VARIANT,
        ("global", "hub"): _HUB,
        ("global", "tag"): _TAG,
        ("global", "variant"): _VARIANT,
        ("multiCluster", "clusterName"): _CLUSTER,
        ("network",): _NETWORK,
        ("global", "network"): _NETWORK,
        ("istioNamespace",): _NAMESPACE,
        ("namespace",): _ZTUNNEL,
        ("podAnnotations", ROOT_ANNOTATION): _ROOT,
        ("revision",): _REVISION,
    },
}


def annotated(values: Mapping[str, Any], component: Component, root: object) -> dict[str, Any]:
    """Return the values with the root's fingerprint as an annotation of pods that must restart with it."""
    if component not in RESTARTED or root is None:
        return dict(values)
    return overlay(values, {"podAnnotations": {ROOT_ANNOTATION: root}})
