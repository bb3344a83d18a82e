"""A cluster's intermediate certificate, signed by a real root and kept in an API server in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mesh.errors import KubeError, RefusedError, StalePlanError
from mesh.model import Key, Live, Unread, UnreadSecret
from mesh.model.spec import GenerateCA, Intermediate
from mesh.providers.cert.intermediate import Cacerts
from mesh.providers.cert.root import Root
from mesh.providers.cert.specs import ROOT, IntermediateSpec, RootSpec, cacerts_place, root_place
from mesh.sdk.contract import Last
from mesh.sdk.recorded_snapshot import RecordedSnapshot
from mesh.world import Object, World
from mesh.world.clock import SystemClock
from mesh.world.kube.errors import Conflict, Forbidden
from tests.providers.worlds import look_live
from tests.support.check_server import CALL, Server

KIND, ROOT_KIND = Cacerts(), Root()
KEY = Key("cert", "a", "cacerts")
PLACE = cacerts_place("istio-system")
DAY = timedelta(days=1)
ISTIOD: Object = {
    "metadata": {"name": "istiod", "namespace": "istio-system", "labels": {"app": "istiod"}},
    "spec": {"template": {"spec": {"containers": [{}]}}},
}


@dataclass
class Cluster(Server):
    """An API server that keeps the Secret `cacerts`, and what was asked of it."""

    writes: list[str] = field(default_factory=list)

    @property
    def cacerts(self) -> Object:
        return self.objects["secrets"][0]

    def get(self, _resource: object, _namespace: str, _name: str) -> Object | None:
        return next(iter(self.objects.get("secrets", [])), None)

    def create(self, obj: Object, *, manager: str) -> None:
        self._keep("create", {**obj, "metadata": {**obj["metadata"], "uid": "uid"}}, manager)

    def replace(self, obj: Object, *, manager: str) -> None:
        self._keep("replace", obj, manager)

    def delete(self, _resource: object, namespace: str, name: str, *, uid: str) -> None:
        self.writes.append(f"delete {namespace}/{name} {uid}")

    def _keep(self, verb: str, obj: Object, manager: str) -> None:
        self.objects["secrets"] = [obj]
        self.writes.append(f"{verb} as {manager}")


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def world(cluster: Cluster, tmp_path: Path) -> World:
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    kubes: dict[str, Any] = {"a": cluster}
    return World(kubes, {}, SystemClock(), env, tmp_path)


@pytest.fixture
def spec(world: World) -> IntermediateSpec:
    ROOT_KIND.create(RootSpec("demo", GenerateCA(), "ecdsa-p256", 3650 * DAY), ROOT, world)
    root = look_live(ROOT_KIND, ROOT, root_place("demo", GenerateCA()), world)
    issuer = root.outputs["issuer"]
    return IntermediateSpec("demo", "a", "istio-system", Intermediate(), GenerateCA(), issuer)


def test_what_is_created_is_in_sync_ready_and_not_created_twice(
    spec: IntermediateSpec, cluster: Cluster, world: World
) -> None:
    KIND.create(spec, KEY, world)
    KIND.create(spec, KEY, world)
    assert cluster.writes == ["create as mesh/cert"]
    live = look_live(KIND, KEY, PLACE, world)
    assert (live.owner, live.attrs) == ("demo", KIND.wanted(spec, live, None))
    assert KIND.ready(spec, live)
    assert KIND.due(spec, live, world.clock.now()) == ""


def test_another_certificate_than_was_planned_for_is_never_replaced(
    spec: IntermediateSpec, cluster: Cluster, world: World
) -> None:
    KIND.create(spec, KEY, world)
    other = replace(spec, issuer={**spec.issuer, "fingerprint": "sha256:other"})  # type: ignore[dict-item]
    with pytest.raises(RefusedError, match="cert/a/cacerts already exists: cacerts in cluster a was issued"):
        KIND.create(other, KEY, world)
    live = look_live(KIND, KEY, PLACE, world)
    with pytest.raises(StalePlanError):
        KIND.update(spec, KEY, replace(live, uid="another"), None, world)
    assert cluster.writes == ["create as mesh/cert"]


def test_a_new_profile_signs_again_and_keeps_what_others_put_into_the_secret(
    spec: IntermediateSpec, cluster: Cluster, world: World
) -> None:
    KIND.create(spec, KEY, world)
    before = dict(cluster.cacerts["data"])
    cluster.cacerts["data"]["more"] = "eA=="
    cluster.cacerts["metadata"]["labels"]["team"] = "x"
    short = replace(spec, profile=Intermediate(validity=30 * DAY))
    KIND.update(short, KEY, look_live(KIND, KEY, PLACE, world), None, world)
    after = cluster.cacerts
    assert cluster.writes[1:] == ["replace as mesh/cert"]
    assert (after["data"]["more"], after["metadata"]["labels"]["team"]) == ("eA==", "x")
    assert after["data"]["ca-key.pem"] != before["ca-key.pem"]
    assert look_live(KIND, KEY, PLACE, world).attrs["validity"] == "30d"


def test_a_write_of_another_program_in_between_is_kept_and_the_update_made_again(
    spec: IntermediateSpec, cluster: Cluster, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    KIND.create(spec, KEY, world)
    live = look_live(KIND, KEY, PLACE, world)
    write = cluster.replace

    def labelled_first(obj: Object, *, manager: str) -> None:
        if "team" not in cluster.cacerts["metadata"]["labels"]:
            labels = {**cluster.cacerts["metadata"]["labels"], "team": "x"}
            metadata = {**cluster.cacerts["metadata"], "labels": labels}
            cluster.objects["secrets"] = [{**cluster.cacerts, "metadata": metadata}]
            raise Conflict(CALL, "the object has been modified")
        write(obj, manager=manager)

    monkeypatch.setattr(cluster, "replace", labelled_first)
    KIND.update(replace(spec, profile=Intermediate(validity=30 * DAY)), KEY, live, None, world)
    assert cluster.writes[1:] == ["replace as mesh/cert"]
    assert cluster.cacerts["metadata"]["labels"]["team"] == "x"
    assert look_live(KIND, KEY, PLACE, world).attrs["validity"] == "30d"


def test_an_update_that_a_run_before_has_carried_out_is_not_repeated(
    spec: IntermediateSpec, cluster: Cluster, world: World
) -> None:
    KIND.create(spec, KEY, world)
    live = look_live(KIND, KEY, PLACE, world)
    KIND.update(spec, KEY, replace(live, token="planned"), None, world)
    assert cluster.writes == ["create as mesh/cert"]


@pytest.mark.parametrize(
    ("address", "created", "istiods", "left"),
    [
        (str(KEY), False, [], ""),
        ("", True, [], ""),
        ("", False, [], "cacerts in cluster a was not created by mesh and stays"),
        (str(KEY), True, [ISTIOD], "cacerts stays: the istiod of cluster a still uses it"),
    ],
)
def test_only_a_secret_of_mesh_that_no_istiod_uses_is_deleted(
    *, address: str, created: bool, istiods: list[Object], left: str, cluster: Cluster, world: World
) -> None:
    cluster.objects["deployments"] = istiods
    live = Live({}, "", uid="uid", status={"address": address})
    last = Last(PLACE, created=created, uid="uid")
    assert "".join(KIND.delete(KEY, PLACE, live, last, world)) == left
    assert cluster.writes == ([] if left else ["delete istio-system/cacerts uid"])


def test_without_the_right_to_read_secrets_the_state_answers(world: World, cluster: Cluster) -> None:
    cluster.fails = {"secrets": Forbidden(CALL, "no")}
    last = Last(PLACE, uid="uid", outputs={"root": "sha256:r"})
    found = KIND.observe({KEY: PLACE}, RecordedSnapshot("a", world, last={KEY: last}))[KEY]
    assert isinstance(found, UnreadSecret)
    assert (found.seen.attrs["issuer"], found.strange) == ("sha256:r", {})


def test_an_error_while_looking_for_the_signer_leaves_the_certificate_unread(
    world: World, cluster: Cluster
) -> None:
    cluster.fails = {"deployments": KubeError("timed out")}
    assert KIND.observe({KEY: PLACE}, RecordedSnapshot("a", world)) == {KEY: Unread("timed out")}


@pytest.mark.parametrize(
    ("cluster_name", "address", "is_owned"),
    [("a", str(KEY), True), ("a", "secret/a/cacerts", False), ("-", str(KEY), False)],
)
def test_only_a_secret_with_an_address_of_this_kind_is_owned(
    *, cluster_name: str, address: str, is_owned: bool, world: World, cluster: Cluster
) -> None:
    meta = {"name": "cacerts", "namespace": "x", "annotations": {"meshform.io/address": address}}
    cluster.objects["secrets"] = [{"metadata": meta}]
    found = KIND.owned("demo", RecordedSnapshot(cluster_name, world))
    assert found == ({KEY: cacerts_place("x")} if is_owned else {})
