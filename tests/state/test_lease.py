"""Leases on real API servers: who holds them, who may take them, what becomes of a lost one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from mesh.errors import LockedError
from mesh.lab import Lab
from mesh.state import lease_holder as holder
from mesh.state.held_leases import BEAT_SECONDS, FAILURES
from mesh.state.lease import Leases
from mesh.state.lease_holder import Holder, look, refuse_held, unlock
from mesh.world import Kube
from mesh.world.kube.client import ApiServer, connect
from mesh.world.resources import LEASE
from tests.conftest import Tool

MESH = "leases"
NAME = f"mesh-{MESH}"
UIDS = {"cluster1": "b", "cluster2": "a"}
"""Given so that cluster2 comes first."""

ALICE = Holder("alice", "laptop", 4711, "2026-01-01T00:00:00+00:00", "apply", "line", "word:1")
BOB = replace(ALICE, who="bob", host="desktop", place="word:2")


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture(scope="module")
def servers(lab: Lab) -> Mapping[str, ApiServer]:
    return connect([(name, name, str(lab.kubeconfig)) for name in UIDS], lab.environment())


@pytest.fixture
def kubes(servers: Mapping[str, ApiServer]) -> Iterator[Mapping[str, ApiServer]]:
    yield servers
    for kube in servers.values():
        kube.delete(LEASE, "kube-system", NAME)


def leases(who: Holder, kubes: Mapping[str, Kube], clock: Clock | None = None) -> Leases:
    return Leases(MESH, who, clock or Clock(), kubes)


def test_a_lease_is_there_while_it_is_held_and_says_by_whom(kubes: Mapping[str, ApiServer]) -> None:
    with leases(ALICE, kubes).hold("run-1", UIDS) as held:
        assert not held.warnings
        for cluster, kube in kubes.items():
            seen = look(MESH, kube)
            assert seen is not None
            assert (seen.run, seen.holder) == ("run-1", ALICE)
            assert held.lost(cluster) == ""
    assert [look(MESH, kube) for kube in kubes.values()] == [None, None]


def test_the_lease_of_another_is_never_taken_and_names_him(kubes: Mapping[str, ApiServer]) -> None:
    with leases(ALICE, kubes).hold("run-1", {"cluster1": "b"}):
        with pytest.raises(LockedError) as caught, leases(BOB, kubes).hold("run-2", UIDS):
            pass
        assert "cluster cluster1 is locked by alice@laptop, process 4711: apply, since" in str(caught.value)
        assert caught.value.hint == "wait for it to end"
        assert look(MESH, kubes["cluster2"]) is None  # all or none
        with pytest.raises(LockedError):
            refuse_held(MESH, kubes, BOB)
        refuse_held(MESH, kubes, ALICE)
        seen = look(MESH, kubes["cluster1"])
        assert seen is not None
        assert seen.run == "run-1"


def test_a_silent_holder_looks_dead_and_only_a_person_frees_him(
    kubes: Mapping[str, ApiServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holder, "SILENT_SECONDS", -1)
    with leases(ALICE, kubes).hold("run-1", {"cluster1": "b"}):
        with pytest.raises(LockedError) as caught, leases(BOB, kubes).hold("run-2", UIDS):
            pass
        assert "mesh state unlock --cluster cluster1 --id run-1" in caught.value.hint
        with pytest.raises(LockedError, match="locked by another run than run-9"):
            unlock(MESH, "cluster1", "run-9", kubes["cluster1"])
        assert unlock(MESH, "cluster1", "run-1", kubes["cluster1"]) is not None
        assert unlock(MESH, "cluster1", "run-1", kubes["cluster1"]) is None


def test_the_same_folder_takes_back_what_its_dead_run_left(kubes: Mapping[str, ApiServer]) -> None:
    with leases(ALICE, kubes).hold("run-1", UIDS) as dead:
        again = replace(ALICE, pid=4712)
        with leases(again, kubes).hold("run-2", UIDS):
            seen = look(MESH, kubes["cluster1"])
            assert seen is not None
            assert (seen.run, seen.holder) == ("run-2", again)
            dead.release()  # were it not dead, it could not hurt the new one
            assert look(MESH, kubes["cluster1"]) == seen


def test_a_lease_is_renewed_every_ten_seconds_one_request_at_a_time(kubes: Mapping[str, ApiServer]) -> None:
    clock = Clock()
    with leases(ALICE, kubes, clock).hold("run-1", UIDS) as held:
        writes = 0
        before = {name: claim.obj["metadata"]["resourceVersion"] for name, claim in held.claims.items()}
        for _ in range(int(6 * BEAT_SECONDS / 0.2)):
            clock.sleep(0.2)
            held.beat()
            now = {name: claim.obj["metadata"]["resourceVersion"] for name, claim in held.claims.items()}
            moved = sum(now[name] != before[name] for name in now)
            assert moved <= 1
            writes, before = writes + moved, now
        assert 2 * 5 <= writes <= 2 * 6
        assert not any(held.lost(name) for name in UIDS)


def test_a_lease_that_somebody_took_is_lost(kubes: Mapping[str, ApiServer]) -> None:
    clock = Clock()
    with leases(ALICE, kubes, clock).hold("run-1", UIDS) as held:
        unlock(MESH, "cluster1", "run-1", kubes["cluster1"])
        with leases(BOB, kubes).hold("run-2", {"cluster1": "b"}):
            clock.sleep(BEAT_SECONDS)
            held.beat()
            held.beat()
            assert "was taken from this run: bob@desktop" in held.lost("cluster1")
            assert held.lost("cluster2") == ""
            held.release()
            seen = look(MESH, kubes["cluster1"])
            assert seen is not None
            assert seen.run == "run-2"


def test_a_stranger_who_writes_the_lease_does_not_lose_it(
    kubes: Mapping[str, ApiServer], kubectl: Tool
) -> None:
    clock = Clock()
    with leases(ALICE, kubes, clock).hold("run-1", {"cluster1": "b"}) as held:
        kubectl("cluster1", "annotate", "lease", NAME, "-n", "kube-system", "seen=yes")
        for _ in range(FAILURES + 1):
            clock.sleep(BEAT_SECONDS)
            held.beat()
        assert held.lost("cluster1") == ""


def changed(lab: Lab, path: Path, server: str = "", token: str = "") -> Path:
    """The lab's kubeconfig with another server or another user."""
    config = yaml.safe_load(lab.kubeconfig.read_text())
    for cluster in config["clusters"]:
        cluster["cluster"]["server"] = server or cluster["cluster"]["server"]
    for user in config["users"]:
        user["user"] = {"token": token} if token else user["user"]
    path.write_text(yaml.safe_dump(config))
    return path


