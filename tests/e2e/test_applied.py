"""An applied mesh: linked, trusted, and with nothing left to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mesh.cli.session import open_session
from mesh.engine import verbs as engine
from mesh.world.kube.client import ApiServer
from tests.conftest import Tool

from .chains import cacerts, cryptography_verifies, fingerprint, openssl_verifies, workload
from .hands import NO_CHANGES, REPOSITORY, Mesh, clone

pytestmark = pytest.mark.long

CLUSTERS = ("cluster1", "cluster2")
RENDERED = {
    "clusterrolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "roles.rbac.authorization.k8s.io",
    "serviceaccounts",
    "services",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
}
"""The further types of object that the releases render, one LIST each."""

LISTS = {
    "configmaps",
    "customresourcedefinitions.apiextensions.k8s.io",
    "daemonsets.apps",
    "deployments.apps",
    "gateways.gateway.networking.k8s.io",
    "namespaces",
    "nodes",
    "secrets",
}
"""Every LIST of a plan without changes, once per cluster; see docs/explanation/performance.md."""

CRDS = "customresourcedefinitions.apiextensions.k8s.io"
"""Listed twice: the names of all of them, and the bodies of those that helm manages."""


def conditions(kubectl: Tool, cluster: str, peer: str) -> dict[str, str]:
    argv = ("get", "gateway", "-n", "istio-eastwest", f"istio-remote-peer-{peer}", "-o", "json")
    found = json.loads(kubectl(cluster, *argv))["status"]["conditions"]
    return {each["type"].removeprefix("gloo.solo.io/"): each["status"] for each in found}


@pytest.fixture
def session(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> engine.Session:
    """The same mesh in this process, so that requests can be counted."""
    for name, value in mesh.env.items():
        monkeypatch.setenv(name, value)
    return open_session(mesh.file, ()).with_licence()


def test_after_an_apply_there_are_no_changes(mesh: Mesh) -> None:
    answer = mesh("plan", "--detailed-exitcode")
    assert (answer.code, answer.out.splitlines()[0], answer.err) == (0, NO_CHANGES, "")


def test_an_apply_without_changes_writes_nothing(mesh: Mesh) -> None:
    before = (mesh.folder / "mesh.lock").read_bytes()
    answer = mesh.applied()
    assert "0 added, 0 changed, 0 destroyed" in answer.out
    assert (mesh.folder / "mesh.lock").read_bytes() == before


def test_a_plan_without_changes_reads_each_type_once_per_cluster_and_writes_nothing(
    session: engine.Session,
) -> None:
    assert engine.plan(session).plan.empty
    for kube in session.world.kubes.values():
        assert isinstance(kube, ApiServer)
        assert {verb for verb, _ in kube.requests} == {"list", "get"}
        lists = {what: count for (verb, what), count in kube.requests.items() if verb == "list"}
        assert lists == {**dict.fromkeys(LISTS | RENDERED, 1), CRDS: 2}
        gets = {what: count for (verb, what), count in kube.requests.items() if verb == "get"}
        assert gets == {"/apis/gateway.networking.k8s.io/v1": 1}


def test_a_plan_without_changes_starts_no_helm(mesh: Mesh, tmp_path: Path) -> None:
    helm, trace = tmp_path / "helm", tmp_path / "was-started"
    helm.write_text(f"#!/bin/sh\ntouch {trace}\nexit 1\n")
    helm.chmod(0o755)
    answer = mesh("plan", "--detailed-exitcode", env={"MESH_HELM": str(helm)})
    assert (answer.code, trace.exists()) == (0, False)


def test_both_links_are_connected_and_have_synced(mesh: Mesh, kubectl: Tool) -> None:
    for cluster, peer in (CLUSTERS, CLUSTERS[::-1]):
        found = conditions(kubectl, cluster, peer)
        assert (found["PeerConnected"], found["PeeringSucceeded"]) == ("True", "True")


def test_each_chain_verifies_to_the_one_root_and_the_intermediates_differ(
    mesh: Mesh, kubectl: Tool, tmp_path: Path
) -> None:
    root = (mesh.folder / "config" / "mesh" / "demo" / "root.crt").read_bytes()
    files = {cluster: cacerts(kubectl, cluster) for cluster in CLUSTERS}
    for cluster, each in files.items():
        assert sorted(each) == ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"]
        assert fingerprint(each["root-cert.pem"]) == fingerprint(root)
        leaf = workload(each, f"spiffe://{cluster}.local/ns/shop/sa/cart")
        openssl_verifies(root, each, leaf, tmp_path / cluster)
        cryptography_verifies(root, each, leaf)
    assert len({fingerprint(each["ca-cert.pem"]) for each in files.values()}) == 2
    assert len({each["ca-key.pem"] for each in files.values()}) == 2


def test_the_licence_reaches_the_chart_by_reference_only(mesh: Mesh, helm: Tool, kubectl: Tool) -> None:
    values = helm("cluster1", "get", "values", "istiod", "-n", "istio-system", "-o", "json")
    assert json.loads(values)["license"] == {
        "secretRef": {"name": "solo-istio-license", "namespace": "istio-system"}
    }
    lock = (mesh.folder / "mesh.lock").read_text()
    state = kubectl("cluster1", "get", "configmap", "-n", "istio-system", "mesh-demo-state", "-o", "json")
    for text in (values, lock, state):
        assert mesh.env["GLOO_MESH_LICENSE_KEY"] not in text
        assert "PRIVATE KEY" not in text


def test_every_step_of_the_lock_names_its_direct_needs_only(mesh: Mesh) -> None:
    resources = mesh.lock()["resources"]
    assert len(resources) == 25
    assert resources["link/cluster1/cluster2"]["needs"] == [
        "gateway/cluster1/istio-eastwest",
        "gateway/cluster2/istio-eastwest",
        "namespace/cluster1/istio-eastwest",
    ]
    assert all(each["status"] == "ok" for each in resources.values())


def wide(spec: Any) -> None:
    """Another logging of istiod in every cluster, and one chart value of the user's own."""
    spec["defaults"] = {"values": {"istiod": {"meshConfig": {"accessLogFile": "/dev/stderr"}}}}


