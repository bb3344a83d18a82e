"""What is refused, and that nothing is written then."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.lab import Lab
from tests.conftest import Tool

from .hands import Mesh, clone

CACERTS = ("secret", "-n", "istio-system", "cacerts")


def versions(kubectl: Tool, mesh: Mesh) -> tuple[str, bytes]:
    """What moves when anything of ours is written."""
    kinds = "secrets,configmaps,namespaces,gateways,deployments,daemonsets"
    path = "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{end}"
    labels = ("-l", "meshform.io/mesh=demo")
    found = "".join(
        kubectl(cluster, "get", kinds, "-A", *labels, "-o", path) for cluster in ("cluster1", "cluster2")
    )
    return found, (mesh.folder / "mesh.lock").read_bytes()


@pytest.fixture
def foreign_cacerts(mesh: Mesh, kubectl: Tool, tmp_path: Path) -> Iterator[None]:
    """In cluster2, `cacerts` from a root of somebody else's."""
    argv = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-keyout", "ca-key.pem", "-out", "ca-cert.pem", "-days", "100", "-subj", "/CN=other"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    ]
    subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True)
    ours = json.loads(kubectl("cluster2", "get", *CACERTS, "-o", "json"))
    del ours["metadata"]["resourceVersion"]
    pems = dict.fromkeys(("ca-cert.pem", "root-cert.pem", "cert-chain.pem"), tmp_path / "ca-cert.pem")
    pems["ca-key.pem"] = tmp_path / "ca-key.pem"
    theirs = {**ours, "stringData": {name: path.read_text() for name, path in pems.items()}}
    kubectl("cluster2", "replace", "-f", "-", stdin=json.dumps(theirs))
    yield
    kubectl("cluster2", "replace", "-f", "-", stdin=json.dumps(ours))


def test_cacerts_of_another_root_are_refused_and_nothing_is_written(
    mesh: Mesh, kubectl: Tool, foreign_cacerts: None
) -> None:
    before = versions(kubectl, mesh)
    for argv in (["plan"], ["apply", "--yes"]):
        answer = mesh(*argv)
        assert answer.code == 5
        assert "cacerts in cluster cluster2 was issued by root sha256:" in answer.err
        assert "a foreign cacerts is never overwritten" in answer.err
    assert versions(kubectl, mesh) == before


def test_a_trust_domain_changed_after_the_first_apply_is_refused_with_the_ways_out(
    mesh: Mesh, kubectl: Tool
) -> None:
    before = versions(kubectl, mesh)
    mesh.edit(lambda spec: spec["clusters"][1].update(trustDomain="other.local"))
    for argv in (["plan"], ["apply", "--yes"]):
        answer = mesh(*argv)
        assert answer.code == 5
        assert "trustDomain of cluster cluster2 was 'cluster2.local' at the last apply" in answer.err
        assert "set trustDomain: cluster2.local again to keep it; or re-identify the cluster" in answer.err
    assert versions(kubectl, mesh) == before


@pytest.mark.parametrize("field", ["clusterName", "network"])
def test_an_identity_changed_after_the_first_apply_is_refused(mesh: Mesh, field: str) -> None:
    mesh.edit(lambda spec: spec["clusters"][0].update({field: "other"}))
    answer = mesh("plan")
    assert answer.code == 5
    assert f"{field} of cluster cluster1 was 'cluster1' at the last apply" in answer.err


def test_a_cluster_under_another_name_is_refused_with_both_ways_out(mesh: Mesh) -> None:
    mesh.file.write_text(mesh.file.read_text().replace("name: cluster2", "name: west"))
    answer = mesh("plan")
    assert answer.code == 5
    assert "cluster west is recorded under the name cluster2" in answer.err
    assert "mesh state rename cluster2 west" in answer.err
    assert "destroy" in answer.err


def test_the_wrong_cluster_behind_a_context_is_refused(mesh: Mesh) -> None:
    answer = mesh("plan", "--context", "cluster2=cluster1", "--context", "cluster1=cluster2")
    assert answer.code == 5
    assert "cluster cluster1 is not the cluster of the last apply: context cluster2 leads to" in answer.err


def test_a_licence_missing_in_the_environment_is_told_before_anything_is_written(
    mesh: Mesh, kubectl: Tool
) -> None:
    before = versions(kubectl, mesh)
    for argv in (["plan"], ["apply", "--yes"]):
        answer = mesh(*argv, env={"GLOO_MESH_LICENSE_KEY": None})
        assert answer.code == 1
        assert "licence: environment variable GLOO_MESH_LICENSE_KEY is not set" in answer.err
    assert versions(kubectl, mesh) == before


def test_a_missing_context_is_told_by_the_name_of_its_cluster(mesh: Mesh) -> None:
    mesh.edit(lambda spec: spec["clusters"][0].update(context="nowhere"))
    answer = mesh("plan")
    assert answer.code == 1
    assert "nowhere" in answer.err
    assert "cluster1" in answer.err
    assert "Traceback" not in answer.err


