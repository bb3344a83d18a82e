"""The resources of a mesh that a management plane links."""

from __future__ import annotations

from mesh.model import Key
from mesh.model.refs import Ref
from mesh.planner.expand_automatic import automatic_links
from tests.support.meshes import mesh_of

MESH = mesh_of("automatic")
assert MESH.automatic
FOUND = {str(each.key): each for each in automatic_links(MESH, MESH.automatic)}


def needs(address: str) -> set[str]:
    return set(map(str, FOUND[address].needs))


def test_every_pair_has_a_peer_and_every_cluster_a_registration() -> None:
    kinds = [address.split("/")[0] for address in FOUND]
    assert (kinds.count("peer"), kinds.count("registration"), kinds.count("chart")) == (9, 3, 4)
    assert {address for address in FOUND if address.startswith("registration/")} == {
        f"registration/a/{name}" for name in "abc"
    }


def test_the_management_cluster_is_installed_before_the_others() -> None:
    assert needs("chart/a/gloo-platform-crds") == set()
    assert needs("chart/a/gloo-platform") == {"chart/a/gloo-platform-crds"}
    assert needs("chart/b/gloo-platform-crds") == {"chart/a/gloo-platform-crds", "chart/a/gloo-platform"}


def test_a_peer_needs_both_ends_and_the_management_plane() -> None:
    ends = {
        f"{kind}/{name}/{each}"
        for name in "bc"
        for kind, each in (
            ("chart", "gloo-platform-crds"),
            ("chart", "istiod"),
            ("gateway", "istio-eastwest"),
        )
    }
    assert needs("peer/b/c") == ends | {
        "chart/a/gloo-platform",
        "registration/a/b",
        "registration/a/c",
    }
    assert FOUND["peer/b/c"].spec.endpoint == Ref(Key("gateway", "c", "istio-eastwest"), "endpoint")


def test_a_missing_release_is_not_created_but_its_command_is_given() -> None:
    release = FOUND["chart/b/gloo-platform-crds"]
    assert release.adopt
    assert release.spec.missing.startswith("cluster b has no release of the chart gloo-platform-crds")
    assert "--kube-context b" in release.spec.missing