def test_three_renewals_that_fail_lose_it(kubes: Mapping[str, ApiServer], lab: Lab, tmp_path: Path) -> None:
    nowhere = changed(lab, tmp_path / "nowhere", server="https://127.0.0.1:1")
    gone = connect([("cluster1", "cluster1", str(nowhere))], lab.environment())["cluster1"]
    clock = Clock()
    with leases(ALICE, kubes, clock).hold("run-1", {"cluster1": "b"}) as held:
        claim = held.claims["cluster1"]
        claim.kube, ours = gone.within(1), claim.kube
        for failed in range(FAILURES):
            assert held.lost("cluster1") == "", failed
            clock.sleep(BEAT_SECONDS)
            held.beat()
        assert "could not be renewed" in held.lost("cluster1")
        claim.kube = ours


def test_who_may_not_make_leases_is_warned_and_goes_on(lab: Lab, kubectl: Tool, tmp_path: Path) -> None:
    kubectl("cluster1", "create", "serviceaccount", "nobody", "-n", "default")
    token = kubectl("cluster1", "create", "token", "nobody", "-n", "default").strip()
    config = changed(lab, tmp_path / "nobody", token=token)
    kubes = connect([("cluster1", "cluster1", str(config))], lab.environment())
    with leases(ALICE, kubes).hold("run-1", {"cluster1": "b"}) as held:
        assert held.lost("cluster1") == ""
        (warning,) = held.warnings
        assert "cluster cluster1 is not locked against runs of other people" in warning
    kubectl("cluster1", "delete", "serviceaccount", "nobody", "-n", "default")


def test_a_cluster_that_does_not_answer_is_lost_from_the_start(
    kubes: Mapping[str, ApiServer], lab: Lab, tmp_path: Path
) -> None:
    nowhere = changed(lab, tmp_path / "nowhere", server="https://127.0.0.1:1")
    gone = connect([("cluster1", "cluster1", str(nowhere))], lab.environment())
    half: dict[str, Kube] = {"cluster1": gone["cluster1"].within(1), "cluster2": kubes["cluster2"]}
    with leases(ALICE, half).hold("run-1", UIDS) as held:
        assert "cannot be reached" in held.lost("cluster1")
        assert held.lost("cluster2") == ""
