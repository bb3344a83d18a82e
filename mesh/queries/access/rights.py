"""The rights that writes need, and which of them we lack: one question per right, asked of the API server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mesh.errors import KubeError
from mesh.model import NO_CLUSTER, Action, Key, Place, Step
from mesh.model.spec import Component
from mesh.sdk.network_gateway import NetworkLocator
from mesh.walk import fan
from mesh.world import Kube, World

ASKED = 16
"""Questions at a time; the API servers' own bound is per cluster, in `mesh.world.kube.client`."""

MANAGER = "mesh/check"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One thing to be allowed: `namespace` is "" for what has none; `group` is "" for the core group."""

    group: str
    resource: str
    verb: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {what}" + (f" in {self.namespace}" if self.namespace else "")


Kind = tuple[str, str]
"""The group and the plural of an API resource."""

DEPLOYMENTS: Kind = ("apps", "deployments")
"""Behind a gateway; their pods are made anew while clusters move to another root of trust."""

RBAC = "rbac.authorization.k8s.io"
ADMISSION = "admissionregistration.k8s.io"
CLUSTER_WIDE = frozenset(
    {
        *("namespaces", "customresourcedefinitions", "clusterroles", "clusterrolebindings"),
        *("validatingwebhookconfigurations", "mutatingwebhookconfigurations"),
    }
)
"""Resources without a namespace."""

ROLES = frozenset({"roles", "clusterroles"})
"""Who writes these must hold what they grant, or be allowed to escalate and to bind."""

OWN: Mapping[str, Kind] = {
    "namespace": ("", "namespaces"),
    "label": ("", "namespaces"),
    "crds": ("apiextensions.k8s.io", "customresourcedefinitions"),
    "cert": ("", "secrets"),
    "secret": ("", "secrets"),
    "reader": ("", "secrets"),
    "remote": ("", "secrets"),
    "gateway": ("gateway.networking.k8s.io", "gateways"),
    "link": ("gateway.networking.k8s.io", "gateways"),
}
"""What the kinds write that are one object."""

_ACCESS: tuple[Kind, ...] = (
    ("", "serviceaccounts"),
    (RBAC, "clusterroles"),
    (RBAC, "clusterrolebindings"),
)
_NODE_AGENT: tuple[Kind, ...] = (*_ACCESS, ("", "configmaps"), ("apps", "daemonsets"), ("", "resourcequotas"))

RENDERED: Mapping[Component, tuple[Kind, ...]] = {
    "base": (
        *_ACCESS,
        ("apiextensions.k8s.io", "customresourcedefinitions"),
        (ADMISSION, "validatingwebhookconfigurations"),
    ),
    "istiod": (
        *_ACCESS,
        ("", "configmaps"),
        ("", "services"),
        ("apps", "deployments"),
        ("autoscaling", "horizontalpodautoscalers"),
        ("policy", "poddisruptionbudgets"),
        (RBAC, "roles"),
        (RBAC, "rolebindings"),
        (ADMISSION, "validatingwebhookconfigurations"),
        (ADMISSION, "mutatingwebhookconfigurations"),
    ),
    "cni": _NODE_AGENT,
    "ztunnel": (*_NODE_AGENT, (RBAC, "roles"), (RBAC, "rolebindings")),
}
"""What the charts hold; helm's own record, a Secret, comes on top."""

HELM: Kind = ("", "secrets")
LEASES: Kind = ("coordination.k8s.io", "leases")
LEASE_NAMESPACE = "kube-system"
STATE: Kind = ("", "configmaps")

APPLIED = ("create", "patch")
VERBS: Mapping[Action, tuple[str, ...]] = {
    Action.CREATE: APPLIED,
    Action.UPDATE: APPLIED,
    Action.REPLACE: (*APPLIED, "delete"),
    Action.DELETE: ("delete",),
}


def needed(steps: Iterable[Step], places: Mapping[Key, Place]) -> dict[str, frozenset[Right]]:
    """The rights that some steps need, by cluster."""
    found: dict[str, set[Right]] = {}
    for step in steps:
        if step.key.cluster != NO_CLUSTER and step.action in VERBS:
            found.setdefault(step.key.cluster, set()).update(_of_step(step, places[step.key]))
    return {cluster: frozenset(rights) for cluster, rights in sorted(found.items())}


