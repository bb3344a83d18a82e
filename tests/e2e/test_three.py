"""Three clusters of their own lab, one of which cannot be reached; links one way."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.lab import Lab
from tests.conftest import lab_apart

from .hands import Mesh, block, clone, home

LINKS = [{"between": ["cluster1", "cluster2"]}, {"from": "cluster1", "to": "cluster3"}]


@pytest.fixture(scope="module")
def three(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Three clusters of one node."""
    with lab_apart(tmp_path_factory, "three", clusters=3) as one:
        yield one


@pytest.fixture(scope="module")
def trio(three: Lab, tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """A mesh file of three clusters, of which cluster3 may call nobody; nothing is applied."""
    mesh = home(three, tmp_path_factory.mktemp("trio") / "home")

    def widen(spec: dict[str, object]) -> None:
        spec["clusters"] = [{"name": name, "context": name} for name in three.contexts]
        spec["links"] = LINKS

    mesh.edit(widen)
    return mesh


def back(lab: Lab, cluster: str) -> None:
    """Start an API server again, and anew what waits ever longer to try it again."""
    for component in ("kube-controller-manager", "kube-scheduler", "kwok"):
        lab.stop(cluster, component)
    lab.start(cluster)


def peers(lab: Lab, cluster: str) -> list[str]:
    """The peer objects of a cluster."""
    argv = ["--context", cluster, "get", "gateway", "-n", "istio-eastwest", "-o", "name"]
    env = lab.environment()
    out = subprocess.run(
        [lab.bin / "kubectl", *argv], env=env, capture_output=True, text=True, check=True
    ).stdout
    names = [name.rpartition("/")[2] for name in out.split()]
    return [name for name in names if name.startswith("istio-remote")]


def test_two_clusters_converge_while_the_third_cannot_be_reached(trio: Mesh, three: Lab) -> None:
    three.stop("cluster3")
    plan = trio("plan", "--detailed-exitcode")
    assert plan.code == 6, plan
    assert "Deferred:" in plan.out
    assert plan.out.count("cannot be reached") == 1
    assert "needs gateway/cluster3/istio-eastwest, which is deferred" in plan.out
    answer = trio("apply", "--yes")
    assert answer.code == 6, answer
    assert "cluster cluster3 did not answer" in answer.out
    assert "link/cluster1/cluster3" in answer.out.split("Deferred:")[-1]
    assert "deferred" in answer.err
    done = {address for address, entry in trio.lock()["resources"].items() if entry["status"] == "ok"}
    assert {"link/cluster1/cluster2", "link/cluster2/cluster1"} <= done
    assert not any("/cluster3/" in address for address in trio.lock()["resources"])
    assert trio("plan", "--detailed-exitcode").code == 6


def test_adding_a_cluster_takes_the_root_key_and_is_refused_by_the_plan_without_it(
    trio: Mesh, three: Lab, tmp_path: Path
) -> None:
    back(three, "cluster3")
    colleague = clone(trio, tmp_path / "colleague")
    answer = colleague("plan")
    assert answer.code == 5, answer
    assert "needs the root key sha256:" in answer.err
    assert "spec.rootOfTrust.ca" in answer.err


def test_the_next_apply_finishes_the_third_once_it_is_back(trio: Mesh, three: Lab) -> None:
    plan = trio("plan", "--detailed-exitcode")
    assert plan.code == 2, plan
    assert block(plan.out, "link/cluster1/cluster3").startswith("will be created")
    trio.mended()


def test_a_colleague_without_the_root_key_plans_nothing_then(trio: Mesh, tmp_path: Path) -> None:
    clone(trio, tmp_path / "colleague").settled()


def test_a_one_way_link_has_a_peer_object_in_its_source_only(three: Lab) -> None:
    assert sorted(peers(three, "cluster1")) == ["istio-remote-peer-cluster2", "istio-remote-peer-cluster3"]
    assert peers(three, "cluster2") == ["istio-remote-peer-cluster1"]
    assert peers(three, "cluster3") == []


def test_an_unreachable_cluster_is_neither_destroyed_nor_forgotten(trio: Mesh, three: Lab) -> None:
    before = trio.lock()["resources"]
    three.stop("cluster3")
    plan = trio("plan", "--detailed-exitcode")
    assert plan.code == 6
    assert "Plan: 0 to add, 0 to change, 0 to destroy." in plan.out
    answer = trio("destroy", "--yes")
    assert answer.code == 6, answer
    left = trio.lock()["resources"]
    kept = {address for address in before if "/cluster3/" in address} | {"cert/-/root"}
    assert kept <= set(left)
    assert not any("/cluster2/" in address for address in left)
