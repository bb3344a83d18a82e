"""Kind `registration`: whether the management plane has accepted a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mesh.errors import KubeError
from mesh.model import Key, Live, Place, Resource, Unread
from mesh.providers.registration import RegistrationProvider, RegistrationSpec
from mesh.sdk.contract import Last
from tests.providers.worlds import world_without_clusters
from tests.support.check_server import Server, snapshot
from tests.support.meshes import mesh_of

KIND = RegistrationProvider()
KEY = Key("registration", "a", "b")
PLACE = Place("gloo-mesh", "cluster-b")
SPEC = RegistrationSpec("b", "cluster-b", "meshctl cluster register cluster-b")


def server(**status: Any) -> Server:
    meta = {"name": "cluster-b", "namespace": "gloo-mesh", "uid": "uid"}
    return Server({"kubernetesclusters": [{"metadata": meta, **status}]})


def common(state: Any) -> dict[str, Any]:
    return {"status": {"common": {"State": state}}}


@pytest.mark.parametrize(
    ("status", "approval"),
    [
        (common({"approval": "ACCEPTED"}), "ACCEPTED"),
        (common({"approval": "PENDING"}), "PENDING"),
        (common(None), ""),
        ({"status": {"common": None}}, ""),
        ({}, ""),
    ],
)
def test_a_cluster_is_accepted_by_the_approval_in_its_status_only(
    status: dict[str, Any], approval: str
) -> None:
    live = KIND.observe({KEY: PLACE}, snapshot(server(**status)))[KEY]
    assert isinstance(live, Live)
    assert live.status["approval"] == approval
    ready = KIND.ready(SPEC, live)
    assert bool(ready) is (approval == "ACCEPTED")
    assert KIND.refuse(SPEC, live, None) == ready.why
    assert (
        ready or f"KubernetesCluster cluster-b has approval {approval or '(none)'}, not ACCEPTED" in ready.why
    )


def test_a_cluster_that_is_not_registered_is_refused_with_the_command_that_does_it() -> None:
    elsewhere = {KEY: Place("another", "cluster-b")}
    assert KIND.observe(elsewhere, snapshot(server())) == {KEY: None}
    assert KIND.refuse(SPEC, None, None) == (
        "cluster b is not registered with the management plane as cluster-b: "
        "meshctl cluster register cluster-b"
    )


def test_what_could_not_be_read_is_not_refused() -> None:
    failing = Server(fails={"kubernetesclusters": KubeError("timed out")})
    found = KIND.observe({KEY: PLACE}, snapshot(failing))[KEY]
    assert found == Unread("timed out")
    assert KIND.refuse(SPEC, found, None) == ""


def test_a_person_runs_the_command_so_the_script_has_it_as_a_comment_only() -> None:
    made = KIND.commands(Resource(KEY, PLACE, SPEC), mesh_of("automatic"))
    assert made.create == "# only verified: mesh does not create it; meshctl cluster register cluster-b\n"


def test_it_is_read_with_two_rights_and_never_deleted(tmp_path: Path) -> None:
    assert {each.verb for each in KIND.reads(KEY, PLACE)} == {"get", "list"}
    world = world_without_clusters(tmp_path)
    assert KIND.delete(KEY, PLACE, Live({}, ""), Last(PLACE), world) == ("another program keeps it",)
