"""The minimal rights of a plan and of an apply, as the manifests that grant them; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mesh.istio.names import ROOT_CONFIG_MAP
from mesh.istio.solo import licence_secret
from mesh.model import Action, Key, Place, Resource, Step
from mesh.model.spec import Cluster, Mesh
from mesh.planner.expand import GIVEN, expand
from mesh.planner.inputs import places
from mesh.queries.access.rights import needed, of_run, unknown
from mesh.sdk import ask
from mesh.sdk.contract import Registry
from mesh.sdk.rights import APPLIED, READ, ApiResource, Right, rights
from mesh.state.lockfile import fresh
from mesh.world.resources import CONFIG_MAP, DAEMON_SET, DEPLOYMENT, LEASE, NAMESPACE, POD, SECRET, SERVICE

Object = dict[str, Any]

HOME = "kube-system"
"""The namespace of the service accounts and of the leases: every cluster has it."""

RBAC = "rbac.authorization.k8s.io"
ADMISSION = "admissionregistration.k8s.io"

BESIDE_CHARTS = (CONFIG_MAP, POD, SECRET, DEPLOYMENT, DAEMON_SET)
"""What a plan lists in the namespaces of charts. What a kind lists beyond these, the kind says."""

BESIDE_GATEWAYS = (CONFIG_MAP, POD, SERVICE, DEPLOYMENT)
"""What it lists in the namespace of the east-west gateway: no Secrets."""

USERS = (POD, SERVICE)
"""What a destroy lists in the whole cluster, to refuse while workloads use the mesh.

Before it deletes a namespace, it lists everything in it, to keep objects of other owners.
"""

SECRETS = frozenset({ApiResource.of(SECRET)})
"""What holds keys. A dry run of a patch returns the whole object, so it reads as much as a get."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The identity that gets the rights: a ServiceAccount that the manifests create, or an existing user."""

    name: str
    user: str = ""

    @property
    def username(self) -> str:
        """The name by which the API server knows it."""
        return self.user or f"system:serviceaccount:{HOME}:{self.name}"

    @property
    def subject(self) -> Object:
        """The subject of a binding."""
        if self.user:
            return {"apiGroup": RBAC, "kind": "User", "name": self.user}
        return {"kind": "ServiceAccount", "name": self.name, "namespace": HOME}


def to_plan(
    mesh: Mesh,
    cluster: Cluster,
    kinds: Registry,
    user: str = "",
    *,
    hidden: frozenset[ApiResource] = frozenset(),
) -> list[Object]:
    """Return the manifests for a plan: reads, no writes, and nothing on the `hidden` resources."""
    who = Subject(f"mesh-{mesh.name}-plan", user)
    return _granted(who, _but(hidden, _reads(mesh, cluster, kinds)))


def to_plan_by_dry_runs(
    mesh: Mesh,
    cluster: Cluster,
    kinds: Registry,
    user: str = "",
    *,
    hidden: frozenset[ApiResource] = frozenset(),
) -> list[Object]:
    """Return the manifests for a plan with dry runs: writes too, and a policy that denies real writes."""
    who = Subject(f"mesh-{mesh.name}-plan", user)
    tried = {
        each
        for each in _writes(mesh, cluster, kinds)
        if each.verb in {*APPLIED, "update", "escalate", "bind"}
    }
    return [*_policy(who), *_granted(who, _but(hidden, _reads(mesh, cluster, kinds) | tried))]


def to_apply(mesh: Mesh, cluster: Cluster, kinds: Registry, user: str = "") -> list[Object]:
    """Return the manifests for apply and destroy: reads, all writes, the lease and the state."""
    who = Subject(f"mesh-{mesh.name}-apply", user)
    users = {right for each in USERS for right in rights(each, ("list",))}
    users |= {Right("*", "*", "list", name) for name in namespaces(mesh, cluster) - GIVEN}
    return _granted(
        who, _reads(mesh, cluster, kinds) | users | _writes(mesh, cluster, kinds) | of_run(cluster.namespace)
    )


def namespaces(mesh: Mesh, cluster: Cluster) -> set[str]:
    """Return the namespaces of the mesh in a cluster."""
    found = {cluster.namespace, cluster.eastwest.namespace}
    found |= {chart.namespace for chart in cluster.charts.values()}
    found |= {licence_secret(mesh, cluster).namespace}
    return found | ({mesh.automatic.namespace} if mesh.automatic else set())


def homes(granted: Iterable[Object]) -> list[str]:
    """Return the namespaces that must exist before the manifests are applied."""
    return sorted({str(each["metadata"].get("namespace", "")) for each in granted} - GIVEN - {""})


def _but(hidden: frozenset[ApiResource], some: Iterable[Right]) -> set[Right]:
    """Return the rights that are not on a hidden resource."""
    names = {(each.group, each.plural) for each in hidden}
    return {right for right in some if (right.group, right.resource) not in names}


