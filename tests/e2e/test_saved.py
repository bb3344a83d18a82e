"""A saved plan on real clusters: what was reviewed is what runs, and nothing else."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mesh.lab import Lab
from tests.conftest import Tool

from .hands import Answer, Mesh

EVIL = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: evil-admin}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: User, name: mallory, apiGroup: rbac.authorization.k8s.io}]
"""
SWAPPED = ("--context", "cluster1=cluster2", "--context", "cluster2=cluster1")
ISTIOD = "chart/cluster1/istiod"


def wish(password: str) -> Any:
    values = {"istiod": {"env": {"REVIEWED": "yes"}, "extra": {"password": password}}}
    return lambda spec: spec.update(defaults={"values": values})


@pytest.fixture
def charts(mesh: Mesh, tmp_path: Path) -> Path:
    """The charts of the lab in a folder of our own."""
    folder = tmp_path / "charts"
    shutil.copytree(mesh.env["MESH_CHART_SOURCE"], folder)
    return folder


@pytest.fixture
def saved(mesh: Mesh, charts: Path) -> Iterator[tuple[Mesh, Answer]]:
    """A mesh whose plan is saved, and what was printed then."""
    mine = Mesh(mesh.folder, {**mesh.env, "MESH_CHART_SOURCE": str(charts)})
    mesh.edit(wish("canary-reviewed"))
    yield mine, mine("plan", "--out", "plan.json")
    (mesh.folder / "plan.json").unlink()


def refused(mesh: Mesh, *told: str) -> None:
    """Neither the saved plan nor its digest is carried out."""
    digest = json.loads((mesh.folder / "plan.json").read_text())["digest"]
    for argv in (["plan.json"], ["--yes", "--plan-digest", digest]):
        answer = mesh("apply", *argv)
        assert answer.code == 3, answer
        assert "canary" not in answer
        if argv == ["plan.json"]:
            assert all(each in answer.err for each in told), answer


def test_a_saved_plan_is_refused_after_each_change_that_matters_and_runs_after_others(
    saved: tuple[Mesh, Answer], charts: Path, lab: Lab, kubectl: Tool
) -> None:
    mesh, printed = saved
    assert printed.code == 0, printed
    text = (mesh.folder / "plan.json").read_text()
    server = kubectl("cluster1", "config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
    shown, told = mesh("show", "plan.json").out, re.sub(r" \(https://127\.0\.0\.1:\d+\)", "", printed.out)
    assert (shown, server in printed.out) == (told, True)
    assert not [each for each in ("canary", "a-licence-for-the-lab", server) if each in text]

    template = charts / "istiod" / "templates" / "zz-evil.yaml"
    template.write_text(EVIL)
    refused(mesh, f"{ISTIOD}: manifest ClusterRoleBinding evil-admin: ", f"{ISTIOD}: bytes of chart istiod: ")
    template.write_text("{{- /* the same objects from other bytes */ -}}")
    refused(mesh, f"{ISTIOD}: bytes of chart istiod: reviewed sha256:")
    template.unlink()

    mesh.edit(wish("canary-attacker"))
    refused(mesh, "configuration: reviewed sha256:")
    mesh.edit(wish("canary-reviewed"))

    kubectl("cluster1", "-n", "istio-system", "set", "env", "deployment/istiod", "BY_HAND=1")
    refused(mesh, f"{ISTIOD}: objects.")
    kubectl("cluster1", "-n", "istio-system", "set", "env", "deployment/istiod", "BY_HAND-")

    swapped = mesh("apply", "plan.json", *SWAPPED)
    assert swapped.code == 3, swapped
    assert "cluster cluster1: UID of kube-system: reviewed " in swapped.err
    for cluster in lab.contexts:
        assert not kubectl(cluster, "get", "clusterrolebinding", "evil-admin", "--ignore-not-found")

    kubectl("cluster1", "create", "configmap", "unrelated", "-n", "default")
    kubectl("cluster1", "label", "configmap", "unrelated", "-n", "default", "by=hand")
    kubectl("cluster2", "annotate", "namespace", "istio-system", "by=hand")
    applied = mesh("apply", "plan.json")
    assert applied.code == 0, applied
    assert "Apply complete!" in applied.out
    assert "Do you want to perform" not in applied.out
    again = mesh("apply", "plan.json")
    assert again.code == 3, again
    assert "lockfile serial: reviewed " in again.err
    kubectl("cluster1", "delete", "configmap", "unrelated", "-n", "default")
    kubectl("cluster2", "annotate", "namespace", "istio-system", "by-")


def test_a_target_is_planned_with_what_it_needs_and_nothing_else(mesh: Mesh, charts: Path) -> None:
    mesh.edit(wish("canary"))
    plan = json.loads(mesh("plan", "--json", "--target", "chart/*/istiod", "--exclude", "cluster2").out)
    assert [each["address"] for each in plan["resource_changes"]] == [ISTIOD]
    assert plan["complete"] is False
    assert "chart/cluster2/istiod" in plan["warnings"][0]


def test_what_is_protected_or_in_use_is_not_removed_with_its_cluster(mesh: Mesh, kubectl: Tool) -> None:
    kubectl("cluster2", "create", "namespace", "shop")
    kubectl("cluster2", "label", "namespace", "shop", "istio.io/dataplane-mode=ambient")
    mesh.edit(lambda spec: spec["clusters"].pop())
    answer = mesh("plan")
    assert answer.code == 5, answer
    assert "cluster2 left the mesh file while the mesh is in use there" in answer.err
    assert "cluster2: Namespace shop is enrolled" in answer.err
    kubectl("cluster2", "delete", "namespace", "shop", "--wait=false")
    kubectl("cluster2", "label", "namespace", "shop", "istio.io/dataplane-mode-")
    plan = mesh("plan")
    assert plan.code == 0, plan
    assert "apply refuses that without --allow-deletes" in " ".join(plan.out.split())
    many = mesh("apply", "--yes")
    assert (many.code, "add --allow-deletes" in many.err) == (5, True), many
    mesh.edit(lambda spec: spec.update(preventDestroy=["chart/*/ztunnel"]))
    kept = mesh("plan")
    assert (kept.code, "mesh.yaml:" in kept.err) == (5, True), kept
    assert "chart/cluster2/ztunnel would be destroyed, and spec.preventDestroy" in kept.err