def of_run(namespace: str) -> frozenset[Right]:
    """What a run writes of its own: the lease, and the cluster's copy of the state in istiod's namespace."""
    return frozenset(
        {
            *rights(LEASES, ("get", "create", "update", "delete"), LEASE_NAMESPACE),
            *rights(STATE, ("get", "create", "patch", "delete"), namespace),
        }
    )


def _of_step(step: Step, place: Place) -> Iterator[Right]:
    verbs = VERBS[step.action]
    if step.key.kind == "label":
        verbs = ("patch",)
    if step.key.kind == "cert":
        verbs = tuple("update" if verb == "patch" else verb for verb in verbs)
    if step.key.kind in OWN:
        yield from rights(OWN[step.key.kind], verbs, place.namespace)
        if step.key.kind == "gateway" and NetworkLocator.of(place).pods:
            yield from rights(DEPLOYMENTS, ("patch",), place.namespace)
    elif step.key.kind == "chart":
        yield from release(step.key.name, place.namespace, verbs)  # type: ignore[arg-type]  # a component


def release(component: Component, namespace: str, verbs: Iterable[str]) -> Iterator[Right]:
    """What helm does for a release: its objects, and its own record of them."""
    wanted = tuple(verbs)
    yield from rights(HELM, ("get", "list", "create", "update", "delete"), namespace)
    for kind in RENDERED.get(component, ()):
        yield from rights(kind, ("get", *wanted), namespace)
        if kind[1] in ROLES and wanted != ("delete",):
            yield from rights(kind, ("escalate", "bind"), namespace)


def rights(kind: Kind, verbs: Iterable[str], namespace: str) -> Iterator[Right]:
    """One right per verb."""
    group, resource = kind
    for verb in verbs:
        yield Right(group, resource, verb, "" if resource in CLUSTER_WIDE else namespace)


def missing(wanted: Mapping[str, frozenset[Right]], world: World) -> dict[str, tuple[Right, ...] | KubeError]:
    """The rights that we lack, by cluster, or why the server would not say; asked in parallel."""
    everything = Right("*", "*", "*")
    powers = fan(lambda cluster: _ask(world.kube(cluster), everything), wanted, ASKED)
    jobs = [
        (cluster, right)
        for cluster, some in wanted.items()
        if powers[cluster] is False
        for right in sorted(some)
    ]
    answers = fan(lambda job: _ask(world.kube(job[0]), job[1]), jobs, ASKED)
    found: dict[str, tuple[Right, ...] | KubeError] = {}
    for cluster in wanted:
        mine = [(right, answer) for (name, right), answer in answers.items() if name == cluster]
        asked = [powers[cluster], *(answer for _, answer in mine)]
        error = next((answer for answer in asked if isinstance(answer, KubeError)), None)
        found[cluster] = error or tuple(right for right, answer in mine if answer is False)
    return found


def _ask(kube: Kube, right: Right) -> bool | KubeError:
    """Whether we are allowed something, as the server's authorizer says."""
    attributes = {
        "group": right.group,
        "resource": right.resource,
        "verb": right.verb,
        "namespace": right.namespace,
        "name": right.name,
    }
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "metadata": {},
        "spec": {"resourceAttributes": {name: value for name, value in attributes.items() if value}},
    }
    try:
        return bool(kube.create(body, manager=MANAGER)["status"]["allowed"])
    except KubeError as error:
        return error


def words(lacking: Iterable[Right]) -> tuple[str, ...]:
    """Rights as people read them, the verbs on one resource together."""
    together: dict[tuple[str, str, str], list[str]] = {}
    for right in sorted(lacking):
        together.setdefault((right.group, right.resource, right.namespace), []).append(right.verb)
    return tuple(
        str(Right(group, resource, "/".join(verbs), namespace))
        for (group, resource, namespace), verbs in sorted(together.items())
    )
