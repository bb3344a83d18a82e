"""Read everything wanted, recorded or owned: in bulk, kinds and clusters in parallel.

One cluster's failure never hides another's: whatever cannot be read is `Unread`, with why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from mesh.model import NO_CLUSTER, Found, Key, Live, Place, Unread
from mesh.model.mask import secrets_in
from mesh.sdk.contract import Last, Registry
from mesh.sdk.recorded_snapshot import RecordedSnapshot
from mesh.walk import fan
from mesh.world import Kube, Object, World, hidden
from mesh.world.guarded import guarded
from mesh.world.resources import NAMESPACE
from mesh.world.snapshot import Snapshot

KUBE_SYSTEM = "kube-system"


@dataclass(frozen=True, slots=True)
class Observation:
    """What was found; `uids` are the kube-system UIDs of the clusters that answered."""

    found: Mapping[Key, Found]
    snapshots: Mapping[str, RecordedSnapshot]
    uids: Mapping[str, str] = field(default_factory=dict)
    unreachable: Mapping[str, str] = field(default_factory=dict)
    unrecorded: Mapping[str, str] = field(default_factory=dict)
    """Why the copy of the state in a cluster cannot be used: nothing is decided about that cluster."""

    @property
    def answered(self) -> frozenset[str]:
        """The clusters in which a run may write the state."""
        return frozenset(self.uids) - self.unrecorded.keys()

    def without(self, unrecorded: Mapping[str, str]) -> Observation:
        """Return the observation with everything in clusters of an unusable state as unread."""
        # What is recorded there may be newer than the lockfile: a decision without it could make an object
        # twice, or take one for another owner's.
        found = {
            key: Unread(why) if (why := unrecorded.get(key.cluster)) else each
            for key, each in self.found.items()
        }
        return replace(self, found=found, unrecorded=unrecorded)


def observe(
    places: Mapping[Key, Place],
    clusters: tuple[str, ...],
    last: Mapping[Key, Last],
    kinds: Registry,
    world: World,
    before: Mapping[str, RecordedSnapshot],
) -> Observation:
    """Read every place; `clusters` are looked at even if nothing in them is asked for.

    What an earlier observation of the same run has read (`before`) is not read again.
    """
    names = {*clusters, *(key.cluster for key in places)}
    snapshots = {name: RecordedSnapshot(name, world, last=last) for name in sorted(names)}
    for name in snapshots.keys() & before.keys():
        snapshots[name] = replace(before[name], last=last)
    groups = _groups(places)
    jobs: list[tuple[str, str]] = [(name, "") for name in snapshots if name != NO_CLUSTER]
    jobs += groups

    def read(job: tuple[str, str]) -> Mapping[Key, Found] | str | Unread:
        cluster, kind = job
        if not kind:
            return _uid(snapshots[cluster])
        return _read(kinds, kind, groups[job], snapshots[cluster])

    results = fan(read, jobs)
    found: dict[Key, Found] = {}
    for job in groups:
        result = results[job]
        assert isinstance(result, Mapping)
        found.update(result)
    hidden.know(
        secret for each in found.values() if isinstance(each, Live) for secret in secrets_in(each.attrs)
    )
    uids = {name: results[name, ""] for name in snapshots if name != NO_CLUSTER}
    return Observation(
        found=found,
        snapshots=snapshots,
        uids={name: uid for name, uid in uids.items() if isinstance(uid, str)},
        unreachable={name: uid.why for name, uid in uids.items() if isinstance(uid, Unread)},
    )


def _groups(places: Mapping[Key, Place]) -> dict[tuple[str, str], dict[Key, Place]]:
    """Split the places by (cluster, kind): one job each."""

    def job(key: Key) -> tuple[str, str]:
        return key.cluster, key.kind

    ordered = sorted(places, key=lambda key: (job(key), key))
    return {name: {key: places[key] for key in keys} for name, keys in groupby(ordered, job)}


def _read(kinds: Registry, kind: str, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
    if kind not in kinds:
        return dict.fromkeys(places, Unread(f"no installed package provides kind {kind!r}"))
    what = f"cluster {snapshot.cluster}: what was read for kind {kind}"
    found = guarded(what, lambda: kinds[kind].observe(places, snapshot))
    return dict.fromkeys(places, found) if isinstance(found, Unread) else found


def _uid(snapshot: Snapshot) -> str | Unread:
    what = f"cluster {snapshot.cluster}: its list of namespaces"
    return guarded(what, lambda: uid_of(snapshot.list(NAMESPACE)))


def read_uid(kube: Kube) -> str:
    """Read the UID of a cluster; raise KubeError. For commands that do not plan."""
    return uid_of(kube.list(NAMESPACE, fields=f"metadata.name={KUBE_SYSTEM}"))


def uid_of(namespaces: list[Object]) -> str:
    """The UID of kube-system, which stands for the cluster; "" if there is none."""
    found = (obj["metadata"] for obj in namespaces if obj["metadata"]["name"] == KUBE_SYSTEM)
    return str(next(found, {"uid": ""})["uid"])