def test_an_apply_without_a_terminal_and_without_yes_is_refused(mesh: Mesh, kubectl: Tool) -> None:
    kubectl("cluster1", "label", "namespace", "istio-system", "topology.istio.io/network-")
    answer = mesh("apply")
    assert answer.code == 64
    assert "add --yes" in answer.err
    mesh.pending()
    mesh.mended()


def test_an_apply_of_another_plan_than_was_reviewed_is_refused(mesh: Mesh, kubectl: Tool) -> None:
    kubectl("cluster1", "label", "namespace", "istio-system", "topology.istio.io/network-")
    digest = json.loads(mesh("plan", "--json").out)["digest"]
    kubectl("cluster2", "label", "namespace", "istio-system", "topology.istio.io/network-")
    answer = mesh("apply", "--yes", "--plan-digest", digest)
    assert answer.code == 3
    assert f"its digest was {digest}" in answer.err
    now = json.loads(mesh("plan", "--json").out)["digest"]
    mesh.applied("--plan-digest", now)
    mesh.settled()


DENIED = "no TRY in this cluster"


@pytest.fixture
def policy(kubectl: Tool) -> Iterator[None]:
    """In cluster2, no istiod with the variable TRY."""
    name, group = "no-try", "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["deployments"]}
    expression = "!object.spec.template.spec.containers[0].env.exists(e, e.name == 'TRY')"
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": expression, "message": DENIED}],
    }
    binding = {"policyName": name, "validationActions": ["Deny"]}
    both = {
        "ValidatingAdmissionPolicy": spec,
        "ValidatingAdmissionPolicyBinding": binding,
    }
    try:
        for kind, each in both.items():
            made = {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": each}
            kubectl("cluster2", "create", "-f", "-", stdin=json.dumps(made))
        yield
    finally:
        for kind in reversed(both):
            kubectl("cluster2", "delete", kind, name, "--ignore-not-found")


def test_what_a_policy_will_refuse_helm_is_told_in_the_plan(
    mesh: Mesh, policy: None, eventually: Callable[..., Any]
) -> None:
    text = mesh.file.read_bytes()
    mesh.edit(lambda spec: spec.update(defaults={"values": {"istiod": {"env": {"TRY": "one"}}}}))
    try:
        plan = eventually(lambda: mesh("plan").out, until=lambda seen: DENIED in seen, seconds=60)
        assert "the API server rejects a dry run of Deployment istio-system/istiod: " in plan
        assert plan.count(DENIED) == 1, "of one cluster"
    finally:
        mesh.file.write_bytes(text)
    mesh.settled()


@pytest.fixture
def no_helm(mesh: Mesh, tmp_path: Path) -> dict[str, str | None]:
    """A PATH on which there is no helm."""
    empty = tmp_path / "bin"
    empty.mkdir()
    return {"PATH": str(empty), "MESH_HELM": None}


def test_a_plan_without_changes_needs_no_helm(mesh: Mesh, no_helm: dict[str, str | None]) -> None:
    assert mesh("plan", "--detailed-exitcode", env=no_helm).code == 0


def test_a_plan_that_must_render_says_how_to_get_helm(mesh: Mesh, no_helm: dict[str, str | None]) -> None:
    document = yaml.safe_load(mesh.file.read_text())
    document["spec"]["defaults"] = {"values": {"istiod": {"pilot": {"autoscaleMin": 2}}}}
    mesh.file.write_text(yaml.safe_dump(document))
    answer = mesh("plan", env=no_helm)
    assert answer.code == 1
    assert "helm is not on PATH" in answer.err
    assert "install helm 4.2.4 or newer" in answer.err


def test_where_no_cluster_answers_no_root_of_trust_is_made(mesh: Mesh, lab: Lab, tmp_path: Path) -> None:
    config = yaml.safe_load(lab.kubeconfig.read_text())
    for each in config["clusters"]:
        each["cluster"]["server"] = "https://127.0.0.1:9"
    (tmp_path / "nowhere").write_text(yaml.safe_dump(config))
    one = clone(mesh, tmp_path / "first")
    (one.folder / "mesh.lock").unlink()
    nowhere = {"KUBECONFIG": str(tmp_path / "nowhere")}
    plan = one("plan", "--detailed-exitcode", env=nowhere)
    assert (plan.code, plan.out) == (1, ""), plan
    assert "no cluster could be read, so there is no plan" in plan.err
    assert plan.err.count("cannot be reached") == 2
    answer = one("apply", "--yes", env=nowhere)
    assert answer.code == 6, answer
    assert (
        "no cluster answers, and one of them may already have a root of trust\n    cert/-/root" in answer.out
    )
    assert "Plan: 0 to add, 0 to change, 0 to destroy." in answer.out
    assert not list(one.folder.rglob("root.*"))
