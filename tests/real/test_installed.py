"""An upstream mesh of real Istio on two clusters of its own lab: values, rights, drift, checks."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mesh.lab import Lab
from tests.e2e.hands import Mesh, Tool
from tests.lab.standin.hand import eventually
from tests.real.upstream import CLUSTERS, SYSTEM, upstream
from tests.support.identities import identity, tried

CREATE = ("auth", "can-i", "create", "networkpolicies", *SYSTEM)

Change = Callable[[Any], object]


@pytest.fixture(scope="module")
def mesh(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    return upstream(lab, tmp_path_factory.mktemp("real-home") / "home")


def values(component: str, **some: Any) -> Change:
    """Set values of a chart in all clusters."""
    return lambda spec: spec["defaults"].setdefault("values", {}).update({component: some})


def test_it_is_installed_by_one_apply_and_then_nothing_is_left_to_do(mesh: Mesh) -> None:
    mesh.mended()
    mesh.settled()


def test_no_check_finds_fault_with_a_healthy_mesh(mesh: Mesh) -> None:
    report = json.loads(mesh("check", "--json").out)
    failed = {each["id"] for each in report["results"] if each["severity"] == "error"}
    assert failed == set()
    assert mesh("status", "--detailed-exitcode").code == 0


def test_a_change_that_touches_one_component_only_is_not_held_up_by_the_others(mesh: Mesh) -> None:
    mesh.edit(values("istiod", env={"TRY": "one"}))
    mesh.mended()


def test_what_the_plan_puts_back_does_not_stop_it(mesh: Mesh, kubectl: Tool) -> None:
    config = json.loads(kubectl("cluster1", "get", "configmap", "istio", *SYSTEM, "-o", "json"))
    text = config["data"]["mesh"].replace("trustDomain: cluster.local", "trustDomain: wrong.example")
    assert text != config["data"]["mesh"]
    kubectl("cluster1", "patch", "configmap", "istio", *SYSTEM, "-p", json.dumps({"data": {"mesh": text}}))
    told = mesh("check", "--only", "P21").out
    assert "cluster.local in cluster2; wrong.example in cluster1; expected cluster.local in cluster1" in told
    mesh.mended()
    assert mesh("check", "--only", "P21").code == 0


def test_values_that_add_objects_are_applied_and_taken_back_by_who_may_apply(
    mesh: Mesh, lab: Lab, kubectl: Tool, tmp_path: Path
) -> None:
    policies = partial(kubectl, *("cluster1", "get", "networkpolicies", *SYSTEM, "-o", "name"))
    enabled = {"global": {"networkPolicy": {"enabled": True}}}
    for component in ("istiod", "cni", "ztunnel"):
        mesh.edit(values(component, **enabled))
    with identity(mesh, lab, tmp_path, "mesh-demo-apply", "--for", "apply") as env:
        mesh.applied(env=env)
        assert policies().count("networkpolicy") == 3
        mesh.edit(lambda spec: spec["defaults"].pop("values"))
        mesh.applied(env=env)
    assert policies() == ""
    mesh.settled()


def test_who_may_not_write_such_an_object_is_told_before_anything_is_written(
    mesh: Mesh, lab: Lab, kubectl: Tool, tmp_path: Path
) -> None:
    mesh.edit(values("ztunnel", **{"global": {"networkPolicy": {"enabled": True}}}))
    with identity(mesh, lab, tmp_path, "mesh-demo-apply", "--for", "apply") as env:
        for cluster in CLUSTERS:
            role = json.loads(kubectl(cluster, "get", "role", "mesh-demo-apply", *SYSTEM, "-o", "json"))
            role["rules"] = [each for each in role["rules"] if "networkpolicies" not in each["resources"]]
            kubectl(cluster, "replace", "-f", "-", stdin=json.dumps(role))
            asked = partial(tried, mesh, lab, env, *CREATE, cluster=cluster)
            eventually(asked, lambda seen: seen[0] != 0)
        refused = mesh("apply", "--yes", env=env)
    assert refused.code == 5, refused
    assert "networkpolicies.networking.k8s.io in istio-system" in refused.err
    mesh.edit(lambda spec: spec["defaults"].pop("values"))
    mesh.settled()


def test_destroy_leaves_no_release(mesh: Mesh, kubectl: Tool) -> None:
    assert mesh("destroy", "--yes").code == 0
    for cluster in CLUSTERS:
        assert kubectl(cluster, "get", "namespace", "istio-system", "--ignore-not-found") == ""
