"""`mesh import` on a multicluster mesh made by kubectl and helm alone: the file says what is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from mesh.lab import Lab, charts
from tests.lab.standin import authority, guide
from tests.lab.standin.guide import EDGE, LICENCE, SYSTEM
from tests.lab.standin.hand import Hand

from .hands import NO_CHANGES, Mesh, block, home

pytestmark = pytest.mark.long

CLUSTERS = ("cluster1", "cluster2")


@pytest.fixture(scope="module")
def hand(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    """Two linked clusters under one root, by the guide's commands."""
    one = Lab.open("import", folder=tmp_path_factory.mktemp("import") / "state")
    try:
        one.up(clusters=2, nodes=1)
        hand = Hand(one, charts.write(tmp_path_factory.mktemp("charts")))
        root = authority.root(tmp_path_factory.mktemp("ca") / "root")
        intermediates = [root.intermediate(cluster) for cluster in CLUSTERS]
        with ThreadPoolExecutor(len(CLUSTERS)) as pool:
            list(pool.map(hand.install, CLUSTERS, intermediates))
        for cluster in CLUSTERS:
            hand.link(cluster, hand.other(cluster))
        for cluster in CLUSTERS:
            hand.healthy(cluster)
        yield hand
    finally:
        one.down()


@pytest.fixture(scope="module")
def mesh(hand: Hand, tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    one = home(hand.lab, tmp_path_factory.mktemp("import-home") / "home")
    one.file.unlink()
    return one


def revisions(hand: Hand) -> list[str]:
    return [hand.helm(cluster, "list", "-A", "-o", "json") for cluster in CLUSTERS]


def gateways(hand: Hand) -> list[str]:
    """Each gateway with its generation."""
    path = "jsonpath={range .items[*]}{.metadata.name} {.metadata.uid} {.metadata.generation}{'\\n'}{end}"
    return [hand.kubectl(cluster, "get", "gateway", "-n", EDGE, "-o", path) for cluster in CLUSTERS]


def test_the_file_says_what_is_there(mesh: Mesh) -> None:
    answer = mesh("import", "--name", "old")
    assert answer.code == 0, answer
    assert "not decided" not in answer.err
    spec = yaml.safe_load(mesh.file.read_text())["spec"]
    assert spec["rootOfTrust"] == {"ca": {"existing": True}}
    assert spec["istio"]["license"] == {"secretRef": {"name": LICENCE, "namespace": SYSTEM}}
    assert spec["istio"]["images"] == {"hub": "registry.invalid/solo"}
    assert [(each["name"], each["trustDomain"]) for each in spec["clusters"]] == [
        (cluster, f"{cluster}.local") for cluster in CLUSTERS
    ]
    told = mesh.file.read_text()
    assert (
        "east-west gateway: istio-eastwest/istio-eastwest of network cluster1, by field manager kubectl"
        in told
    )


def test_nothing_is_missing_so_the_plan_is_empty_and_an_apply_only_records(mesh: Mesh, hand: Hand) -> None:
    before = revisions(hand), gateways(hand)
    plan = mesh("plan", "--detailed-exitcode")
    assert plan.code == 0, plan
    assert plan.out.startswith(NO_CHANGES)
    mesh.applied()
    assert not mesh.lock()["resources"]["chart/cluster1/istiod"]["created"]
    mesh.settled()
    assert (revisions(hand), gateways(hand)) == before


@pytest.mark.parametrize("name", ["base", "cni"])
def test_a_chart_of_others_that_is_called_as_istios_is_in_nobodys_way(
    mesh: Mesh, hand: Hand, tmp_path: Path, name: str
) -> None:
    chart = tmp_path / name
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(f"{{apiVersion: v2, name: {name}, version: 1.0.0}}")
    note = "{apiVersion: v1, kind: ConfigMap, metadata: {name: acme}}"
    (chart / "templates" / "note.yaml").write_text(note)
    hand.helm("cluster1", "install", "acme", str(chart), "-n", "acme", "--create-namespace")
    mesh.settled()
    answer = mesh("import", "--file", "-")
    assert [each["name"] for each in yaml.safe_load(answer.out)["spec"]["clusters"]] == list(CLUSTERS)
    hand.helm("cluster1", "uninstall", "acme", "-n", "acme")


def test_what_is_missing_is_all_that_is_planned(mesh: Mesh, hand: Hand) -> None:
    (mesh.folder / "mesh.lock").unlink()
    for cluster in CLUSTERS:
        hand.kubectl(cluster, "delete", "configmap", "-n", SYSTEM, "mesh-old-state")
    hand.kubectl("cluster1", "delete", "gateway", "-n", EDGE, "istio-remote-peer-cluster2")
    plan = mesh.pending().out
    assert "will be created" in block(plan, "link/cluster1/cluster2")
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in plan
    mesh.mended()
    hand.healthy("cluster1")


def test_destroy_takes_what_mesh_made_and_leaves_the_rest(mesh: Mesh, hand: Hand) -> None:
    before = revisions(hand)
    answer = mesh("destroy", "--yes")
    assert answer.code == 0, answer
    assert revisions(hand) == before
    assert "istio-remote-peer-cluster2" not in gateways(hand)[0]
    assert "istio-remote-peer-cluster1" in gateways(hand)[1]


def test_an_istio_of_a_revision_is_told_and_refused_with_the_way_out(mesh: Mesh, hand: Hand) -> None:
    values = guide.istiod("cluster1")
    hand.chart("cluster1", "istiod", "istiod", values, "revision=stable", "revisionTags={prod,next}")
    hand.kubectl("cluster1", "rollout", "status", "deployment/istiod-stable", "-n", SYSTEM, "--timeout=90s")
    hand.chart("cluster1", "istio-cni", "cni", guide.CNI, "revision=stable")
    words = f"release istiod in {SYSTEM}, is of a revision (revision: stable, revisionTags: prod, next)"
    told = " ".join(mesh("import", "--file", "-").out.replace("#", "").split())
    assert f"- cluster1: the istiod of this cluster, {words}" in told
    plan = mesh("plan")
    assert plan.code == 5, plan
    assert words in plan.err
    assert "install istiod without one beside it" in plan.err
    assert f"`helm upgrade istio-cni CHART -n {SYSTEM} --reuse-values --set revision=`" in plan.err
    assert "P10" not in plan.err
    hand.istiod("cluster1")
    hand.chart("cluster1", "istio-cni", "cni", guide.CNI)
    hand.alone("cluster1", SYSTEM, "app=istiod")
    hand.healthy("cluster2")
    assert "of a revision" not in mesh("import", "--file", "-").out


def test_the_gloo_operators_istio_is_told_and_left_out(mesh: Mesh, hand: Hand) -> None:
    labels = {"app": "istiod", "istio.io/rev": "gloo"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "discovery", "image": "x"}]}}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "istiod-gloo", "namespace": SYSTEM, "labels": labels},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
    }
    hand.kubectl("cluster2", "create", "-f", "-", stdin=json.dumps(body))
    answer = mesh("import", "--file", "-")
    assert answer.code == 0, answer
    assert "cluster2 (context cluster2) is left out: the Gloo Operator keeps its Istio" in " ".join(
        answer.out.replace("#", "").split()
    )
    assert [each["name"] for each in yaml.safe_load(answer.out)["spec"]["clusters"]] == ["cluster1"]


def test_no_istiod_is_put_beside_that_of_the_gloo_operator(mesh: Mesh, hand: Hand) -> None:
    hand.helm("cluster2", "uninstall", "istiod", "-n", SYSTEM)
    answer = mesh("plan")
    assert answer.code == 5, answer
    assert f"the Gloo Operator runs istiod here ({SYSTEM}/istiod-gloo)" in answer.err
    assert "mesh never adopts what it manages" in answer.err
    assert "istiod" not in hand.helm("cluster2", "list", "-A", "-q").split()
