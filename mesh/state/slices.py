"""State you can lose, state a team can share: each cluster keeps its slice of the lock.

The slice is a ConfigMap `mesh-<mesh>-state` in istiod's namespace, written as soon as that
namespace is made and at the end of every run. Beside it stands the cluster's part of the history.
"""

from __future__ import annotations

from collections.abc import Mapping

from mesh.errors import KubeError, StateError
from mesh.sdk.managed_fields import marks
from mesh.state.history import PastRun, added
from mesh.state.history import from_text as past_runs
from mesh.state.lockfile import State, from_text, slice_of, to_text
from mesh.walk import fan
from mesh.world import Kube, Object
from mesh.world.resources import CONFIG_MAP
from mesh.world.snapshot import Snapshot

DATA_KEY = "mesh.lock"
HISTORY_KEY = "history"
MANAGER = "mesh/state"
READERS = 24
"""Clusters that are asked at a time."""


def name_of(mesh: str) -> str:
    """The name of the ConfigMap."""
    return f"mesh-{mesh}-state"


def read(
    mesh: str, namespaces: Mapping[str, str], snapshots: Mapping[str, Snapshot]
) -> dict[str, State | None]:
    """Return the slice of each cluster that answered, None where it has none; `namespaces` are istiod's."""

    def answer(cluster: str) -> list[Object] | None:
        try:
            return snapshots[cluster].list(CONFIG_MAP, namespace=namespaces[cluster])
        except KubeError:
            return None

    found: dict[str, State | None] = {}
    for cluster, objects in fan(answer, sorted(namespaces), READERS).items():
        if objects is None:
            continue
        namespace = namespaces[cluster]
        named = (obj for obj in objects if obj["metadata"]["name"] == name_of(mesh))
        ours = next(named, None)
        found[cluster] = _parse(ours.get("data", {}).get(DATA_KEY, ""), cluster, namespace) if ours else None
    return found


def read_now(state: State, cluster: str, kube: Kube) -> State | None:
    """Read one cluster's slice anew, or None if it has none."""
    namespace = state.clusters[cluster].namespace
    ours = kube.get(CONFIG_MAP, namespace, name_of(state.mesh))
    return _parse(ours.get("data", {}).get(DATA_KEY, ""), cluster, namespace) if ours else None


def history(mesh: str, cluster: str, namespace: str, kube: Kube) -> tuple[PastRun, ...]:
    """Read the runs that a cluster remembers, newest first; () if it keeps no slice."""
    ours = kube.get(CONFIG_MAP, namespace, name_of(mesh))
    text = ours.get("data", {}).get(HISTORY_KEY, "") if ours else ""
    return past_runs(text, f"cluster {cluster}")


def behind(state: State, held: Mapping[str, State | None]) -> tuple[str, ...]:
    """Name the clusters that answered and do not hold their slice as the lock has it."""
    return tuple(name for name in sorted(held) if held[name] != _wanted(state, name))


def _wanted(state: State, cluster: str) -> State | None:
    """What a cluster is to hold: nothing once nothing of ours is left in it."""
    part = slice_of(state, cluster)
    return part if any(key.cluster == cluster for key in part.entries) else None


def _parse(text: str, cluster: str, namespace: str) -> State:
    try:
        return from_text(text, f"the state in cluster {cluster}")
    except StateError as error:
        raise StateError(
            error.message,
            hint=f"if no other cluster or lockfile is damaged, delete that ConfigMap in {namespace}: the "
            "next apply writes it anew",
        ) from None


def write(state: State, cluster: str, kube: Kube, past: PastRun | None = None) -> None:
    """Put a cluster's slice where it belongs, and the run that is over into its history.

    An empty slice is removed, with the history.
    """
    namespace = state.clusters[cluster].namespace
    part = _wanted(state, cluster)
    if part is None:
        kube.delete(CONFIG_MAP, namespace, name_of(state.mesh))
        return
    before = (kube.get(CONFIG_MAP, namespace, name_of(state.mesh)) or {}).get("data", {}).get(HISTORY_KEY, "")
    after = added(before, past.of(cluster)) if past else before
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name_of(state.mesh), "namespace": namespace, "labels": marks(state.mesh)},
        "data": {DATA_KEY: to_text(part), **({HISTORY_KEY: after} if after else {})},
    }
    kube.apply(body, manager=MANAGER, force=True)
