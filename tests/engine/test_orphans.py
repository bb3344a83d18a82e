"""Objects that carry the mesh's mark and are in no state."""

from __future__ import annotations

from collections.abc import Mapping

from mesh.engine.orphans import with_orphans
from mesh.engine.session import Session
from mesh.errors import KubeError
from mesh.model import Key, Place
from mesh.sdk.contract import Last
from mesh.state.lockfile import Entry, State
from mesh.world.snapshot import Snapshot
from tests.engine.toy import ToyProvider, key

STATE = State("demo", "lineage", entries={key("a"): Entry(Last(Place("", "recorded")))})


class Marked(ToyProvider):
    def owned(self, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:
        if snapshot.cluster == "cluster2":
            raise KubeError("does not answer")
        return {key("a"): Place("", "found"), key("b"): Place("", "found")}


def test_what_carries_the_mark_is_added_and_what_is_recorded_stays(here: Session) -> None:
    snapshots = {name: Snapshot(name, here.world) for name in ("-", "cluster1", "cluster2")}
    found = with_orphans(STATE, [Marked()], snapshots)
    assert {key: entry.last.place.name for key, entry in found.entries.items()} == {
        key("a"): "recorded",
        key("b"): "found",
    }
