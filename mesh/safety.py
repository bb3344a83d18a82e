"""Refuse or ask: the wrong cluster, a changed identity, work that would cut traffic; pure."""

from __future__ import annotations

from collections.abc import Mapping

from mesh.errors import KubeError, RefusedError
from mesh.lock import Identity, Lock
from mesh.model import NO_CLUSTER, Key, Live
from mesh.plan import Known
from mesh.spec import Mesh
from mesh.world import Snapshot
from mesh.world.kube_errors import Unreachable
from mesh.world.resources import GATEWAY, NAMESPACE, POD, SERVICE

FIXED = {
    "cluster_name": "clusterName",
    "network": "network",
    "trust_domain": "trustDomain",
    "namespace": "namespaces.istiod",
}


def identities(mesh: Mesh, uids: Mapping[str, str]) -> dict[str, Identity]:
    """Say who each cluster is, as the lockfile records it; the uid of one that did not answer is ""."""
    return {
        cluster.name: Identity(
            uid=uids.get(cluster.name, ""),
            cluster_name=cluster.cluster_name,
            network=cluster.network,
            trust_domain=cluster.trust_domain,
            namespace=cluster.namespace,
            context=cluster.context,
            kubeconfig=cluster.kubeconfig,
        )
        for cluster in mesh.clusters
    }


def check_identities(wanted: Mapping[str, Identity], recorded: Mapping[str, Identity]) -> None:
    """Refuse the wrong cluster behind a context, one cluster twice, and a changed identity."""
    _one_name_each(wanted)
    for name, who in sorted(wanted.items()):
        before = recorded.get(name)
        if before is None:
            _not_renamed(name, who, wanted, recorded)
        elif who.uid and before.uid != who.uid:
            raise RefusedError(
                f"cluster {name} is not the cluster it was: context {who.context} leads to kube-system "
                f"{who.uid}, recorded is {before.uid}",
                hint="check the context; if the cluster was rebuilt, run "
                f"`mesh state forget --cluster {name}` first and then plan again",
            )
        else:
            _same_identity(name, who, before)


def _one_name_each(wanted: Mapping[str, Identity]) -> None:
    names: dict[str, str] = {}
    for name, who in sorted(wanted.items()):
        first = names.setdefault(who.uid, name) if who.uid else name
        if first != name:
            raise RefusedError(
                f"clusters {first} and {name} are one and the same (kube-system {who.uid})",
                hint=f"contexts {wanted[first].context} and {who.context} lead to one API server: mend one",
            )


def _not_renamed(
    name: str, who: Identity, wanted: Mapping[str, Identity], recorded: Mapping[str, Identity]
) -> None:
    for old, before in sorted(recorded.items()):
        if who.uid and before.uid == who.uid and old not in wanted:
            raise RefusedError(
                f"cluster {name} is recorded under the name {old}",
                hint=f"to keep its identity and move the record, run `mesh state rename {old} {name}`; to "
                f"re-identify it, which is disruptive, destroy {old} first and then apply {name}",
            )


def _same_identity(name: str, who: Identity, before: Identity) -> None:
    for attribute, field in FIXED.items():
        old, new = getattr(before, attribute), getattr(who, attribute)
        if old != new:
            raise RefusedError(
                f"{field} of cluster {name} was {old!r} at the last apply and is now {new!r}: it is part of "
                "the cluster's identity; changing it re-issues every identity and cuts the links",
                hint=f"set {field}: {old} again to keep it; or re-identify the cluster, which is disruptive: "
                "take it out of the configuration, apply, put it back with the new value, apply again",
            )


def refuse_all(refusals: Mapping[Key, str]) -> None:
    """Refuse the plan, with every reason at once, each with the addresses that it is about."""
    whose: dict[str, list[Key]] = {}
    for key in sorted(refusals):
        whose.setdefault(refusals[key], []).append(key)
    if whose:
        raise RefusedError("\n".join(_addressed(why, keys) for why, keys in whose.items()))


def _addressed(why: str, keys: list[Key]) -> str:
    """A reason that does not say itself what it is about, behind the addresses it holds for."""
    if len(keys) == 1 and str(keys[0]) in why:
        return why
    return f"{', '.join(map(str, keys))}: {why}"


def refuse_several_roots(known: Known) -> None:
    """Refuse clusters whose own `cacerts`, which we only verify, do not share a root."""
    from mesh.world.pki import one_root

    shown = {
        key.cluster: frozenset(found.status["roots"])
        for key, found in known.found.items()
        if key.kind == "cert" and key.cluster != NO_CLUSTER and isinstance(found, Live)
    }
    if lines := one_root(shown):
        raise RefusedError("\n".join(lines), hint="give every cluster a cacerts under one root")


AMBIENT = "istio.io/dataplane-mode=ambient"
SCOPED = "solo.io/service-scope in (global,global-only,segment)"
WAYPOINT = "istio-waypoint"


def refuse_enrolled(snapshots: Mapping[str, Snapshot], lock: Lock) -> None:
    """Refuse to take the mesh down under workloads that use it; list them all."""
    found = [line for name in sorted(lock.clusters) if name in snapshots for line in _users(snapshots[name])]
    if found:
        raise RefusedError(
            "the mesh is in use:\n" + "\n".join(f"  {line}" for line in found),
            hint="take these out of the mesh first; destroy --ignore-enrolled goes on and cuts their traffic",
        )


def _users(snapshot: Snapshot) -> list[str]:
    queries = (
        (NAMESPACE, AMBIENT, "enrolled"),
        (POD, AMBIENT, "enrolled"),
        (SERVICE, SCOPED, "shared with the mesh"),
    )
    found = []
    try:
        for resource, labels, what in queries:
            for obj in snapshot.list(resource, labels=labels, metadata_only=True):
                found.append(f"{_name(snapshot, resource.kind, obj['metadata'])} is {what}")
        for obj in snapshot.list(GATEWAY):
            if obj["spec"].get("gatewayClassName") == WAYPOINT:
                found.append(f"{_name(snapshot, 'Gateway', obj['metadata'])} is a waypoint")
    except Unreachable:
        return []  # all of it is deferred, so nothing of it is taken down
    except KubeError as error:
        found.append(f"{snapshot.cluster}: who uses the mesh cannot be read: {error.message}")
    return found


def _name(snapshot: Snapshot, kind: str, meta: Mapping[str, str]) -> str:
    namespace = f"{meta['namespace']}/" if meta.get("namespace") else ""
    return f"{snapshot.cluster}: {kind} {namespace}{meta['name']}"
