"""The remote secret: its name, its place, and how it is sent."""

from __future__ import annotations

from mesh.model import SENSITIVE, Key, Live, Place
from mesh.providers.remote.secret import RemoteSpec, body, place
from mesh.sdk.kube_secret import mesh_of

KEY = Key("remote", "a", "b")
READER = Place("istio-system", "reader")
SPEC = RemoteSpec("demo", KEY, "istio-system", "cluster-b", READER, "https://b", "c4", "t0ken", "sha256:r")


def test_the_secret_has_the_name_that_istioctl_gives_it() -> None:
    assert SPEC.name == "istio-remote-secret-cluster-b"
    where = place("demo", "istio-system", "cluster-b")
    assert (where.namespace, where.name, mesh_of(where)) == ("istio-system", SPEC.name, "demo")


def test_istiod_finds_it_by_its_label_and_mesh_by_its_own() -> None:
    meta = body(SPEC, KEY, None, SENSITIVE)["metadata"]
    assert meta["labels"] == {"istio/multiCluster": "true", "meshform.io/mesh": "demo"}
    assert meta["annotations"] == {
        "meshform.io/address": "remote/a/b",
        "networking.istio.io/cluster": "cluster-b",
    }


def test_the_data_is_under_the_name_that_istio_has_for_the_cluster() -> None:
    assert body(SPEC, KEY, None, "eA==")["data"] == {"cluster-b": "eA=="}


def test_a_secret_that_was_read_is_written_only_if_it_is_still_the_same() -> None:
    assert "uid" not in body(SPEC, KEY, None, "")["metadata"]
    assert body(SPEC, KEY, Live({}, "", uid="u"), "")["metadata"]["uid"] == "u"
