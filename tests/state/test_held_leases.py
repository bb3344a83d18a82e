"""Leases when API servers answer badly: no run writes without them, and none leaves one behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mesh.errors import KubeError, LockedError
from mesh.model import NO_CLUSTER
from mesh.state.held_leases import give_back
from mesh.state.lease import Leases
from mesh.state.lease_holder import Holder, look, name_of
from mesh.world import Object
from mesh.world.kube.errors import (
    AlreadyExists,
    Call,
    Conflict,
    Failed,
    Forbidden,
    Unreachable,
    WebhookDenied,
)
from mesh.world.resources import LEASE, ResourceType
from tests.engine.toy import Kube, Ticking

ALICE = Holder("alice", "laptop", 4711, "2026-01-01T00:00:00+00:00", "apply", "line", "word:1")
BOB = replace(ALICE, who="bob", host="desktop", place="word:2")
CALL = Call("one", "", "create", "leases")
BAD: dict[str, KubeError] = {
    "429": Failed(CALL, "429: slow down", status=429),
    "500": Failed(CALL, "500: no", status=500),
    "503": Failed(CALL, "503: no", status=503),
    "reset": Unreachable(CALL, "the connection broke", sent=True),
    "hang": Unreachable(CALL, "no answer within 3 seconds", sent=True),
}


@dataclass
class Server(Kube):
    """An API server that answers its next calls of a verb with errors, before or after it has obeyed."""

    before: dict[str, list[KubeError]] = field(default_factory=dict)
    after: dict[str, list[KubeError]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def create(self, obj: Object, *, dry_run: bool = False, **how: Any) -> Object:
        meta = {**obj["metadata"], "uid": f"uid-{obj['spec']['holderIdentity']}", "creationTimestamp": "x"}
        made = {**obj, "metadata": meta}
        if dry_run:
            return made
        self._fail(self.before, "create")
        if self.objects.get((LEASE.plural, meta["namespace"], meta["name"])):
            raise AlreadyExists(CALL, "it exists already")
        self.apply(made)
        self._fail(self.after, "create")
        return made

    def get(self, resource: ResourceType, namespace: str, name: str) -> Object | None:
        self._fail(self.before, "get")
        return super().get(resource, namespace, name)

    def delete(self, resource: ResourceType, namespace: str, name: str, *, uid: str = "") -> bool:
        self._fail(self.before, "delete")
        found = self.objects.get((resource.plural, namespace, name))
        if found and uid != found["metadata"]["uid"]:
            raise Conflict(CALL, "another object")
        super().delete(resource, namespace, name)
        self._fail(self.after, "delete")
        return found is not None

    def _fail(self, errors: dict[str, list[KubeError]], verb: str) -> None:
        self.calls.append(verb)
        if errors.get(verb):
            raise errors[verb].pop(0)

    @property
    def lease(self) -> Object | None:
        return self.objects.get((LEASE.plural, "kube-system", name_of("demo")))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def servers() -> dict[str, Server]:
    return {name: Server(name) for name in ("one", "two")}


def leases(servers: dict[str, Server], said: list[str], who: Holder = ALICE, **more: Any) -> Leases:
    return Leases("demo", who, Ticking(), servers, said.append, **more)


UIDS = {"one": "a", "two": "b"}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("when", ["before", "after"])
def test_one_bad_answer_to_the_creation_of_a_lease_is_passed_over(
    servers: dict[str, Server], said: list[str], bad: KubeError, when: str
) -> None:
    getattr(servers["one"], when)["create"] = [bad]
    with leases(servers, said).hold("run-1", UIDS) as held:
        assert not held.denied
        found = look("demo", servers["one"])
        assert found is not None
        assert found.run == "run-1"
    assert [each.lease for each in servers.values()] == [None, None]
    assert said == []


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_cluster_that_cannot_be_locked_is_refused_and_said_before_the_first_write(
    servers: dict[str, Server], said: list[str], bad: KubeError
) -> None:
    servers["one"].before["create"] = [bad] * 9
    with leases(servers, said).hold("run-1", UIDS) as held:
        assert held.lost("one").startswith("cluster one could not be locked, so nothing is changed in it: ")
        assert held.lost("two") == ""
        assert held.lost(NO_CLUSTER) == held.lost("one")
        assert said == [held.lost("one")]
    assert [each.lease for each in servers.values()] == [None, None]


def test_without_any_lock_the_run_ends_before_its_first_write(
    servers: dict[str, Server], said: list[str]
) -> None:
    for each in servers.values():
        each.before["create"] = [BAD["503"]] * 9
    with pytest.raises(KubeError, match="cluster one could not be locked"), hold(servers, said):
        raise AssertionError("it must not begin")


def hold(servers: dict[str, Server], said: list[str]) -> Any:
    return leases(servers, said).hold("run-1", UIDS)


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_lease_made_by_a_request_that_was_answered_by_an_error_is_given_back(
    servers: dict[str, Server], said: list[str], bad: KubeError
) -> None:
    servers["one"].after["create"] = [bad]
    servers["one"].before["get"] = [BAD["503"]] * 4  # nor could it be read back at once
    with hold(servers, said) as held:
        assert held.lost("one")
        assert servers["one"].lease is not None
    assert servers["one"].lease is None


def test_two_runs_at_a_server_that_answers_creations_by_errors_never_both_go_on(
    servers: dict[str, Server], said: list[str]
) -> None:
    servers["one"].after["create"] = [BAD["503"]] * 9
    with hold(servers, said) as held:
        assert held.lost("one") == ""
        with pytest.raises(LockedError, match="locked by alice@laptop"):
            leases(servers, said, BOB).hold("run-2", UIDS).__enter__()


@pytest.mark.parametrize(
    "error",
    [Forbidden(CALL, "no"), WebhookDenied(CALL, "policy-x refuses")],
    ids=["rbac", "policy"],
)
def test_an_identity_that_may_not_create_leases_is_warned_before_the_first_write(
    servers: dict[str, Server], said: list[str], error: KubeError
) -> None:
    servers["one"].before["create"] = [error]
    with hold(servers, said) as held:
        assert held.lost("one") == ""
        assert "cluster one is not locked against runs of other people" in said[0]
        assert "this identity may not create leases" in said[0]


def test_a_webhook_that_does_not_answer_is_no_answer(servers: dict[str, Server], said: list[str]) -> None:
    servers["one"].before["create"] = [WebhookDenied(CALL, 'failed calling webhook "x": timeout')] * 9
    with hold(servers, said) as held:
        assert held.lost("one")


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("when", ["before", "after"])
def test_one_bad_answer_to_the_deletion_of_a_lease_is_passed_over(
    servers: dict[str, Server], said: list[str], bad: KubeError, when: str
) -> None:
    with hold(servers, said):
        getattr(servers["two"], when)["delete"] = [bad]
    assert servers["two"].lease is None
    assert said == []


def test_a_lease_that_cannot_be_given_back_is_said_with_the_command_that_does(
    servers: dict[str, Server], said: list[str]
) -> None:
    with hold(servers, said):
        servers["two"].before["delete"] = [BAD["500"]] * 9
    assert servers["one"].lease is None
    (warning,) = said
    assert "could not be given back" in warning
    assert "`mesh state unlock --cluster two --id run-1`" in warning


def test_a_lease_that_another_run_has_made_since_is_left(servers: dict[str, Server], said: list[str]) -> None:
    with hold(servers, said) as held:
        ours = held.claims["one"].obj
        theirs = {**ours, "metadata": {**ours["metadata"], "uid": "another"}}
        servers["one"].apply(theirs)
    assert servers["one"].lease == theirs
    assert said == []


@pytest.fixture
def dead(servers: dict[str, Server], said: list[str]) -> Iterator[dict[str, Server]]:
    """Servers that a killed run of Alice's folder left locked."""
    with suppress(RuntimeError), hold(servers, said) as held:
        held.claims.clear()
        raise RuntimeError("killed")
    yield servers


