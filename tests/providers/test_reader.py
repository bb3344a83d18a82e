"""Kind `reader`: the token by which the istiods of other clusters read this one."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mesh.errors import KubeError
from mesh.model import Key, Live, Resource
from mesh.providers.reader import ACCOUNT, GOOD, ROLE_NAME, TYPE, ReaderProvider, ReaderSpec, body
from mesh.sdk.contract import Last
from mesh.sdk.kube_secret import place
from mesh.sdk.recorded_snapshot import RecordedSnapshot
from mesh.sdk.remote_access import salted
from mesh.world import Object, World
from mesh.world.clock import SystemClock
from mesh.world.kube.errors import Missing, Unauthorized
from mesh.world.resources import ResourceType
from tests.providers.worlds import look_live
from tests.support.check_server import CALL, Server
from tests.support.meshes import mesh_of

KIND = ReaderProvider()
KEY = Key("reader", "a", "istio-reader")
SPEC = ReaderSpec("demo", KEY, "istio-system", "reader-token", "istio-reader")
PLACE = place("demo", "istio-system", "reader-token")
ROLE = ROLE_NAME.format(namespace="istio-system")
DATA = {"token": base64.b64encode(b"t0ken").decode(), "ca.crt": base64.b64encode(b"pem").decode()}


@dataclass
class Cluster(Server):
    """An API server that judges a token, and keeps what was written to it."""

    cluster: str = "a"
    server: str = "https://a"
    judgement: Any = field(default_factory=lambda: {"status": {"allowed": True}})
    role: Object | None = None
    missing: bool = False
    writes: list[tuple[str, Any]] = field(default_factory=list)

    def bearing(self, token: str, _ca: bytes) -> Cluster:
        assert token == "t0ken"
        return self

    def create(self, _obj: Object, *, manager: str) -> Object:
        assert manager
        if isinstance(self.judgement, Exception):
            raise self.judgement
        answer: Object = self.judgement
        return answer

    def get(self, resource: ResourceType, _namespace: str, name: str) -> Object | None:
        assert (resource.plural, name) == ("clusterroles", ROLE)
        return self.role

    def apply(self, obj: Object, *, manager: str, force: bool = False, **_how: Any) -> Object:
        assert manager == "mesh/reader"
        if self.missing:
            raise Missing(CALL, "no such role")
        self.writes.append((f"{obj['kind']} by force" if force else obj["kind"], obj))
        return obj

    def delete(self, _resource: object, _namespace: str, name: str, *, uid: str) -> None:
        self.writes.append(("delete", (name, uid)))


def world(cluster: Any) -> World:
    return World({"a": cluster}, {}, SystemClock(), {}, Path())


def observed(data: dict[str, str] | None = None, judgement: Any = None, **meta: Any) -> Live:
    cluster = Cluster()
    if judgement is not None:
        cluster.judgement = judgement
    obj = body(SPEC, KEY, None)
    obj = {**obj, "metadata": {**obj["metadata"], "uid": "uid", **meta}, "data": data or {}}
    cluster.objects = {"secrets": [obj]}
    return look_live(KIND, KEY, PLACE, world(cluster))


def live(**changes: Any) -> Live:
    outputs = {"ca": "c", "token": "t", "roots": "sha256:r"}
    return Live({}, "", **{"uid": "uid", "outputs": outputs, **changes})


def test_a_good_token_is_as_desired_and_only_its_digests_are_kept() -> None:
    found = observed(DATA)
    assert found.attrs == KIND.wanted(SPEC, found, None)
    assert found.outputs == {
        "server": "https://a",
        "roots": "",
        "ca": salted("demo", KEY, b"pem"),
        "token": salted("demo", KEY, "t0ken"),
    }
    assert (found.owner, found.status) == ("demo", {})


@pytest.mark.parametrize(
    ("judgement", "differs"),
    [
        (Unauthorized(CALL, "no"), {"token": "refused"}),
        ({"status": {"allowed": False}}, {"rights": "denied"}),
        (KubeError("timed out"), {}),
    ],
)
def test_a_token_that_does_not_work_differs_from_the_desired_one(
    judgement: Any, differs: dict[str, str]
) -> None:
    found = observed(DATA, judgement)
    assert found.attrs["access"] == {**GOOD, **differs}
    assert not KIND.ready(SPEC, found)


def test_the_account_that_the_token_is_of_is_compared() -> None:
    found = observed(DATA, annotations={ACCOUNT: "another", "x": "y"})
    assert found.attrs["metadata"] == {"annotations": {ACCOUNT: "another"}}
    assert observed(DATA, annotations={}).attrs["metadata"] == {"annotations": {}}


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (live(), ""),
        (
            live(outputs={"roots": "x"}),
            "Kubernetes has not added its token: does service account istio-reader",
        ),
        (live(status={"refused": "no longer accepted"}), "no longer accepted"),
        (live(outputs={"ca": "c", "token": "t", "roots": ""}), "its istiod has not published its root yet"),
    ],
)
def test_it_is_ready_with_a_token_that_works_and_a_published_root(found: Live, why: str) -> None:
    ready = KIND.ready(SPEC, found)
    assert bool(ready) is not bool(why)
    assert ready.why.startswith(why)


def test_a_refused_token_is_deleted_and_created_again() -> None:
    cluster = Cluster()
    KIND.update(SPEC, KEY, live(status={"refused": "x"}), None, world(cluster))
    (delete, which), (apply, sent) = cluster.writes
    assert (delete, which, apply) == ("delete", ("reader-token", "uid"), "Secret by force")
    assert "uid" not in sent["metadata"]


def test_lost_rights_are_bound_again_as_a_part_of_the_release_of_the_role() -> None:
    annotations = {"meta.helm.sh/release-name": "base", "other": "x"}
    role = {"metadata": {"name": ROLE, "labels": {"app": "istio-reader"}, "annotations": annotations}}
    cluster = Cluster(role=role)
    KIND.update(SPEC, KEY, live(status={"denied": "x"}), None, world(cluster))
    (kind, binding), (_, secret) = cluster.writes
    assert kind == "ClusterRoleBinding"
    assert binding["metadata"] == {
        "name": ROLE,
        "labels": {"app": "istio-reader"},
        "annotations": {"meta.helm.sh/release-name": "base"},
    }
    assert binding["roleRef"]["name"] == ROLE
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "istio-reader", "namespace": "istio-system"}
    ]
    assert secret["metadata"]["uid"] == "uid"


@pytest.mark.parametrize(
    ("cluster", "why"),
    [
        (Cluster(), f"reader/a/istio-reader: ClusterRole {ROLE}, which lets istio-reader read, is missing"),
        (Cluster(role={"metadata": {}}, missing=True), "reader/a/istio-reader: "),
    ],
    ids=["no role", "deleted meanwhile"],
)
def test_without_its_role_the_rights_cannot_be_bound(cluster: Cluster, why: str) -> None:
    with pytest.raises(KubeError) as caught:
        KIND.update(SPEC, KEY, live(status={"denied": "x"}), None, world(cluster))
    assert caught.value.message.startswith(why)
    assert type(caught.value) is KubeError
    assert cluster.writes == []


def test_a_working_token_is_applied_without_any_other_write() -> None:
    cluster = Cluster()
    KIND.update(SPEC, KEY, live(), None, world(cluster))
    assert [kind for kind, _ in cluster.writes] == ["Secret by force"]


def test_without_the_right_to_read_it_the_state_answers_with_the_address_of_now() -> None:
    last = Last(PLACE, uid="uid", outputs={"token": "t", "server": "https://before", "roots": "old"})
    seen, strange = KIND.visible(KEY, last, RecordedSnapshot("a", world(Cluster())))
    assert (seen.outputs, strange) == ({"token": "t", "server": "https://a", "roots": ""}, {})


def test_the_commands_create_it_without_marks_of_mesh_and_wait_for_both_values() -> None:
    made = KIND.commands(Resource(KEY, PLACE, SPEC), mesh_of("upstream")).create
    wait = "kubectl --context=a --namespace=istio-system wait secret/reader-token"
    assert f"type: {TYPE}\n" in made
    assert "meshform.io" not in made
    assert [line.split(" ")[-2] for line in made.splitlines() if line.startswith(wait)] == [
        "'--for=jsonpath={.data.token}'",
        "'--for=jsonpath={.data.ca\\.crt}'",
    ]
