"""The state of a resource, in the words of the plan, and whether it works now."""

from __future__ import annotations

import pytest

from mesh.model import Key, Unread
from mesh.queries.states import ResourceState
from tests.queries.status.healthy import Healthy, healthy

GATEWAY = Key.parse("gateway/a/istio-eastwest")
LINK = Key.parse("link/b/a")


@pytest.fixture(scope="module")
def solo(tmp_path_factory: pytest.TempPathFactory) -> Healthy:
    return healthy("solo", tmp_path_factory.mktemp("solo"))


def state(one: Healthy, key: Key, **changed: object) -> ResourceState:
    found = {GATEWAY: changed["gateway"]} if "gateway" in changed else {}
    return one.seen(found)[1].states[key]  # type: ignore[arg-type]  # what was found


def test_a_resource_without_a_step_is_in_sync_and_ready(solo: Healthy) -> None:
    found = state(solo, GATEWAY)
    assert (found.word, found.text, found.trouble) == ("ready", "in sync and ready", "")
    assert found.good and found.works and found.in_sync
    assert found.place.name == "istio-eastwest"


def test_a_missing_resource_does_not_work_and_is_not_in_sync(solo: Healthy) -> None:
    found = state(solo, GATEWAY, gateway=None)
    assert (found.word, found.works, found.in_sync, found.live) == ("missing", False, False, None)


def test_what_could_not_be_read_is_not_known(solo: Healthy) -> None:
    found = state(solo, GATEWAY, gateway=Unread("forbidden"))
    assert (found.word, found.unread, found.works) == ("not known", "forbidden", False)


def test_a_link_to_a_gateway_that_cannot_be_read_is_judged_by_its_conditions(solo: Healthy) -> None:
    assert state(solo, LINK, gateway=Unread("timed out")).trouble == ""


def test_a_link_to_a_missing_gateway_does_not_work(solo: Healthy) -> None:
    found = state(solo, LINK, gateway=None)
    assert found.trouble.startswith("stale: gateway/a/istio-eastwest")
    assert found.word == "differs"
