"""The readers and remote secrets of an upstream mesh."""

from __future__ import annotations

from dataclasses import replace

from mesh.model import Key
from mesh.model.refs import Ref
from mesh.model.spec import Link
from mesh.planner.expand_upstream import is_upstream, reader, remote
from tests.support.meshes import mesh_of

MESH = mesh_of("upstream", apiServer="https://a.example:6443")
BASE = frozenset({Key("chart", "b", "base")})


def test_only_the_community_build_is_linked_by_remote_secrets() -> None:
    assert is_upstream(MESH)
    assert not is_upstream(mesh_of("solo"))
    assert not is_upstream(mesh_of("automatic"))


def test_a_reader_is_in_the_namespace_of_istiod_and_needs_its_charts() -> None:
    cluster = replace(MESH.clusters[1], namespace="mesh-system")
    found = reader(MESH, cluster, BASE)
    assert (found.key.cluster, found.place.namespace, found.needs) == ("b", "mesh-system", BASE)
    assert (found.spec.namespace, found.spec.address) == ("mesh-system", found.key)


def test_a_remote_secret_is_in_the_source_and_holds_the_token_of_the_target() -> None:
    found = remote(MESH, Link("b", "c"), BASE)
    known = reader(MESH, MESH.clusters[2], frozenset()).key
    assert (found.key.cluster, found.key.name) == ("b", "c")
    assert found.needs == BASE | {known}
    assert (found.spec.token, found.spec.server) == (Ref(known, "token"), Ref(known, "server"))
    assert found.spec.cluster == "c"


def test_a_server_that_the_file_names_is_used_instead_of_that_of_the_context() -> None:
    assert remote(MESH, Link("b", "a"), BASE).spec.server == "https://a.example:6443"