def _reads(mesh: Mesh, cluster: Cluster, kinds: Registry) -> set[Right]:
    """Return the rights to read everything that a plan, a check and `mesh status` look at."""
    found = set(rights(NAMESPACE, READ))
    found |= {replace(right, name=ROOT_CONFIG_MAP) for right in rights(CONFIG_MAP, READ)}
    charts = {cluster.namespace, *(chart.namespace for chart in cluster.charts.values())}
    charts |= {mesh.automatic.namespace} if mesh.automatic else set()
    beside = [(each, name) for each in BESIDE_CHARTS for name in charts]
    beside += [(each, cluster.eastwest.namespace) for each in BESIDE_GATEWAYS]
    beside += [(SECRET, licence_secret(mesh, cluster).namespace)]
    found |= {right for each, name in beside for right in rights(each, READ, name)}
    found |= set(rights(LEASE, ("get",), HOME))
    for key, resource in _resources(mesh, cluster, kinds).items():
        if kind := kinds.get(key.kind):
            found |= ask.reads(kind, key, resource.place)
    return found


def _writes(mesh: Mesh, cluster: Cluster, kinds: Registry) -> set[Right]:
    """Return the rights to create and delete every resource of a cluster."""
    steps, where = _all_written(mesh, cluster, kinds)
    return set(needed(steps, where, kinds, planned=False).get(cluster.name, frozenset()))


def unknown_kinds(mesh: Mesh, cluster: Cluster, kinds: Registry) -> tuple[str, ...]:
    """Return the kinds of a cluster's resources that do not say which rights their writes need."""
    return unknown(*_all_written(mesh, cluster, kinds), kinds).get(cluster.name, ())


def _all_written(mesh: Mesh, cluster: Cluster, kinds: Registry) -> tuple[list[Step], Mapping[Key, Place]]:
    """Return a replacement of every resource of a cluster: it needs the rights of all other actions."""
    resources = _resources(mesh, cluster, kinds)
    return [Step(Action.REPLACE, key) for key in resources], places(resources, fresh(mesh.name))


def _resources(mesh: Mesh, cluster: Cluster, kinds: Registry) -> dict[Key, Resource[Any]]:
    return {key: each for key, each in expand(mesh, kinds).items() if key.cluster == cluster.name}


def _granted(who: Subject, wanted: Iterable[Right]) -> list[Object]:
    """Return the account, and a role with its binding for each namespace and for the cluster.

    Namespaces are not among them: to revoke the rights one deletes the same manifests, and deleting a
    namespace would delete the mesh.
    """
    by_place: dict[str, set[Right]] = {}
    for right in wanted:
        by_place.setdefault(right.namespace, set()).add(right)
    found: list[Object] = []
    if not who.user:
        meta = {"name": who.name, "namespace": HOME}
        found.append({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    for place, some in sorted(by_place.items()):
        found += _role(who, place, some)
    return found


def _role(who: Subject, place: str, some: Iterable[Right]) -> Iterator[Object]:
    kind = "Role" if place else "ClusterRole"
    meta: Object = {"name": who.name, **({"namespace": place} if place else {})}
    api = f"{RBAC}/v1"
    yield {"apiVersion": api, "kind": kind, "metadata": meta, "rules": list(_rules(some))}
    yield {
        "apiVersion": api,
        "kind": f"{kind}Binding",
        "metadata": meta,
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": who.name},
        "subjects": [who.subject],
    }


def _rules(some: Iterable[Right]) -> Iterator[Object]:
    """Yield one rule per group and set of verbs."""
    verbs: dict[tuple[str, str, str], set[str]] = {}
    for right in some:
        verbs.setdefault((right.group, right.name, right.resource), set()).add(right.verb)
    together: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (group, name, resource), mine in sorted(verbs.items()):
        together.setdefault((group, name, tuple(sorted(mine))), []).append(resource)
    for (group, name, allowed), resources in together.items():
        named = {"resourceNames": [name]} if name else {}
        yield {"apiGroups": [group], "resources": resources, **named, "verbs": list(allowed)}


def cel_text(text: str) -> str:
    """Return a literal of CEL (the language of admission policies) that has this text as its value."""
    return '"' + "".join(map(_cel_char, text)) + '"'


def _cel_char(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if " " <= char <= "~":
        return char
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"


def _policy(who: Subject) -> Iterator[Object]:
    """Yield a policy that denies every real write of this identity, on all resources; it fails closed."""
    api = f"{ADMISSION}/v1"
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}
    yield {
        "apiVersion": api,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": who.name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [
                {"name": "who-plans", "expression": f"request.userInfo.username == {cel_text(who.username)}"},
                {"name": "no-question", "expression": "request.resource.group != 'authorization.k8s.io'"},
            ],
            "validations": [
                {
                    "expression": "has(request.dryRun) && request.dryRun",
                    "message": "this identity plans: what it writes must be a dry run",
                }
            ],
        },
    }
    yield {
        "apiVersion": api,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": who.name},
        "spec": {"policyName": who.name, "validationActions": ["Deny"]},
    }
