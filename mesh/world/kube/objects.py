"""Objects as an API server must send them: what `mesh` looks at has the types of the Kubernetes API.

An API server checks built-in types itself. Custom resources have the schema that their CRD gives, which is an
object of the cluster, and a server behind a context may be anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mesh.model.bounded_text import Unfit
from mesh.world import Object
from mesh.world.shapes import Each, fitted

TEXTS = Each(str)
CONDITIONS = [{"type!": str, "status!": str, "reason": str, "message": str, "lastTransitionTime": str}]

METADATA = {
    "name": str,
    "namespace": str,
    "uid": str,
    "resourceVersion": str,
    "generation": int,
    "creationTimestamp": str,
    "deletionTimestamp": str,
    "labels": TEXTS,
    "annotations": TEXTS,
    "finalizers": [str],
    "ownerReferences": [{"kind!": str, "name!": str, "uid": str}],
    "managedFields": [{"manager": str, "operation": str, "time": str, "subresource": str, "fieldsV1": dict}],
}

STATE = {
    "waiting": {"reason": str, "message": str},
    "terminated": {"reason": str, "message": str},
    "running": dict,
}
CONTAINERS = [{"name!": str, "ready": bool, "restartCount": int, "state": STATE, "lastState": STATE}]
POD_SPEC = {
    "nodeName": str,
    "hostNetwork": bool,
    "serviceAccountName": str,
    "nodeSelector": TEXTS,
    "containers": [{"name!": str, "image": str, "args": [str], "env": [{"name!": str, "value": str}]}],
    "tolerations": [dict],
    "volumes": [dict],
}
WORKLOAD = {
    "spec": {
        "replicas": int,
        "selector": {"matchLabels": TEXTS},
        "template": {"metadata": {"labels": TEXTS, "annotations": TEXTS}, "spec": POD_SPEC},
    },
    "status": {
        "conditions": CONDITIONS,
        **dict.fromkeys(
            (
                "observedGeneration",
                "replicas",
                "updatedReplicas",
                "availableReplicas",
                "readyReplicas",
                "desiredNumberScheduled",
                "numberReady",
                "updatedNumberScheduled",
            ),
            int,
        ),
    },
}
ADDRESSES = [{"type": str, "value": str}]
HOOKS = {
    "webhooks": [
        {
            "name!": str,
            "clientConfig!": {"service": {"name!": str, "namespace!": str}, "caBundle": str, "url": str},
            "namespaceSelector": {"matchLabels": TEXTS, "matchExpressions": [dict]},
            "objectSelector": {"matchLabels": TEXTS, "matchExpressions": [dict]},
            "rules": [{"apiGroups": [str], "apiVersions": [str], "resources": [str], "operations": [str]}],
            "failurePolicy": str,
        }
    ]
}

SHAPES: Mapping[str, Mapping[str, Any]] = {
    "Secret": {"type": str, "data": TEXTS, "stringData": TEXTS},
    "ConfigMap": {"data": TEXTS, "binaryData": TEXTS},
    "Namespace": {"status": {"phase": str, "conditions": CONDITIONS}},
    "Node": {
        "spec": {"podCIDR": str, "taints": [{"key!": str, "effect": str, "value": str}]},
        "status": {
            "conditions": CONDITIONS,
            "addresses": [{"type!": str, "address!": str}],
            "nodeInfo": {"containerRuntimeVersion": str, "kubeletVersion": str},
        },
    },
    "Pod": {
        "spec": POD_SPEC,
        "status": {
            "phase": str,
            "podIP": str,
            "conditions": CONDITIONS,
            "containerStatuses": CONTAINERS,
            "initContainerStatuses": CONTAINERS,
        },
    },
    "Service": {
        "spec": {
            "type": str,
            "selector": TEXTS,
            "clusterIP": str,
            "ports": [{"name": str, "port!": int, "nodePort": int, "protocol": str}],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": str, "hostname": str}]}},
    },
    "Deployment": WORKLOAD,
    "DaemonSet": WORKLOAD,
    "Lease": {
        "spec": {
            "holderIdentity": str,
            "leaseDurationSeconds": int,
            "acquireTime": str,
            "renewTime": str,
        }
    },
    "CustomResourceDefinition": {
        "spec": {"group": str, "names": {"kind": str, "plural": str}, "versions": [{"name!": str}]},
        "status": {"conditions": CONDITIONS, "storedVersions": [str]},
    },
    "GatewayClass": {"spec": {"controllerName": str}, "status": {"conditions": CONDITIONS}},
    "Gateway": {
        "spec": {
            "gatewayClassName": str,
            "addresses": ADDRESSES,
            "listeners": [{"name!": str, "port!": int, "protocol": str, "tls": dict}],
        },
        "status": {
            "addresses": ADDRESSES,
            "conditions": CONDITIONS,
            "listeners": [{"name!": str, "attachedRoutes": int, "conditions": CONDITIONS}],
        },
    },
    "SelfSubjectAccessReview": {"status": {"allowed": bool, "reason": str}},
    "ValidatingWebhookConfiguration": HOOKS,
    "MutatingWebhookConfiguration": HOOKS,
    "WorkloadEntry": {"spec": {"address": str, "network": str, "labels": TEXTS}},
    "EndpointSlice": {"endpoints": [{"addresses": [str], "conditions": {"ready": bool}}]},
    "PodDisruptionBudget": {"status": {"disruptionsAllowed": int}},
    "KubernetesCluster": {"spec": dict, "status": {"conditions": CONDITIONS}},
    "ServiceMeshController": {"spec": dict, "status": {"conditions": CONDITIONS}},
}
"""What each kind must hold beside its metadata, as far as it is there."""

ANY = {"spec": dict, "status": dict}
"""What an object of any other kind must hold."""

_ODD = re.compile(r"[/%\x00-\x20\x7f]|^\.{1,2}$")
LONGEST_NAME = 253


def typed(obj: Any, kind: str) -> Object:
    """Return an object of a kind, without keys that are null; raise Unfit, with the object and the path."""
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
        raise Unfit(f"a {kind} has no metadata")
    try:
        meta = fitted(obj["metadata"], METADATA, "metadata")
        for part in ("name", "namespace"):
            _check_name(meta.get(part, ""), part)
        found: Object = fitted({**obj, "metadata": meta}, SHAPES.get(kind, ANY))
    except Unfit as error:
        raise Unfit(f"{kind} {_named(obj['metadata'])}: {error}") from None
    return found


def _check_name(name: str, part: str) -> None:
    """Raise Unfit for a name that would be more than one segment of a path."""
    if len(name) > LONGEST_NAME or _ODD.search(name):
        raise Unfit(f"metadata.{part} cannot be the name of an object")


def _named(meta: Mapping[str, Any]) -> str:
    return (
        "/".join(str(part)[:60] for part in (meta.get("namespace"), meta.get("name")) if part)
        or "without name"
    )
