"""The least rights of who plans and of who applies a mesh, as the manifests that grant them; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from mesh.engine.registry import kinds_for
from mesh.model import Action, Step
from mesh.model.spec import Cluster, Mesh
from mesh.planner.expand import GIVEN, expand
from mesh.planner.inputs import places
from mesh.queries.access.rights import ADMISSION, APPLIED, LEASES, RBAC, Kind, Right, needed, of_run, rights
from mesh.state.lockfile import fresh

Object = dict[str, Any]

HOME = "kube-system"
"""Where the identities and the leases are: a namespace that every cluster has."""

READ = ("get", "list")
PUBLISHED = "istio-ca-root-cert"
"""The roots of trust that istiod hands out, in every namespace: a list by this name is allowed by name."""

GATEWAYS: Kind = ("gateway.networking.k8s.io", "gateways")
EVERYWHERE: tuple[Kind, ...] = (
    ("", "namespaces"),
    ("", "nodes"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("apps", "deployments"),
    GATEWAYS,
)
"""What a plan lists in the whole cluster."""

BESIDE: tuple[Kind, ...] = (
    ("", "configmaps"),
    ("", "pods"),
    ("", "secrets"),
    ("", "services"),
    ("apps", "deployments"),
    ("apps", "daemonsets"),
)
"""What a plan lists in the namespaces of the mesh."""

USERS: tuple[Kind, ...] = (("", "pods"), ("", "services"))
"""What a destroy lists in the whole cluster, to refuse while somebody uses the mesh.

Before it deletes a namespace it lists everything in there, so that nothing of others goes with it.
"""

REGISTERED: Kind = ("admin.gloo.solo.io", "kubernetesclusters")

SECRETS: frozenset[Kind] = frozenset({("", "secrets")})
"""What holds keys. A dry run of a patch answers with the whole object, so it reads as a get does."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is granted something: a ServiceAccount of our own, or a user that is there already."""

    name: str
    user: str = ""

    @property
    def username(self) -> str:
        """What the API server calls it."""
        return self.user or f"system:serviceaccount:{HOME}:{self.name}"

    @property
    def subject(self) -> Object:
        """What a binding calls it."""
        if self.user:
            return {"apiGroup": RBAC, "kind": "User", "name": self.user}
        return {"kind": "ServiceAccount", "name": self.name, "namespace": HOME}


def to_plan(
    mesh: Mesh, cluster: Cluster, user: str = "", *, hidden: frozenset[Kind] = frozenset()
) -> list[Object]:
    """Return what lets somebody plan: reads, and no write at all; of `hidden` kinds of object nothing."""
    who = Subject(f"mesh-{mesh.name}-plan", user)
    return _granted(who, _but(hidden, _reads(mesh, cluster)))


def to_plan_by_dry_runs(
    mesh: Mesh, cluster: Cluster, user: str = "", *, hidden: frozenset[Kind] = frozenset()
) -> list[Object]:
    """Return what lets somebody plan with dry runs: the writes too, and the policy that refuses real ones."""
    who = Subject(f"mesh-{mesh.name}-plan", user)
    tried = {each for each in _writes(mesh, cluster) if each.verb in {*APPLIED, "update", "escalate", "bind"}}
    return [*_policy(who), *_granted(who, _but(hidden, _reads(mesh, cluster) | tried))]


def to_apply(mesh: Mesh, cluster: Cluster, user: str = "") -> list[Object]:
    """Return what lets somebody apply and destroy: reads, every write, the lease and the state."""
    who = Subject(f"mesh-{mesh.name}-apply", user)
    users = {right for kind in USERS for right in rights(kind, ("list",), "")}
    users |= {Right("*", "*", "list", name) for name in namespaces(mesh, cluster) - GIVEN}
    return _granted(who, _reads(mesh, cluster) | users | _writes(mesh, cluster) | of_run(cluster.namespace))


def namespaces(mesh: Mesh, cluster: Cluster) -> set[str]:
    """The namespaces of the mesh in a cluster."""
    found = {cluster.namespace, cluster.eastwest.namespace}
    found |= {chart.namespace for chart in cluster.charts.values()}
    found |= {mesh.licence.secret.namespace} if mesh.licence.secret else set()
    return found | ({mesh.automatic.namespace} if mesh.automatic else set())


def homes(granted: Iterable[Object]) -> list[str]:
    """The namespaces that must be there before what is granted in them, but for those of every cluster."""
    return sorted({str(each["metadata"].get("namespace", "")) for each in granted} - GIVEN - {""})


def _but(hidden: frozenset[Kind], some: Iterable[Right]) -> set[Right]:
    """The rights that are not about a hidden kind of object."""
    return {right for right in some if (right.group, right.resource) not in hidden}


def _reads(mesh: Mesh, cluster: Cluster) -> set[Right]:
    found = {right for kind in EVERYWHERE for right in rights(kind, READ, "")}
    found |= {replace(right, name=PUBLISHED) for right in rights(("", "configmaps"), READ, "")}
    spaces = namespaces(mesh, cluster)
    found |= {right for name in spaces for kind in BESIDE for right in rights(kind, READ, name)}
    found |= set(rights(LEASES, ("get",), HOME))
    if mesh.automatic and mesh.automatic.management == cluster.name:
        found |= set(rights(REGISTERED, READ, ""))
    return found


def _writes(mesh: Mesh, cluster: Cluster) -> set[Right]:
    """What a run from nothing to everything and back writes."""
    resources = {
        key: each for key, each in expand(mesh, None, kinds_for(mesh)).items() if key.cluster == cluster.name
    }
    steps = [Step(Action.REPLACE, key) for key in resources]
    return set(needed(steps, places(resources, fresh(mesh.name))).get(cluster.name, frozenset()))


def _granted(who: Subject, wanted: Iterable[Right]) -> list[Object]:
    """The account, and a role and its binding for each place where something is granted.

    The namespaces are not among them: who revokes by deleting the same would delete the mesh.
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
    """One rule per group and set of verbs."""
    verbs: dict[tuple[str, str, str], set[str]] = {}
    for right in some:
        verbs.setdefault((right.group, right.name, right.resource), set()).add(right.verb)
    together: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (group, name, resource), mine in sorted(verbs.items()):
        together.setdefault((group, name, tuple(sorted(mine))), []).append(resource)
    for (group, name, allowed), resources in together.items():
        named = {"resourceNames": [name]} if name else {}
        yield {"apiGroups": [group], "resources": resources, **named, "verbs": list(allowed)}


def _policy(who: Subject) -> Iterator[Object]:
    """Refuse whatever this identity would write for real; it holds for all kinds, and fails closed."""
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
                {"name": "who-plans", "expression": f"request.userInfo.username == '{who.username}'"},
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
