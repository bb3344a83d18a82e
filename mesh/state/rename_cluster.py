"""Give a cluster another name in the state; its identity and its objects stay the same. Pure.

The name in the file is only a part of addresses. Objects in the clusters are named after `clusterName`, which
is part of the identity and which `renamed` requires to stay: the peer object `istio-remote-peer-…` of a link,
the Secret `istio-remote-secret-…` of a remote, the `KubernetesCluster` of a registration. So every recorded
place stays right, and only the keys of entries and of their needs change.
"""

from __future__ import annotations

from dataclasses import replace

from mesh.errors import RefusedError
from mesh.model import Key
from mesh.model.spec import Mesh
from mesh.sdk import ask
from mesh.sdk.contract import Registry
from mesh.state.identity import FIXED, identities
from mesh.state.lockfile import ClusterIdentity, Entry, State


def renamed(state: State, mesh: Mesh, kinds: Registry, old: str, new: str) -> State:
    """Return the state with cluster `old` under the name `new`.

    Raises RefusedError unless the file has `new` in place of `old`, with the same identity.
    """
    before, now = _recorded(state, old, new), _in_file(mesh, old, new)
    _refuse_other_identity(before, now, old, new)

    def moved(key: Key) -> Key:
        return ask.renamed(kinds.get(key.kind), key, old, new)

    def entry(each: Entry) -> Entry:
        return replace(each, needs=frozenset(map(moved, each.needs)))

    clusters = {name: identity for name, identity in state.clusters.items() if name != old}
    return replace(
        state,
        clusters={**clusters, new: replace(before, context=now.context, kubeconfig=now.kubeconfig)},
        entries={moved(key): entry(each) for key, each in state.entries.items()},
        written={new if name == old else name: serial for name, serial in state.written.items()},
    )


def _recorded(state: State, old: str, new: str) -> ClusterIdentity:
    """Return the recorded identity of the cluster; refuse an unknown old name and a taken new one."""
    if old not in state.clusters:
        raise RefusedError(
            f"the state has no cluster {old}",
            hint="`mesh state show` lists the clusters; `mesh state rebuild` reads them from the clusters",
        )
    if new in state.clusters:
        raise RefusedError(f"the state already has a cluster {new}", hint="use another name")
    return state.clusters[old]


def _in_file(mesh: Mesh, old: str, new: str) -> ClusterIdentity:
    """Return the identity that the file gives to the cluster; refuse a file that still has the old name."""
    wanted = identities(mesh, {})
    if new not in wanted or old in wanted:
        raise RefusedError(
            f"the file must have cluster {new} in place of {old}",
            hint=f"rename {old} to {new} in the file first",
        )
    return wanted[new]


def _refuse_other_identity(before: ClusterIdentity, now: ClusterIdentity, old: str, new: str) -> None:
    """Refuse a file that leaves the defaults to the new name: they would be another identity."""
    differ = {
        field: getattr(before, attribute)
        for attribute, field in FIXED.items()
        if getattr(before, attribute) != getattr(now, attribute)
    }
    if differ:
        wanted = ", ".join(f"{field}: {value}" for field, value in differ.items())
        raise RefusedError(
            f"{new} would have another identity than {old}",
            hint=f"set {wanted} for cluster {new} in the file",
        )
