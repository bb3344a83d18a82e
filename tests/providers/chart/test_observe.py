"""Releases as they are read: by name, by chart, and without the right to list Secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mesh.errors import KubeError
from mesh.model import Found, Key, Live, Place, Sensitive, Unread, UnreadSecret
from mesh.providers.chart.locator import any_release
from mesh.providers.chart.observe import read, view_of
from mesh.sdk.contract import Last
from mesh.sdk.managed_fields import MESH_LABEL
from mesh.sdk.recorded_snapshot import RecordedSnapshot
from mesh.world import World
from mesh.world.clock import SystemClock
from mesh.world.kube.errors import Forbidden
from tests.providers.chart.releases import NAMESPACE, chart, secret
from tests.support.check_server import CALL, Server

KEY = Key("chart", "a", "istiod")
NAMED = Place(NAMESPACE, "istiod")
FORBIDDEN = Forbidden(CALL, "no")


def observed(place: Place, server: Any, last: Last | None = None) -> Found:
    world = World({"a": server}, {}, SystemClock(), {}, Path())
    snapshot = RecordedSnapshot("a", world, last={KEY: last} if last else {})
    return read({KEY: place}, snapshot)[KEY]


def found(place: Place, *secrets: dict[str, Any]) -> Live:
    live = observed(place, Server({"secrets": list(secrets)}))
    assert isinstance(live, Live)
    return live


class OneNamespace(Server):
    """An API server that lists Secrets only by namespace."""

    def list(self, resource: Any, *, namespace: str = "", **query: Any) -> list[dict[str, Any]]:
        if resource.plural == "secrets" and not namespace:
            raise FORBIDDEN
        return super().list(resource, namespace=namespace, **query)


def test_a_failed_upgrade_shows_its_status_and_the_values_that_still_run() -> None:
    live = found(
        NAMED,
        secret(config={"replicas": 1, "token": "hunter2"}),
        secret(chart(version="1.30.0"), revision=2, status="failed", config={"replicas": 2}),
    )
    values = {"replicas": 1, "token": Sensitive("hunter2")}
    assert live.attrs == {"chart": "istiod", "version": "1.29.1", "status": "failed", "values": values}
    assert live.outputs == {"revision": 2, "appVersion": ""}
    assert "hunter2" not in repr(live.attrs)


def test_a_release_with_the_label_of_a_mesh_is_owned_by_it() -> None:
    assert found(NAMED, secret()).owner == f"helm release {NAMESPACE}/istiod"
    assert found(NAMED, secret(**{MESH_LABEL: "demo"})).owner == "demo"


def test_a_deleted_object_of_a_release_is_one_of_its_attrs() -> None:
    manifest = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: istiod\n"
    seen = found(NAMED, secret(manifest=manifest))
    assert seen.attrs["objects"] == {"Deployment istiod": {"exists": False}}


def test_a_release_of_another_name_is_found_only_by_its_chart() -> None:
    own = secret(release="my-istiod", namespace="elsewhere")
    assert observed(NAMED, Server({"secrets": [own]})) is None
    assert found(any_release("istiod", NAMESPACE), own).place == Place("elsewhere", "my-istiod")


def test_several_releases_of_a_chart_are_listed() -> None:
    live = found(any_release("istiod", NAMESPACE), secret(), secret(release="second"))
    assert (live.place, live.status["others"]) == (NAMED, [f"{NAMESPACE}/second"])


def test_who_may_not_list_the_cluster_finds_the_release_in_the_expected_namespace() -> None:
    server = OneNamespace({"secrets": [secret(), secret(namespace="elsewhere")]})
    live = observed(any_release("istiod", NAMESPACE), server)
    assert isinstance(live, Live)
    assert (live.place, live.status["others"]) == (NAMED, [])


@pytest.mark.parametrize("place", [NAMED, any_release("istiod", NAMESPACE)])
def test_a_release_that_may_not_be_read_is_known_by_the_state(place: Place) -> None:
    server = Server(fails={"secrets": FORBIDDEN})
    nothing = observed(place, server)
    assert isinstance(nothing, Unread)
    assert nothing.why.endswith("and nothing is recorded of it")
    seen = observed(place, server, Last(NAMED, uid="uid"))
    assert isinstance(seen, UnreadSecret)
    assert seen.seen.uid == "uid"


@pytest.mark.parametrize("place", [NAMED, any_release("istiod", NAMESPACE)])
def test_a_cluster_that_does_not_answer_leaves_its_releases_unread(place: Place) -> None:
    failed = observed(place, Server(fails={"secrets": KubeError("timed out")}), Last(NAMED))
    assert failed == Unread("timed out")


def test_only_a_live_release_has_a_view() -> None:
    assert view_of(None) is None
    assert view_of(Unread("why")) is None
    view = view_of(found(NAMED, secret()))
    assert view is not None
    assert view.newest.name == "istiod"


@pytest.mark.parametrize("name", ["/usr/lib/sitecustomize", "../evil", "", "a b"])
def test_a_release_whose_record_names_a_path_as_its_chart_is_not_read(name: str) -> None:
    good, bad = secret(), secret(chart(name), release="evil")
    server = Server({"secrets": [good, bad]})
    world = World({"a": server}, {}, SystemClock(), {}, Path())
    evil = Key("chart", "a", "evil")
    places = {KEY: NAMED, evil: Place(NAMESPACE, "evil")}
    seen = read(places, RecordedSnapshot("a", world, last={}))
    assert isinstance(seen[KEY], Live), "the other releases are read all the same"
    refused = seen[evil]
    assert isinstance(refused, Unread)
    assert "is not the name of a chart: helm did not write it" in refused.why
