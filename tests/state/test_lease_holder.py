"""Who holds a lease, as it is recorded, read, compared, and named to a person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mesh.errors import KubeError, LockedError
from mesh.state.lease import Leases
from mesh.state.lease_holder import HOLDER, Holder, holder_of, locked, look, refuse_held, unlock
from mesh.world import Object
from mesh.world.clock import SystemClock
from mesh.world.kube.errors import AlreadyExists, Call, Unreachable
from mesh.world.resources import LEASE
from tests.engine.toy import Kube

ALICE = Holder("alice", "laptop", 4711, "2026-01-01T00:00:00+00:00", "apply", "line", "word:1")
BOB = replace(ALICE, who="bob", host="desktop", place="word:2")


@dataclass
class Leased(Kube):
    """An API server that creates a name once, and can lose the answer to that."""

    loses: bool = False
    time: str = "2026-01-01T00:02:00Z"

    def create(self, obj: Object, *, dry_run: bool = False, **how: Any) -> Object:
        meta = {
            **obj["metadata"],
            "uid": f"uid-{obj['spec']['holderIdentity']}",
            "creationTimestamp": self.time,
        }
        made = {**obj, "metadata": meta}
        if dry_run:
            return made
        call = Call(self.cluster, "", "create", "leases")
        if self.get(LEASE, meta["namespace"], meta["name"]):
            raise AlreadyExists(call, "it exists already")
        self.apply(made)
        if self.loses:
            self.loses = False
            raise Unreachable(call, "the connection broke", sent=True)
        return made

    def held_by(self, holder: Holder, renewed: str = "2026-01-01T00:00:00Z") -> Object:
        note = {HOLDER: holder.to_text()}
        meta = {"name": "mesh-demo", "namespace": "kube-system", "uid": "uid-1", "annotations": note}
        return self.apply(
            {
                "kind": "Lease",
                "metadata": {**meta, "managedFields": [{"time": renewed}]},
                "spec": {"holderIdentity": "run-1"},
            }
        )


def take(kube: Leased, who: Holder, run: str) -> None:
    with Leases("demo", who, SystemClock(), {"one": kube}).hold(run, {"one": "u"}) as held:
        assert held.lost("one") == ""
        found = look("demo", kube)
        assert found is not None
        assert (found.run, found.holder) == (run, who)


def test_a_holder_comes_back_from_its_annotation_and_nothing_else_does() -> None:
    assert holder_of({"metadata": {"annotations": {HOLDER: ALICE.to_text()}}}) == ALICE
    for text in ("", "[]", "{}", '{"who": "x"}'):
        assert holder_of({"metadata": {"annotations": {HOLDER: text}}}) is None
    assert holder_of({"metadata": {}}) is None
    assert str(ALICE) == "alice@laptop, process 4711: apply, since 2026-01-01T00:00:00+00:00"


def test_only_the_same_folder_of_the_same_host_is_the_same_place() -> None:
    assert ALICE.is_at(replace(ALICE, pid=1, who="root"))
    assert not ALICE.is_at(replace(ALICE, host="desktop"))
    assert not ALICE.is_at(replace(ALICE, place="word:2"))


def test_a_lease_that_exists_is_refused_and_not_taken_over() -> None:
    kube = Leased("one")
    kube.held_by(BOB)
    with pytest.raises(LockedError, match="cluster one is locked by bob@desktop"):
        take(kube, ALICE, "run-2")
    assert look("demo", kube) is not None


def test_the_lease_of_a_dead_run_of_the_same_folder_is_replaced() -> None:
    kube = Leased("one")
    kube.held_by(replace(ALICE, pid=1))
    take(kube, ALICE, "run-2")
    assert look("demo", kube) is None


def test_a_lease_whose_creation_lost_its_answer_is_recognised_by_its_run() -> None:
    take(Leased("one", loses=True), ALICE, "run-2")


@pytest.mark.parametrize(
    ("time", "hint"), [("2026-01-01T00:00:30Z", "wait for it"), ("2026-01-01T00:02:00Z", "--id run-1")]
)
def test_how_long_a_holder_was_silent_is_by_the_clock_of_the_server(time: str, hint: str) -> None:
    kube = Leased("one", time=time)
    error = locked(kube, kube.held_by(BOB))
    seconds = int((datetime.fromisoformat(time) - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds())
    assert f"last renewed {seconds} s ago" in error.message
    assert hint in error.hint


def test_a_plan_is_refused_while_another_run_holds_a_lease_and_not_by_a_dead_one_of_its_folder() -> None:
    kube = Leased("one")
    refuse_held("demo", {"one": kube}, ALICE)
    kube.held_by(BOB)
    for us in (ALICE, None):
        with pytest.raises(LockedError):
            refuse_held("demo", {"one": kube}, us)
    refuse_held("demo", {"one": kube}, BOB)


def test_a_cluster_that_denies_the_read_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(*_: object) -> None:
        raise KubeError("no")

    kube = Leased("one")
    monkeypatch.setattr(kube, "get", get)
    refuse_held("demo", {"one": kube}, ALICE)


def test_only_the_run_that_a_person_names_is_unlocked() -> None:
    kube = Leased("one")
    assert unlock("demo", "one", "run-1", kube) is None
    kube.held_by(BOB)
    with pytest.raises(LockedError, match="another run than run-9"):
        unlock("demo", "one", "run-9", kube)
    unlocked = unlock("demo", "one", "run-1", kube)
    assert unlocked is not None
    assert unlocked.holder == BOB
    assert look("demo", kube) is None
