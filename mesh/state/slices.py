"""Slices: each cluster keeps its own part of the state, so that it can be lost or shared.

The slice is a ConfigMap `mesh-<mesh>-state` in istiod's namespace, written as soon as that namespace
exists and at the end of every run. The same ConfigMap holds the cluster's part of the history.
"""

from __future__ import annotations

from collections.abc import Mapping

from mesh.errors import KubeError, StateError
from mesh.model import Unread
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


def name_of(mesh: str) -> str:
    """Return the name of the ConfigMap."""
    return f"mesh-{mesh}-state"


Copies = Mapping[str, State | Unread | None]


def readable(copies: Copies) -> dict[str, State | None]:
    """Return the slices that could be read, None for a cluster without one."""
    return {name: each for name, each in copies.items() if not isinstance(each, Unread)}


def damaged(copies: Copies) -> dict[str, str]:
    """Return why the slice of a cluster cannot be used, by cluster."""
    return {name: each.why for name, each in copies.items() if isinstance(each, Unread)}


def read(mesh: str, namespaces: Mapping[str, str], snapshots: Mapping[str, Snapshot]) -> Copies:
    """Return the slice of each cluster that answered, None if it has none; `namespaces` are istiod's.

    A slice that does not fit its format is `Unread`: it concerns its own cluster alone.
    """

    def answer(cluster: str) -> list[Object] | None:
        try:
            return snapshots[cluster].list(CONFIG_MAP, namespace=namespaces[cluster])
        except KubeError:
            return None

    found: dict[str, State | Unread | None] = {}
    for cluster, objects in fan(answer, sorted(namespaces)).items():
        if objects is None:
            continue  # no answer is not "no slice": the cluster is left out, and its entries stay as recorded
        namespace = namespaces[cluster]
        named = (obj for obj in objects if obj["metadata"]["name"] == name_of(mesh))
        own = next(named, None)
        found[cluster] = _parsed(own, cluster, namespace) if own else None
    return found


def unread(namespaces: Mapping[str, str], snapshots: Mapping[str, Snapshot]) -> dict[str, str]:
    """Return why the slice of a cluster could not be read; a cluster that was read is left out."""

    def why(cluster: str) -> str:
        try:
            snapshots[cluster].list(CONFIG_MAP, namespace=namespaces[cluster])
        except KubeError as error:
            return error.message
        return ""

    return {cluster: said for cluster in sorted(namespaces) if (said := why(cluster))}


def _parsed(own: Object, cluster: str, namespace: str) -> State | Unread:
    try:
        return _parse(own.get("data", {}).get(DATA_KEY, ""), cluster, namespace)
    except StateError as error:
        return Unread(f"{error.message}; {error.hint}")


def read_now(state: State, cluster: str, kube: Kube) -> State | None:
    """Read one cluster's slice again, or None if it has none."""
    namespace = state.clusters[cluster].namespace
    own = kube.get(CONFIG_MAP, namespace, name_of(state.mesh))
    return _parse(own.get("data", {}).get(DATA_KEY, ""), cluster, namespace) if own else None


def history(mesh: str, cluster: str, namespace: str, kube: Kube) -> tuple[PastRun, ...]:
    """Read the runs that a cluster stores, newest first, with the steps in it; () if it has no slice."""
    own = kube.get(CONFIG_MAP, namespace, name_of(mesh))
    text = own.get("data", {}).get(HISTORY_KEY, "") if own else ""
    return tuple(each.only(cluster) for each in past_runs(text, f"cluster {cluster}"))


def behind(state: State, held: Mapping[str, State | None]) -> tuple[str, ...]:
    """Return the clusters that answered with another slice than the state has for them."""
    return tuple(name for name in sorted(held) if held[name] != _wanted(state, name))


def _wanted(state: State, cluster: str) -> State | None:
    """Return the slice that a cluster should hold: None once mesh manages nothing in it."""
    part = slice_of(state, cluster)
    return part if any(key.cluster == cluster for key in part.entries) else None


def _parse(text: str, cluster: str, namespace: str) -> State:
    try:
        return from_text(text, f"the state in cluster {cluster}")
    except StateError as error:
        raise StateError(
            error.message,
            hint=f"if no other cluster or lockfile is damaged, delete that ConfigMap in {namespace}: the "
            "next apply writes it again",
        ) from None


def write(state: State, cluster: str, kube: Kube, past: PastRun | None = None) -> None:
    """Write a cluster's slice, and add the finished run to its history.

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
    # Read and write are two requests; the lease of the cluster keeps other runs out in between. Forced,
    # since a copy that a person edited must not stay: it would be read as newer by the next run.
    kube.apply(body, manager=MANAGER, force=True)