def test_the_json_of_a_plan_is_as_its_schema_says(mesh: Mesh) -> None:
    mesh.edit(wide)
    answer = mesh("plan", "--json")
    plan = json.loads(answer.out)
    schema = json.loads((REPOSITORY / "schemas" / "plan.schema.json").read_text())
    jsonschema.Draft7Validator(schema).validate(plan)
    assert plan["summary"]["change"] == 2


def test_the_markdown_of_a_plan_fits_into_a_comment(mesh: Mesh) -> None:
    mesh.edit(wide)
    answer = mesh("plan", "--format", "markdown")
    assert answer.code == 0
    assert len(answer.out.encode()) < 60_000
    assert "```diff" in answer.out
    assert "accessLogFile" in answer.out


def test_a_plan_can_be_made_by_who_may_only_read(mesh: Mesh, reader: Path) -> None:
    env = {"KUBECONFIG": str(reader)}
    nothing = mesh("plan", "--detailed-exitcode", env=env)
    assert (nothing.code, nothing.out.splitlines()[0]) == (0, NO_CHANGES)


def test_who_may_only_read_is_told_what_was_not_checked(mesh: Mesh, reader: Path, kubectl: Tool) -> None:
    kubectl("cluster1", "label", "namespace", "istio-system", "topology.istio.io/network-")
    mesh.edit(wide)
    answer = mesh("plan", "--detailed-exitcode", env={"KUBECONFIG": str(reader)})
    assert answer.code == 2, answer
    assert "label/cluster1/istio-system will be created" in answer.out
    assert "not checked by the API server" in answer.out.split("label/cluster1/istio-system")[1]
    assert "accessLogFile" in answer.out
    assert "rendered manifests:" in answer.out
    (mesh.folder / "mesh.yaml").write_bytes((REPOSITORY / "examples/two-clusters/mesh.yaml").read_bytes())
    mesh.mended()


def test_a_second_clone_without_the_root_key_plans_and_applies(mesh: Mesh, tmp_path: Path) -> None:
    other = clone(mesh, tmp_path / "clone")
    other.settled()
    assert not (other.folder / "config").exists()


def test_a_clone_without_its_lockfile_reads_the_clusters_state(mesh: Mesh, tmp_path: Path) -> None:
    other = clone(mesh, tmp_path / "clone")
    (other.folder / "mesh.lock").unlink()
    answer = other("plan", "--detailed-exitcode")
    assert answer.code == 0, answer
    assert "their state is used" in answer.out
