"""Reading in bulk: one cluster's failure never hides another's."""

from __future__ import annotations

from collections.abc import Mapping

from mesh.engine.observe import observe, uid_of
from mesh.engine.session import Session
from mesh.errors import MeshError
from mesh.model import Found, Key, Place, Unread
from mesh.world.snapshot import Snapshot
from tests.engine.toy import CLUSTERS, ToyProvider, key, toys

A, FAR = key("a"), key("far", "cluster2")
PLACES = {A: Place("", "a"), FAR: Place("", "far"), Key("nothing", "cluster1", "x"): Place("", "x")}


class Failing(ToyProvider):
    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        if snapshot.cluster == "cluster2":
            raise MeshError("cluster2 is on fire")
        return super().observe(places, snapshot)


def test_what_cannot_be_read_says_why_and_the_rest_is_read(here: Session) -> None:
    toys(here.world, "cluster1").put("a", {"out": 1})
    seen = observe(PLACES, CLUSTERS, {}, {"toy": Failing()}, here.world, {})
    assert seen.found[FAR] == Unread("cluster2 is on fire")
    assert isinstance(seen.found[Key("nothing", "cluster1", "x")], Unread)
    assert seen.found[A] is not None
    assert seen.uids == {"cluster1": "uid-of-cluster1", "cluster2": "uid-of-cluster2"}


def test_a_cluster_that_does_not_answer_is_named_with_the_reason(here: Session) -> None:
    toys(here.world, "cluster2").down = True
    seen = observe({}, CLUSTERS, {}, here.kinds, here.world, {})
    assert (set(seen.uids), set(seen.unreachable)) == ({"cluster1"}, {"cluster2"})
    assert "does not answer" in seen.unreachable["cluster2"]


def test_what_was_read_before_is_not_read_again(here: Session) -> None:
    first = observe({}, CLUSTERS, {}, here.kinds, here.world, {})
    toys(here.world, "cluster1").down = True
    assert observe({}, CLUSTERS, {}, here.kinds, here.world, first.snapshots).uids == first.uids


def test_a_cluster_without_kube_system_has_no_uid() -> None:
    assert uid_of([{"metadata": {"name": "default", "uid": "x"}}]) == ""