def test_what_a_killed_run_of_this_folder_left_is_cleared_by_a_run_with_nothing_to_do(
    dead: dict[str, Server], said: list[str]
) -> None:
    assert all(each.lease for each in dead.values())
    dead["one"].before["get"] = [BAD["429"]]
    dead["two"].before["delete"] = [BAD["reset"]]
    leases(dead, said, replace(ALICE, pid=4712), stale=frozenset(dead)).clear()
    assert not any(each.lease for each in dead.values())
    assert said == []


def test_the_lease_of_another_folder_is_never_cleared(dead: dict[str, Server], said: list[str]) -> None:
    leases(dead, said, BOB, stale=frozenset(dead)).clear()
    assert all(each.lease for each in dead.values())


def test_what_cannot_be_cleared_is_said(dead: dict[str, Server], said: list[str]) -> None:
    dead["one"].before["get"] = [BAD["500"]] * 9
    dead["two"].before["delete"] = [BAD["500"]] * 9
    leases(dead, said, stale=frozenset(dead)).clear()
    assert "the lease that a killed run left in cluster one stays" in said[0]
    assert "mesh state unlock --cluster two --id run-1" in said[1]


@dataclass
class Slow(Server):
    """A server whose every answer takes longer than a caller waits."""

    clock: Ticking = field(default_factory=Ticking)

    def delete(self, resource: ResourceType, namespace: str, name: str, *, uid: str = "") -> bool:
        self.clock.sleep(3.0)
        raise BAD["hang"]


@pytest.mark.parametrize(("brief", "seconds"), [(False, 6.5), (True, 3.0)])
def test_a_stopped_run_does_not_wait_a_second_time_for_a_server_that_hangs(
    brief: bool, seconds: float
) -> None:
    slow = Slow("one")
    lease = {"metadata": {"name": "mesh-demo", "uid": "u"}, "spec": {"holderIdentity": "run-1"}}
    assert "could not be given back" in give_back(slow, lease, slow.clock, brief=brief)
    assert slow.clock.at <= seconds


@pytest.fixture
def one(servers: dict[str, Server]) -> Server:
    """A server that makes a lease without an answer, and then cannot be read."""
    servers["one"].after["create"] = [Unreachable(CALL, "the connection broke", sent=True)]
    servers["one"].before["get"] = [Unreachable(CALL, "no answer within 3 seconds")] * 1000
    return servers["one"]


def test_a_lease_that_may_exist_and_cannot_be_read_is_told_with_the_command(
    one: Server, servers: dict[str, Server], said: list[str]
) -> None:
    """A read that fails never reached the server, but the creation before it may have worked."""
    with leases(servers, said).hold("run-1", UIDS) as held:
        assert "nothing is changed in it" in held.denied["one"]
    assert one.lease is not None
    (told,) = (each for each in said if "may hold a lease of this run" in each)
    assert "state unlock" in told
    assert "no answer within 3 seconds" in told


def test_a_lease_that_may_exist_is_given_back_once_it_can_be_read(
    one: Server, servers: dict[str, Server], said: list[str]
) -> None:
    with leases(servers, said).hold("run-1", UIDS):
        one.before["get"] = []
    assert one.lease is None
    assert not [each for each in said if "may hold a lease" in each]
