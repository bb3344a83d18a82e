"""The first round of reads: what is kept of Secrets, and what a failed read leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from mesh.model import Unread
from mesh.queries.checks.facts import ClusterFacts
from mesh.queries.checks.read.first import read_facts
from mesh.world.kube.errors import Forbidden, Unauthorized
from tests.support.check_facts import EDGE, MESH, SYSTEM, in_base64, node, obj, root_pem, space
from tests.support.check_server import CALL, Server, snapshot

KUBE_SYSTEM = space("kube-system")
KUBE_SYSTEM["metadata"]["uid"] = "uid-1"
APIS = {"groups": [{"versions": [{"groupVersion": "apps/v1"}]}]}
PATHS: dict[str, dict[str, Any]] = {"/version": {"gitVersion": "v1.33.1"}, "/apis": APIS}
CLUSTERS = MESH.clusters[:1]


def server(*objects: tuple[str, dict[str, Any]], **more: Any) -> Server:
    """A cluster with its kube-system and some objects."""
    found: dict[str, list[dict[str, Any]]] = {"namespaces": [KUBE_SYSTEM], "nodes": [node()]}
    for plural, each in objects:
        found.setdefault(plural, []).append(each)
    return Server(found, PATHS, **more)


def read(one: Server) -> ClusterFacts:
    """The facts of cluster1, which this server stands for, in a mesh of it alone."""
    return read_facts(replace(MESH, clusters=CLUSTERS), {"cluster1": snapshot(one)}, {}, {})["cluster1"]


def test_a_cluster_is_read_in_bulk() -> None:
    found = read(server(("services", obj("a", "x"))))
    assert (found.uid, found.version, found.skew) == ("uid-1", "v1.33.1", 0.0)
    assert found.groups == {"apps/v1"}
    assert found.rows("services") == (obj("a", "x"),)
    assert found.authority is None
    assert found.published == found.releases == {}


def test_dry_runs_can_be_left_out() -> None:
    spaces = [("namespaces", space(name)) for name in (SYSTEM, EDGE)]
    tried, untried = server(*spaces), server(*spaces)
    assert read(tried).tried["load balancer"] == ""
    one = replace(MESH, clusters=CLUSTERS)
    found = read_facts(one, {"cluster1": snapshot(untried)}, {}, {}, dry_runs=False)["cluster1"]
    assert found.tried == {}
    assert [each for each in tried.asked if each not in untried.asked] == ["dry run of Service"]


def test_of_a_cluster_that_does_not_answer_nothing_else_is_asked() -> None:
    unknown = Unauthorized(CALL, "Unauthorized")
    one = server(fails={"namespaces": unknown})
    found = read(one)
    assert (found.unreachable, found.seen) == (unknown.message, {})
    assert one.asked == ["namespaces"]


def test_a_collection_that_may_not_be_read_says_so_and_hides_no_other() -> None:
    denied = Forbidden(CALL, "forbidden")
    found = read(server(fails={"nodes": denied, "secrets": denied}))
    assert found.seen["nodes"] == found.seen["secrets"] == Unread(denied.message)
    assert found.authority == found.releases == Unread(denied.message)
    assert found.rows("services") == ()


def test_no_value_of_a_secret_is_kept() -> None:
    config = {
        "clusters": [{"cluster": {"server": "https://a", "certificate-authority-data": "YQ=="}}],
        "users": [{"user": {"token": "canary"}}],
    }
    remote = obj("remote", labels={"istio/multiCluster": "true"}, data={"a": in_base64(json.dumps(config))})
    licence = obj("solo-istio-license", data={"license-key": in_base64("canary"), "empty": in_base64(" ")})
    found = read(server(("secrets", remote), ("secrets", licence)))
    assert "canary" not in str(found)
    assert [each["keys"] for each in found.rows("secrets")] == [["a"], ["license-key"]]
    assert found.rows("secrets")[0]["remote"]["a"]["has token"]


def test_the_published_roots_are_those_of_each_namespace() -> None:
    pem = root_pem()
    found = read(server(("configmaps", obj("istio-ca-root-cert", SYSTEM, data={"root-cert.pem": pem}))))
    assert isinstance(found.published, dict)
    assert {name: len(roots) for name, roots in found.published.items()} == {SYSTEM: 1}
