"""The format of the lockfile: what this mesh applied, where, and how the resources depend on each other.

`mesh.lock` is canonical JSON, to be committed: sorted keys, no secrets, no times, a digest over the
rest. Pure functions from and to text; `mesh.state.store` reads and writes the files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from uuid import uuid4

from mesh.errors import StateError
from mesh.model import NO_CLUSTER, Key, Place
from mesh.model.bounded_text import Limits, Unfit, loads
from mesh.sdk.contract import REMOVED, Last
from mesh.world.shapes import Each, fitted

FORMAT = 1

LARGEST = Limits(size=32 << 20)
"""A lockfile takes about a kilobyte for a resource; the copy in a cluster is a ConfigMap of at most 1 MiB."""

LOCKFILE = {
    "mesh!": str,
    "lineage!": str,
    "serial!": int,
    "run!": str,
    "clusters!": Each(
        {
            **dict.fromkeys(("uid!", "cluster_name!", "network!", "trust_domain!"), str),
            **dict.fromkeys(("namespace", "context", "kubeconfig"), str),
        }
    ),
    "resources!": Each(
        {
            "needs!": [str],
            "place!": [str],
            "fields!": Each(str),
            "created!": bool,
            "uid!": str,
            "outputs!": dict,
            "status!": str,
            "theirs": [str],
            "told": bool,
        }
    ),
    "written": Each(int),
}
"""The types of a lockfile of this format."""


@dataclass(frozen=True, slots=True)
class ClusterIdentity:
    """The identity of a cluster: the UID of its kube-system namespace, and its names in the mesh.

    They stay the same for as long as the cluster is in the mesh. The UID is "" for a cluster that a destroy
    could not read: what it holds is not known. `context` and `kubeconfig` are how it
    was last reached, so that it can be cleaned up after it was removed from the file.
    """

    uid: str
    cluster_name: str
    network: str
    trust_domain: str
    namespace: str = "istio-system"
    context: str = ""
    kubeconfig: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """The state entry of one applied resource: what was applied, and its direct needs."""

    last: Last
    needs: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class State:
    """The content of the lockfile.

    `serial` grows by one with every run that writes, and `run` names that run: the same serial from two
    runs is a fork. `lineage` is made once, with the first state of a mesh. `written` is the serial of the
    last copy that each cluster was given: a cluster with an older one was restored from a backup.
    """

    mesh: str
    lineage: str
    serial: int = 0
    run: str = ""
    clusters: Mapping[str, ClusterIdentity] = field(default_factory=dict)
    entries: Mapping[Key, Entry] = field(default_factory=dict)
    written: Mapping[str, int] = field(default_factory=dict)

    def last(self, key: Key) -> Last | None:
        """Return what was last applied of a resource, or None."""
        entry = self.entries.get(key)
        return entry.last if entry else None

    def with_entry(self, key: Key, entry: Entry | None) -> State:
        """Return the state with one entry set, or removed."""
        entries = {k: e for k, e in self.entries.items() if k != key}
        if entry:
            entries[key] = entry
        return replace(self, entries=entries)


def fresh(mesh: str) -> State:
    """Return the state of a mesh that was never applied."""
    return State(mesh=mesh, lineage=str(uuid4()))


def to_text(state: State) -> str:
    """Return a state as canonical JSON, digest included."""
    body = _body(state)
    body["digest"] = _digest(body)
    return json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def from_text(text: str, where: str) -> State:
    """Read a state; raise StateError with the problem and the next step."""
    restore = f"restore {where} from version control, or run `mesh state rebuild`"
    if "<<<<<<<" in text:
        raise StateError(
            f"{where} has merge conflict markers", hint=f"take one side as a whole, then {restore}"
        )
    try:
        body = fitted(loads(text, LARGEST), {"format!": int})
    except Unfit as error:
        raise _odd(where, error, restore) from None
    if (version := body["format"]) != FORMAT:
        raise StateError(
            f"{where} has format {version}, this mesh reads format {FORMAT}",
            hint="use the newer mesh that wrote it",
        )
    if body.pop("digest", "") != _digest(body):
        # Not a signature: it catches hand edits and merges that git thinks clean. Two sides of a merge can
        # be valid JSON together and still name objects that no cluster has.
        raise StateError(f"{where} was changed by hand or damaged: its digest does not match", hint=restore)
    try:
        return _lock(fitted(body, LOCKFILE))
    except (TypeError, ValueError) as error:
        raise _odd(where, error, restore) from None


def _odd(where: str, error: Exception, restore: str) -> StateError:
    why = error if isinstance(error, Unfit) else "an entry of it is not one of a lockfile"
    return StateError(f"{where} is not a mesh lockfile, or it is cut off: {why}", hint=restore)


def slice_of(state: State, cluster: str) -> State:
    """Return the part of a state that one cluster keeps: its own entries, and those of no cluster."""
    mine = {NO_CLUSTER, cluster}
    return replace(
        state,
        written={},
        clusters={name: who for name, who in state.clusters.items() if name == cluster},
        entries={
            key: _shared(entry)
            for key, entry in state.entries.items()
            if key.cluster in mine and entry.last.status != REMOVED
        },
    )


def _shared(entry: Entry) -> Entry:
    """Return an entry as a cluster keeps it: what this folder has not seen itself is its own affair."""
    return replace(entry, last=replace(entry.last, told=False)) if entry.last.told else entry


def _digest(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _body(state: State) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "mesh": state.mesh,
        "lineage": state.lineage,
        "serial": state.serial,
        "run": state.run,
        "clusters": {name: asdict(identity) for name, identity in state.clusters.items()},
        "resources": {str(key): _entry_body(entry) for key, entry in state.entries.items()},
    } | ({"written": dict(state.written)} if state.written else {})


def _entry_body(entry: Entry) -> dict[str, Any]:
    last = entry.last
    return {
        "needs": sorted(str(need) for need in entry.needs),
        "place": last.place.recorded(),
        "fields": dict(last.fields),
        "created": last.created,
        "uid": last.uid,
        "outputs": dict(last.outputs),
        "status": last.status,
        **({"theirs": sorted(last.theirs)} if last.theirs else {}),
        **({"told": True} if last.told else {}),
    }


def _lock(body: Mapping[str, Any]) -> State:
    return State(
        mesh=body["mesh"],
        lineage=body["lineage"],
        serial=body["serial"],
        run=body["run"],
        clusters={name: ClusterIdentity(**identity) for name, identity in body["clusters"].items()},
        entries={Key.parse(address): _entry(entry) for address, entry in body["resources"].items()},
        written=dict(body.get("written", {})),
    )


def _entry(body: Mapping[str, Any]) -> Entry:
    last = Last(
        place=Place.read(*body["place"]),
        fields=body["fields"],
        created=body["created"],
        uid=body["uid"],
        outputs=body["outputs"],
        status=body["status"],
        theirs=frozenset(body.get("theirs", ())),
        told=body.get("told", False),
    )
    return Entry(last, frozenset(Key.parse(need) for need in body["needs"]))
