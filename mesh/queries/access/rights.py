"""The rights that a plan's writes need, and which of them are missing: the API server answers one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mesh.errors import KubeError
from mesh.model import NO_CLUSTER, Key, Place, Step
from mesh.sdk import ask
from mesh.sdk.contract import Registry
from mesh.sdk.rights import VERBS, Right, rights
from mesh.walk import fan
from mesh.world import Kube, World
from mesh.world.resources import CONFIG_MAP, LEASE

ASKED = 16
"""Questions at a time; the API servers' own bound is per cluster, in `mesh.world.kube.client`."""

MANAGER = "mesh/check"

LEASE_NAMESPACE = "kube-system"


def needed(
    steps: Iterable[Step], places: Mapping[Key, Place], kinds: Registry, *, planned: bool = True
) -> dict[str, frozenset[Right]]:
    """Return the rights that the steps need, by cluster; those of `unknown` kinds are not among them.

    Steps that are not `planned` stand for all that an action on their resource can ever change.
    """
    found: dict[str, frozenset[Right]] = {}
    for step in _writes(steps):
        kind = kinds.get(step.key.kind)
        known = None
        if kind and planned:
            known = ask.rights_of(kind, step, places[step.key])
        elif kind:
            known = ask.rights(kind, step.action, step.key, places[step.key])
        found[step.key.cluster] = found.get(step.key.cluster, frozenset()) | (known or frozenset())
    return dict(sorted(found.items()))


def unknown(
    steps: Iterable[Step], places: Mapping[Key, Place], kinds: Registry
) -> dict[str, tuple[str, ...]]:
    """Return the kinds that do not say which rights the steps need, by cluster."""
    found: dict[str, set[str]] = {}
    for step in _writes(steps):
        kind = kinds.get(step.key.kind)
        if kind is None or ask.rights_of(kind, step, places[step.key]) is None:
            found.setdefault(step.key.cluster, set()).add(step.key.kind)
    return {cluster: tuple(sorted(names)) for cluster, names in sorted(found.items())}


def _writes(steps: Iterable[Step]) -> list[Step]:
    """Return the steps that write to a cluster."""
    return [step for step in steps if step.key.cluster != NO_CLUSTER and step.action in VERBS]


def of_run(namespace: str) -> frozenset[Right]:
    """Return the rights of the run itself: its lease, and the copy of the state in istiod's namespace."""
    return frozenset(
        {
            *rights(LEASE, ("get", "create", "update", "delete"), LEASE_NAMESPACE),
            *rights(CONFIG_MAP, ("get", "create", "patch", "delete"), namespace),
        }
    )


def missing(wanted: Mapping[str, frozenset[Right]], world: World) -> dict[str, tuple[Right, ...] | KubeError]:
    """Return the missing rights by cluster, or the error of a server that did not answer; in parallel."""
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
    """Return whether the server's authorizer grants a right to this identity."""
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
    """Return the rights as text, one line for each resource with all its verbs."""
    together: dict[tuple[str, str, str], list[str]] = {}
    for right in sorted(lacking):
        together.setdefault((right.group, right.resource, right.namespace), []).append(right.verb)
    return tuple(
        str(Right(group, resource, "/".join(verbs), namespace))
        for (group, resource, namespace), verbs in sorted(together.items())
    )
