"""The rights that helm needs for a release: on the objects of the chart, and on helm's own record of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mesh.model import Action, Step
from mesh.providers.chart.rendered import KNOWN
from mesh.sdk.rights import READ, VERBS, ApiResource, Right, rights
from mesh.world.resources import (
    CONFIG_MAP,
    CRD,
    DAEMON_SET,
    DEPLOYMENT,
    GATEWAY,
    GATEWAY_CLASS,
    KUBERNETES_CLUSTER,
    SECRET,
    SERVICE,
)

RBAC = "rbac.authorization.k8s.io"
ADMISSION = "admissionregistration.k8s.io"

ROLE, ROLE_BINDING = ApiResource(RBAC, "roles"), ApiResource(RBAC, "rolebindings")
CLUSTER_ROLE = ApiResource(RBAC, "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDING = ApiResource(RBAC, "clusterrolebindings", namespaced=False)
VALIDATING = ApiResource(ADMISSION, "validatingwebhookconfigurations", namespaced=False)
MUTATING = ApiResource(ADMISSION, "mutatingwebhookconfigurations", namespaced=False)

BY_KIND = {
    resource.kind: ApiResource.of(resource)
    for resource in KNOWN.values()
    if resource not in {GATEWAY, GATEWAY_CLASS, KUBERNETES_CLUSTER}
}
"""What the kind of a chart's object means to RBAC. Kinds of CRDs are left out: other groups have them too."""

_POLICIES = (BY_KIND["ValidatingAdmissionPolicy"], BY_KIND["ValidatingAdmissionPolicyBinding"])
NETWORK_POLICY = BY_KIND["NetworkPolicy"]

ROLES = frozenset({ROLE, CLUSTER_ROLE})
"""A writer of these must hold the rights that they grant, or the verbs `escalate` and `bind`."""

HELM = ("get", "list", "create", "update", "delete")
"""What helm does with the Secrets that hold its releases."""

_ACCESS = (ApiResource("", "serviceaccounts"), CLUSTER_ROLE, CLUSTER_ROLE_BINDING)
_NODE_AGENT = (
    *_ACCESS,
    ApiResource.of(CONFIG_MAP),
    ApiResource.of(DAEMON_SET),
    ApiResource("", "resourcequotas"),
    NETWORK_POLICY,
)

RENDERED: Mapping[str, tuple[ApiResource, ...]] = {
    "base": (*_ACCESS, ApiResource.of(CRD), VALIDATING, *_POLICIES),
    "istiod": (
        *_ACCESS,
        ApiResource.of(CONFIG_MAP),
        ApiResource.of(SERVICE),
        ApiResource.of(DEPLOYMENT),
        ApiResource("autoscaling", "horizontalpodautoscalers"),
        ApiResource("policy", "poddisruptionbudgets"),
        NETWORK_POLICY,
        ROLE,
        ROLE_BINDING,
        VALIDATING,
        MUTATING,
        *_POLICIES,
    ),
    "cni": _NODE_AGENT,
    "ztunnel": (*_NODE_AGENT, ROLE, ROLE_BINDING),
}
"""What the charts of Istio hold, whatever their values, but for an istiod outside of the cluster and multus.

Charts of a management plane are adopted; their owner has their rights.
"""

OPTIONAL = frozenset({NETWORK_POLICY, *_POLICIES})
"""What they hold with some values only. A plan tells whether it is among what changes."""


WRITTEN: Mapping[Action, tuple[str, ...]] = {Action.UPDATE: ("update",), Action.REPLACE: ("update",)}
"""What puts back an object that was changed outside helm, beside helm's own upgrade."""


def compared(component: str, namespace: str) -> Iterator[Right]:
    """Yield the rights to compare the objects of a release with what helm rendered."""
    for resource in RENDERED.get(component, ()):
        yield from rights(resource, READ, namespace)


def release(
    component: str, action: Action, namespace: str, *, without: frozenset[ApiResource] = frozenset()
) -> Iterator[Right]:
    """Yield the rights to carry an action out on the release of a chart, but for some resources."""
    verbs = VERBS.get(action, ())
    if not verbs:
        return
    yield from rights(SECRET, HELM, namespace)
    if component == "istiod" and action in (Action.CREATE, Action.REPLACE):
        yield from rights(DEPLOYMENT, ("list",))  # whether another istiod runs, in any namespace
    for resource in RENDERED.get(component, ()):
        if resource not in without:
            yield from _written(resource, action, ("get", *verbs, *WRITTEN.get(action, ())), namespace)


def _written(resource: ApiResource, action: Action, verbs: Iterable[str], namespace: str) -> Iterator[Right]:
    yield from rights(resource, verbs, namespace)
    if resource in ROLES and action is not Action.DELETE:
        yield from rights(resource, ("escalate", "bind"), namespace)


def changed(step: Step, namespace: str) -> Iterator[Right]:
    """Yield the rights to carry a step out on a release, with those on the objects that really change.

    `namespace` is that of the release. A change names only the kind: custom resources are left out.
    """
    yield from release(step.key.name, step.action, namespace, without=OPTIONAL)
    for change in step.manifests if step.key.name in RENDERED else ():
        name, _, where = change.object.partition(" ")
        if resource := BY_KIND.get(name):
            verbs = ("get", *VERBS.get(change.action, ()))
            yield from _written(resource, change.action, verbs, where.rpartition("/")[0] or namespace)
