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
from mesh.state.lockfile import Lock, from_text, slice_of, to_text
from mesh.walk import fan
from mesh.world import Kube, Object, Snapshot
from mesh.world.resources import CONFIG_MAP

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
) -> dict[str, Lock | None]:
    """Return the slice of each cluster that answered, None where it has none; `namespaces` are istiod's."""

    def answer(cluster: str) -> list[Object] | None:
        try:
            return snapshots[cluster].list(CONFIG_MAP, namespace=namespaces[cluster])
        except KubeError:
            return None

    found: dict[str, Lock | None] = {}
    for cluster, objects in fan(answer, sorted(namespaces), READERS).items():
        if objects is None:
            continue
        namespace = namespaces[cluster]
        named = (obj for obj in objects if obj["metadata"]["name"] == name_of(mesh))
        ours = next(named, None)
        found[cluster] = _parse(ours.get("data", {}).get(DATA_KEY, ""), cluster, namespace) if ours else None
    return found


def read_now(lock: Lock, cluster: str, kube: Kube) -> Lock | None:
    """Read one cluster's slice anew, or None if it has none."""
    namespace = lock.clusters[cluster].namespace
    ours = kube.get(CONFIG_MAP, namespace, name_of(lock.mesh))
    return _parse(ours.get("data", {}).get(DATA_KEY, ""), cluster, namespace) if ours else None


def history(mesh: str, cluster: str, namespace: str, kube: Kube) -> tuple[PastRun, ...]:
    """Read the runs that a cluster remembers, newest first; () if it keeps no slice."""
    ours = kube.get(CONFIG_MAP, namespace, name_of(mesh))
    text = ours.get("data", {}).get(HISTORY_KEY, "") if ours else ""
    return past_runs(text, f"cluster {cluster}")


def behind(lock: Lock, held: Mapping[str, Lock | None]) -> tuple[str, ...]:
    """Name the clusters that answered and do not hold their slice as the lock has it."""
    return tuple(name for name in sorted(held) if held[name] != _wanted(lock, name))


def _wanted(lock: Lock, cluster: str) -> Lock | None:
    """What a cluster is to hold: nothing once nothing of ours is left in it."""
    part = slice_of(lock, cluster)
    return part if any(key.cluster == cluster for key in part.entries) else None


def _parse(text: str, cluster: str, namespace: str) -> Lock:
    try:
        return from_text(text, f"the state in cluster {cluster}")
    except StateError as error:
        raise StateError(
            error.message,
            hint=f"if no other cluster or lockfile is damaged, delete that ConfigMap in {namespace}: the "
            "next apply writes it anew",
        ) from None


def write(lock: Lock, cluster: str, kube: Kube, past: PastRun | None = None) -> None:
    """Put a cluster's slice where it belongs, and the run that is over into its history.

    An empty slice is removed, with the history.
    """
    namespace = lock.clusters[cluster].namespace
    part = _wanted(lock, cluster)
    if part is None:
        kube.delete(CONFIG_MAP, namespace, name_of(lock.mesh))
        return
    before = (kube.get(CONFIG_MAP, namespace, name_of(lock.mesh)) or {}).get("data", {}).get(HISTORY_KEY, "")
    after = added(before, past.of(cluster)) if past else before
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name_of(lock.mesh), "namespace": namespace, "labels": marks(lock.mesh)},
        "data": {DATA_KEY: to_text(part), **({HISTORY_KEY: after} if after else {})},
    }
    kube.apply(body, manager=MANAGER, force=True)
