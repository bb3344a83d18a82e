"""The file that `mesh import` writes."""

from __future__ import annotations

from dataclasses import replace

from mesh.config.decode import decode
from mesh.config.source.load import parse
from mesh.model.spec import Mesh
from mesh.queries.discover.agreed import agree
from mesh.queries.discover.found import DiscoveredCluster, SkippedCluster
from mesh.queries.discover.mesh_file import mesh_file_text
from tests.support.discovered import cluster, peer

A, B = cluster("a"), cluster("b")


def text_of(*clusters: DiscoveredCluster, missed: tuple[SkippedCluster, ...] = ()) -> str:
    return mesh_file_text("demo", clusters, missed, agree(clusters), schema="schema.json")


def read(text: str) -> Mesh:
    return decode(parse(text.encode(), "mesh.yaml"))


def test_the_file_is_a_mesh_of_the_clusters_that_were_found() -> None:
    found = read(text_of(A, B))
    assert found.name == "demo"
    assert [(each.name, each.context, each.network) for each in found.clusters] == [
        ("a", "a-admin", "a"),
        ("b", "b-admin", "b"),
    ]
    assert found.licence.secret == A.licence
    assert found.version == "1.29.1-solo"
    assert all(each.adopt for each in found.clusters)


def test_links_that_do_not_join_all_clusters_are_written() -> None:
    found = read(text_of(replace(A, peers=(peer("b"),)), B))
    assert [(each.source, each.target) for each in found.links] == [("a", "b")]


def test_a_cluster_that_was_left_out_is_a_comment() -> None:
    text = text_of(A, B, missed=(SkippedCluster("c", "c-admin", "it does not answer"),))
    assert "# c (context c-admin) is left out: it does not answer\n" in text
    assert [each.name for each in read(text).clusters] == ["a", "b"]


def test_what_could_not_be_decided_is_a_comment() -> None:
    text = text_of(A, replace(B, roots=()))
    assert "# Could not be decided:\n" in text
    assert "generate: {}" in text


def test_upstream_needs_no_licence() -> None:
    text = text_of(cluster("a", "1.29.1", licence=None))
    assert "distribution: upstream" in text
    assert "license:" not in text
