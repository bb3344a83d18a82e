"""One function for each address of a mesh, and no resource that has another address than these say."""

from __future__ import annotations

import pytest

from mesh.engine.registry import all_kinds
from mesh.istio import addresses
from mesh.model import Key
from mesh.planner.expand import expand
from tests.support.meshes import MESHES, mesh_of

MADE = {
    addresses.crds_key("a"): "crds/a/gateway-api",
    addresses.namespace_key("a", "istio-system"): "namespace/a/istio-system",
    addresses.root_key(): "cert/-/root",
    addresses.cacerts_key("a"): "cert/a/cacerts",
    addresses.licence_key("a", "solo-istio-license"): "secret/a/solo-istio-license",
    addresses.chart_key("a", "istiod"): "chart/a/istiod",
    addresses.label_key("a", "istio-system"): "label/a/istio-system",
    addresses.gateway_key("a", "istio-eastwest"): "gateway/a/istio-eastwest",
    addresses.link_key("a", "b"): "link/a/b",
    addresses.peer_key("a", "b"): "peer/a/b",
    addresses.remote_key("a", "b"): "remote/a/b",
    addresses.reader_key("a"): "reader/a/istio-reader",
    addresses.registration_key("a", "b"): "registration/a/b",
}


def test_an_address_is_kind_cluster_and_name() -> None:
    assert {str(key): text for key, text in MADE.items()} == {text: text for text in MADE.values()}


def test_every_kind_has_a_function_for_its_address() -> None:
    assert {key.kind for key in MADE} == all_kinds().keys()


@pytest.mark.parametrize("name", MESHES)
def test_every_resource_of_a_mesh_has_an_address_of_a_registered_kind(name: str) -> None:
    assert {key.kind for key in expand(mesh_of(name))} <= all_kinds().keys()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("solo", "link/a/b"), ("upstream", "remote/a/b"), ("automatic", "peer/a/b")],
)
def test_two_clusters_are_connected_by_what_their_distribution_uses(name: str, expected: str) -> None:
    mesh = mesh_of(name)
    key = addresses.connection_key(mesh, "a", "b")
    assert str(key) == expected
    assert key in expand(mesh)


def test_only_istio_is_made_of_components() -> None:
    assert addresses.is_component(addresses.chart_key("a", "cni"))
    assert not addresses.is_component(addresses.chart_key("a", "gloo-platform"))
    assert not addresses.is_component(Key("label", "a", "cni"))


@pytest.mark.parametrize(
    ("component", "expected"),
    [("istiod", True), ("gloo-platform", True), ("gloo-platform-crds", False), ("ztunnel", False)],
)
def test_automatic_linking_starts_with_istiod_or_the_management_plane(component: str, expected: bool) -> None:
    assert addresses.starts_automatic_links(addresses.chart_key("a", component)) is expected


def test_the_root_of_trust_is_not_an_intermediate() -> None:
    assert not addresses.is_intermediate(addresses.root_key())
    assert addresses.is_intermediate(addresses.cacerts_key("a"))
