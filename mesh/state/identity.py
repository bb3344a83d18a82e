"""The identity of each cluster: refuse the wrong cluster and a changed identity; pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mesh.errors import RefusedError
from mesh.model.printable import quoted
from mesh.model.spec import Mesh
from mesh.state.lockfile import ClusterIdentity

FIXED = {
    "cluster_name": "clusterName",
    "network": "network",
    "trust_domain": "trustDomain",
    "namespace": "namespaces.istiod",
}


def identities(mesh: Mesh, uids: Mapping[str, str]) -> dict[str, ClusterIdentity]:
    """Return the identity of each cluster as the lockfile records it; the uid is "" if it did not answer."""
    return {
        cluster.name: ClusterIdentity(
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


def check_identities(
    wanted: Mapping[str, ClusterIdentity],
    recorded: Mapping[str, ClusterIdentity],
    uids: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Raise RefusedError for the wrong cluster behind a context, one cluster twice, or a changed identity.

    `uids` are those of all clusters that answered: a cluster that left the file is checked like every other.
    """
    # A context is only a name in a file. The uid of kube-system stays for the life of a cluster and is
    # never reused, so it alone tells whether a context still leads to the cluster that was applied.
    _one_name_each(wanted)
    for name, who in sorted(wanted.items()):
        before = recorded.get(name)
        if before is None:
            _not_renamed(name, who, wanted, recorded)
        else:
            _same_uid(name, who, before)
            _same_identity(name, who, before)
    for name in sorted(recorded.keys() - wanted.keys()):
        _same_cluster(name, recorded[name], uids.get(name, ""))
    _one_name_each({**recorded, **wanted})


def check_uids(wanted: Mapping[str, ClusterIdentity], recorded: Mapping[str, ClusterIdentity]) -> None:
    """Raise RefusedError for the wrong cluster behind a context, or one cluster twice."""
    _one_name_each(wanted)
    for name in sorted(wanted.keys() & recorded.keys()):
        _same_uid(name, wanted[name], recorded[name])


def _same_uid(name: str, who: ClusterIdentity, before: ClusterIdentity) -> None:
    if who.uid and before.uid not in {"", who.uid}:
        raise RefusedError(
            f"cluster {name} is not the cluster of the last apply: context {who.context} leads to "
            f"kube-system {who.uid}, the state has {before.uid}",
            hint="check the context; if the cluster was rebuilt, run "
            f"`mesh state forget --cluster {quoted(name)}` first and then plan again",
        )


def _same_cluster(name: str, before: ClusterIdentity, uid: str) -> None:
    """Refuse a context that leads to another cluster than the one that left the file."""
    if uid and uid != before.uid:
        known = before.uid or "none"
        raise RefusedError(
            f"cluster {name}, which is no longer in the mesh file, is not the cluster of the last apply: "
            f"context {before.context} leads to kube-system {uid}, the state has {known}",
            hint=f"make context {before.context} lead to the old cluster again, so that it is cleaned up; "
            f"if that cluster is gone, run `mesh state forget --cluster {quoted(name)}`",
        )


def _one_name_each(wanted: Mapping[str, ClusterIdentity]) -> None:
    names: dict[str, str] = {}
    for name, who in sorted(wanted.items()):
        first = names.setdefault(who.uid, name) if who.uid else name
        if first != name:
            raise RefusedError(
                f"clusters {first} and {name} are the same cluster (kube-system {who.uid})",
                hint=f"contexts {wanted[first].context} and {who.context} lead to one API server: fix one",
            )


def _not_renamed(
    name: str,
    who: ClusterIdentity,
    wanted: Mapping[str, ClusterIdentity],
    recorded: Mapping[str, ClusterIdentity],
) -> None:
    for old, before in sorted(recorded.items()):
        if who.uid and before.uid == who.uid and old not in wanted:
            one, other = quoted(old), quoted(name)
            raise RefusedError(
                f"cluster {name} is recorded under the name {old}",
                hint=f"to keep its identity and move the record, run `mesh state rename {one} {other}`; "
                f"to re-identify it, which is disruptive, destroy {old} first and then apply {name}",
            )


def _same_identity(name: str, who: ClusterIdentity, before: ClusterIdentity) -> None:
    for attribute, field in FIXED.items():
        old, new = getattr(before, attribute), getattr(who, attribute)
        if old != new:
            raise RefusedError(
                f"{field} of cluster {name} was {old!r} at the last apply and is now {new!r}: it is part of "
                "the cluster's identity; changing it re-issues every identity and cuts the links",
                hint=f"set {field}: {old} again to keep it; or re-identify the cluster, which is disruptive: "
                "take it out of the configuration, apply, put it back with the new value, apply again",
            )
