"""One value for each field that a mesh has once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.queries.discover.agreed import agree, distinct, network_of, own_gateway
from mesh.queries.discover.found import DiscoveredCluster
from tests.support.discovered import cluster, gateway, peer

A, B = cluster("a"), cluster("b")


def test_the_newest_version_is_that_of_the_mesh() -> None:
    assert agree([A, cluster("b", "1.30.2-solo")]).version == "1.30.2-solo"
    assert agree([cluster("a", "not-a-version")]).version == "1.30.2-solo"


def test_a_version_without_solo_is_upstream() -> None:
    assert agree([cluster("a", "1.29.1")]).upstream
    assert not agree([A]).upstream


def test_a_tag_that_is_the_version_is_not_written() -> None:
    assert (agree([A, B]).hub, agree([A, B]).tag) == ("hub", "")


def test_a_licence_is_named_only_if_all_clusters_read_the_same() -> None:
    assert agree([A, B]).licence == A.licence
    assert agree([A, replace(B, licence=None)]).licence is None


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        (B, True),
        (replace(B, roots=("r", "s")), True),
        (replace(B, roots=("s",)), False),
        (replace(B, roots=()), False),
        (replace(B, signer="self-signed by its istiod"), False),
    ],
)
def test_a_root_exists_if_all_clusters_chain_to_it(other: DiscoveredCluster, shared: bool) -> None:
    assert agree([A, other]).existing is shared


def test_an_older_gateway_api_is_kept_and_the_default_is_not_written() -> None:
    assert agree([replace(A, gateway_api="v99.0.0")]).gateway_api == ""
    assert agree([replace(A, gateway_api="")]).gateway_api == ""


def test_links_are_written_only_if_some_are_missing() -> None:
    one_way = [replace(A, peers=(peer("b"),)), B]
    assert agree(one_way).links == (("a", "b"),)
    assert agree([replace(A, peers=(peer("b"),)), replace(B, peers=(peer("a"),))]).links is None
    assert agree([A, B]).links is None
    assert agree([replace(A, peers=(peer("elsewhere"),)), B]).links is None


def test_a_namespace_of_gateways_is_written_if_it_is_not_the_default() -> None:
    assert agree([A, B]).eastwest == ""
    assert agree([replace(A, eastwest=(gateway("a", namespace="edge"),))]).eastwest == "edge"


def test_a_cluster_without_a_network_gets_its_name() -> None:
    assert network_of(replace(A, network="")) == "a"


def test_a_gateway_is_taken_only_if_it_is_the_only_one() -> None:
    assert own_gateway(A) == A.eastwest[0]
    assert own_gateway(replace(A, eastwest=(gateway("a"), gateway("a", name="b")))) is None


def test_a_name_that_is_taken_gives_way_to_the_clusters_own() -> None:
    twins = [replace(A, cluster_name="x", network="n"), replace(B, cluster_name="x", network="n")]
    assert [(name, network) for _, name, network in distinct(twins)] == [("x", "n"), ("b", "b")]
