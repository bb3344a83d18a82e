"""The second round of reads: which Services webhooks call, and what dry runs answer."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.errors import KubeError
from mesh.model import Unread
from mesh.queries.checks.facts import ClusterFacts
from mesh.queries.checks.read.second import NO_RIGHT, SECOND, is_flat, services, trials
from mesh.world.kube.errors import Conflict, Failed, Forbidden, Missing, WebhookDenied
from tests.support.check_facts import EDGE, SYSTEM, facts, obj, space
from tests.support.check_server import CALL, Server, snapshot

ISTIO = frozenset({"networking.istio.io/v1"})
CALLED = {"clientConfig": {"service": {"namespace": "a", "name": "b"}}}
HOOKS = {"webhooks": [CALLED, {"clientConfig": {"url": ""}}]}


def before(*spaces: str, groups: frozenset[str] = ISTIO, **more: Any) -> ClusterFacts:
    return facts(namespaces=[space(each) for each in spaces], groups=groups, **more)


def test_the_services_of_webhooks_are_read_and_urls_are_not_services() -> None:
    assert list(services(HOOKS)) == [("a", "b")]
    server, config = Server({"endpointslices": [obj("b-1", "a")]}), obj("hook", "", **HOOKS)
    found = SECOND["endpoints"](snapshot(server), facts(validating=[config], mutating=[]))
    assert found == (obj("b-1", "a"),)
    assert SECOND["endpoints"](snapshot(server), facts(validating=[], mutating=[])) == ()
    assert server.asked == ["endpointslices"]


def test_pods_are_compared_only_where_a_flat_network_is_in_use() -> None:
    assert is_flat(facts(workload_entries=[obj("autogenflat.a")]))
    assert not is_flat(facts(workload_entries=[obj("autogen.a")]))
    assert not is_flat(facts(seen={"workload entries": Unread("forbidden")}))


@pytest.mark.parametrize(
    ("error", "is_unread"),
    [
        (Forbidden(CALL, f'services is {NO_RIGHT}a" cannot create'), True),
        (Missing(CALL, "its namespace is gone"), True),
        (Forbidden(CALL, "unable to create new content in namespace x because it is being terminated"), True),
        (Forbidden(CALL, "exceeded quota: few"), False),
        (Failed(CALL, "429: too many requests", status=429), True),
        (WebhookDenied(CALL, 'failed calling webhook "validation.istio.io": connection refused'), False),
    ],
)
def test_a_dry_run_tells_a_refusal_from_a_missing_right(error: KubeError, is_unread: bool) -> None:
    answer = Unread(error.message) if is_unread else error.message
    found = SECOND["tried"](snapshot(Server(answer=error)), before(SYSTEM, EDGE))
    assert found == {"istio object": answer, "load balancer": answer}


@pytest.mark.parametrize("error", [None, Conflict(CALL, "another field manager")])
def test_an_accepted_dry_run_and_a_conflict_over_fields_are_no_refusals(error: KubeError | None) -> None:
    found = SECOND["tried"](snapshot(Server(answer=error)), before(SYSTEM, EDGE))
    assert found == {"istio object": "", "load balancer": ""}


def test_a_dry_run_needs_its_namespace_and_its_api() -> None:
    found = SECOND["tried"](snapshot(Server()), before(SYSTEM, groups=frozenset()))
    assert found["istio object"] == Unread(f"namespace {SYSTEM} or networking.istio.io/v1 does not exist yet")
    assert found["load balancer"] == Unread(f"namespace {EDGE} or v1 does not exist yet")


def test_a_namespace_that_is_being_deleted_counts_as_missing() -> None:
    spaces = [space(SYSTEM), space(EDGE)]
    for each in spaces:
        each["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    found = SECOND["tried"](snapshot(Server()), facts(namespaces=spaces, groups=ISTIO))
    assert isinstance(found["load balancer"], Unread)


def test_the_objects_of_dry_runs_are_never_named_like_a_users() -> None:
    for _, body in trials(facts().cluster).values():
        assert body["metadata"]["name"] == "mesh-check"
