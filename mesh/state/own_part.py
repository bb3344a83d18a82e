"""What a cluster's copy of the state may say: it speaks of its own cluster, and of no other; pure.

A person who can write one ConfigMap of a cluster can write its copy. So a copy never brings an entry of
another cluster, never says how a cluster is reached, and never turns what was adopted into what mesh created.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from mesh.errors import RefusedError
from mesh.model import NO_CLUSTER, Key
from mesh.model.graph import ordered
from mesh.state.lockfile import ClusterIdentity, Entry, State

SHOWN = 3
"""Number of addresses that a warning names."""


@dataclass(frozen=True, slots=True)
class Local:
    """What this machine knows without asking a cluster: the lockfile, and the clusters of the mesh file.

    `file` are the identities that the mesh file gives, with the UIDs of the clusters that answered.
    """

    recorded: State
    file: Mapping[str, ClusterIdentity]
    uids: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OwnParts:
    """What each cluster's copy may say, and what was ignored in it, in sentences."""

    parts: Mapping[str, State]
    said: tuple[str, ...] = ()


def own_parts(held: Mapping[str, State | None], local: Local) -> OwnParts:
    """Return each copy without what it must not say."""
    said: list[str] = []
    parts: dict[str, State] = {}
    for name, part in sorted(held.items()):
        if part is None:
            continue
        if part.mesh != local.recorded.mesh:
            said.append(f"cluster {name}: its copy of the state is of mesh {part.mesh!r}: it is ignored")
            continue
        former = sorted(each for each in part.clusters if _is_former_name(each, name, part, local))
        if former and name in local.recorded.clusters:
            # From a folder in which it is not renamed yet; publishing never writes over a newer copy.
            if part.serial > local.recorded.serial:
                said.append(f"cluster {name}: its copy of the state calls it {former[0]!r}: it is ignored")
            continue
        parts[name], foreign = _own(name, part, {name, *former}, local)
        said += [f"cluster {name}: {each}" for each in foreign]
    shared, differing = _shared(parts, local.recorded)
    parts, cycles = _in_order(
        {name: _with_shared(part, shared) for name, part in parts.items()}, local.recorded
    )
    return OwnParts(parts, (*said, *differing, *cycles))


def _own(cluster: str, part: State, names: set[str], local: Local) -> tuple[State, list[str]]:
    foreign = sorted(key for key in part.entries if key.cluster not in names | {NO_CLUSTER})
    strangers = sorted(part.clusters.keys() - names)
    said = [f"its copy of the state names {_few(foreign)} of other clusters: ignored"] if foreign else []
    if strangers:
        told = ", ".join(map(repr, strangers[:SHOWN]))
        said.append(f"its copy of the state describes other clusters ({told}): ignored")
    own = {key: entry for key, entry in part.entries.items() if key not in set(foreign)}
    entries = {key: _as_recorded(entry, local.recorded.entries.get(key)) for key, entry in own.items()}
    clusters = {
        name: _identity(name, cluster, part.clusters[name], local) for name in part.clusters if name in names
    }
    if cluster in local.recorded.clusters:
        clusters[cluster] = local.recorded.clusters[cluster]
    return replace(part, entries=entries, clusters=clusters), said


def _is_former_name(name: str, cluster: str, part: State, local: Local) -> bool:
    """Whether a copy that calls its cluster by another name was written before the cluster was renamed."""
    # Only the same UID proves it, and only for a name that stands for no other cluster here: otherwise a copy
    # could call itself by the name of any cluster.
    uid = local.uids.get(cluster, "")
    if name == cluster or not uid or part.clusters[name].uid != uid or name in local.file:
        return False
    before = local.recorded.clusters.get(name)
    return before is None or before.uid == uid


def _identity(name: str, cluster: str, told: ClusterIdentity, local: Local) -> ClusterIdentity:
    """Return the identity that a copy gives to its cluster, reached as this machine reaches it."""
    if before := local.recorded.clusters.get(name):
        return before
    here = local.file.get(cluster) or local.recorded.clusters.get(cluster)
    return replace(told, context=here.context if here else "", kubeconfig=here.kubeconfig if here else "")


def _as_recorded(entry: Entry, before: Entry | None) -> Entry:
    """Return an entry of a copy that claims no more than the lockfile knows."""
    last = entry.last
    if before is None or before.last.told:
        return replace(entry, last=replace(last, told=not last.created))
    if before.last.created:
        return entry
    # An adopted object stays adopted, and the values that its owner had set stay its owner's.
    return replace(entry, last=replace(last, created=False, theirs=last.theirs | before.last.theirs))


def _shared(parts: Mapping[str, State], recorded: State) -> tuple[dict[Key, Entry | None], list[str]]:
    """Return how the entries of no cluster count in which a copy differs; None for not at all.

    Such an entry concerns every cluster, so one copy alone never changes it: the lockfile decides unless all
    copies agree, and without a lockfile entry the copies must agree.
    """
    decided: dict[Key, Entry | None] = {}
    said: list[str] = []
    keys = {key for part in parts.values() for key in part.entries if key.cluster == NO_CLUSTER}
    for key in sorted(keys):
        told = {name: part.entries[key] for name, part in parts.items() if key in part.entries}
        before = recorded.entries.get(key)
        first = _essence(before or next(iter(told.values())))
        differ = sorted(name for name, entry in told.items() if _essence(entry) != first)
        if differ and not (before and len(parts) > 1 and _agreed(told.values(), len(parts))):
            decided[key] = before
            than = "than mesh.lock" if before else "than the others"
            said.append(
                f"cluster {', '.join(differ)}: its copy of the state has another {key} {than}: ignored"
            )
    return decided, said


def _agreed(entries: Iterable[Entry], count: int) -> bool:
    seen = [_essence(entry) for entry in entries]
    return len(seen) == count and all(each == seen[0] for each in seen)


def _essence(entry: Entry) -> object:
    return entry.last.place, dict(entry.last.outputs)


def _with_shared(part: State, shared: Mapping[Key, Entry | None]) -> State:
    for key, entry in shared.items():
        part = part.with_entry(key, entry)
    return part


def _in_order(parts: dict[str, State], recorded: State) -> tuple[dict[str, State], list[str]]:
    """Return the copies without the needs that form a cycle: a removal follows the needs in the state."""
    needs = {key: entry.needs for key, entry in recorded.entries.items()}
    needs |= {key: entry.needs for part in parts.values() for key, entry in part.entries.items()}
    try:
        ordered(needs)
    except RefusedError:
        said = [
            "the copies of the state hold dependencies in a cycle: those that mesh.lock lacks are ignored"
        ]
        return {name: _with_needs(part, recorded) for name, part in parts.items()}, said
    return parts, []


def _with_needs(part: State, recorded: State) -> State:
    before = recorded.entries
    return replace(
        part,
        entries={
            key: replace(entry, needs=before[key].needs if key in before else frozenset())
            for key, entry in part.entries.items()
        },
    )


def _few(keys: Iterable[Key]) -> str:
    listed = list(map(str, keys))
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
