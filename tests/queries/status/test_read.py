"""`mesh status` on the lab: what it shows of real clusters, and that it agrees with plan and check."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.cli.session import store_of
from mesh.config.decode import load_mesh
from mesh.config.resolve.overrides import Overrides
from mesh.engine.registry import all_kinds
from mesh.engine.session import Session
from mesh.lab import Lab
from mesh.queries.status.read import read_status
from mesh.world import Kube, World
from mesh.world.clock import SystemClock
from mesh.world.kube.client import connect
from tests.conftest import Tool, granted
from tests.e2e.hands import Mesh, home, swept
from tests.support.agreed import disagreements

PEER = "istio-remote-peer-cluster2"
GATEWAY = "gateways.gateway.networking.k8s.io"
"""In full: Istio has a kind of that name too, and kubectl remembers a time without the Gateway API."""
EDGE = ("-n", "istio-eastwest")
GONE = "missing: deleted outside mesh since the last apply"


@pytest.fixture(scope="module")
def mesh(lab: Lab, kubectl: Tool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """The example applied to the lab; each test leaves it healthy."""
    one = home(lab, tmp_path_factory.mktemp("status") / "home")
    for cluster in lab.contexts:
        swept(kubectl, cluster)
    one.applied()
    yield one
    one("destroy", "--yes", "--ignore-enrolled", "--crds")
    for cluster in lab.contexts:
        swept(kubectl, cluster)


Eventually = Callable[..., Any]


def settled(mesh: Mesh, eventually: Eventually) -> None:
    """Wait until nothing is wrong any more."""
    answer = eventually(lambda: mesh("status", "--detailed-exitcode"), until=lambda each: each.code == 0)
    assert answer.code == 0, answer


def facts(mesh: Mesh, **env: str | None) -> Any:
    answer = mesh("status", "--json", env=env)
    assert answer.code == 0, answer
    return json.loads(answer.out)


def test_an_applied_mesh_is_ready_with_its_links_up(mesh: Mesh) -> None:
    answer = mesh("status", "--detailed-exitcode")
    assert answer.code == 0, answer
    assert answer.out.startswith("Mesh demo: 2 of 2 clusters ready, 2 of 2 links up.\n")
    assert "Intermediate certificates (one root in all clusters)" in answer.out
    assert "Not ready" not in answer
    assert "Warning" not in answer
    assert "a-licence-for-the-lab" not in answer


def test_status_needs_no_licence_no_root_key_and_no_helm(mesh: Mesh) -> None:
    found = facts(mesh, GLOO_MESH_LICENSE_KEY=None, MESH_HELM="/nowhere/helm", XDG_CONFIG_HOME="/nowhere")
    assert found["ready"]
    pods = {each["component"]: each for each in found["clusters"][0]["pods"]}
    assert (pods["istiod"]["ready"], pods["istiod"]["nodes"]) == (1, None)
    assert (pods["ztunnel"]["ready"], pods["ztunnel"]["desired"], pods["ztunnel"]["nodes"]) == (2, 2, 2)
    assert pods["cni"]["tag"] == pods["cni"]["chart"] == "1.30.2-solo"


class Counted:
    """An API server whose answers are counted."""

    def __init__(self, kube: Kube) -> None:
        self.kube = kube
        self.asked: list[str] = []

    def list(self, resource: Any, **options: Any) -> Any:
        self.asked.append(resource.plural)
        return self.kube.list(resource, **options)

    def get_path(self, path: str) -> Any:
        self.asked.append(path)
        return self.kube.get_path(path)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"status must not call {name}")


def test_a_cluster_is_asked_for_the_lists_of_a_plan_and_for_nothing_else(mesh: Mesh) -> None:
    document = load_mesh(mesh.file, Overrides())
    targets = [(each.name, each.context, each.kubeconfig) for each in document.clusters]
    kubes = {name: Counted(kube) for name, kube in connect(targets, dict(mesh.env)).items()}
    world = World(kubes, {}, SystemClock(), mesh.env, mesh.folder)
    assert read_status(Session(document, world, all_kinds(), store_of(mesh.file))).ready
    for kube in kubes.values():
        assert sorted(kube.asked) == [
            "/apis/gateway.networking.k8s.io/v1",
            "clusterrolebindings",
            "clusterroles",
            "configmaps",
            "customresourcedefinitions",
            "customresourcedefinitions",
            "daemonsets",
            "deployments",
            "gateways",
            "namespaces",
            "nodes",
            "rolebindings",
            "roles",
            "secrets",
            "serviceaccounts",
            "services",
            "validatingwebhookconfigurations",
        ]


def test_a_pod_that_is_not_ready_is_counted_and_named(
    mesh: Mesh, kubectl: Tool, eventually: Eventually
) -> None:
    pods = ("-n", "istio-system", "-l", "app=ztunnel")
    pod = kubectl("cluster2", "get", "pods", *pods, "-o", "name").split()[0]
    kubectl("cluster2", "annotate", "-n", "istio-system", pod, "lab.meshform.io/hold=true")
    answer = eventually(lambda: mesh("status", "--detailed-exitcode"), until=lambda each: each.code == 2)
    kubectl("cluster2", "annotate", "-n", "istio-system", pod, "lab.meshform.io/hold-")
    assert answer.code == 2, answer
    assert "Mesh demo: 1 of 2 clusters ready, 2 of 2 links up." in answer.out
    assert (
        "cluster2: chart/cluster2/ztunnel: DaemonSet ztunnel: 1 of 2 pods are ready; pod ztunnel-"
        in answer.out
    )
    settled(mesh, eventually)


def test_a_label_that_was_removed_is_missed(mesh: Mesh, kubectl: Tool, eventually: Eventually) -> None:
    label = "topology.istio.io/network"
    kubectl("cluster1", "label", "namespace", "istio-system", f"{label}-")
    answer = mesh("status", "--detailed-exitcode")
    kubectl("cluster1", "label", "namespace", "istio-system", f"{label}=cluster1")
    assert answer.code == 2
    assert f"cluster1: label/cluster1/istio-system: {GONE}" in answer.out
    settled(mesh, eventually)


def test_a_broken_link_is_told_with_the_words_of_istiod(
    mesh: Mesh, kubectl: Tool, eventually: Eventually
) -> None:
    annotate = ("annotate", "--overwrite", GATEWAY, "-n", "istio-eastwest", PEER)
    kubectl("cluster1", *annotate, "gateway.istio.io/trust-domain=wrong.local")
    answer = eventually(lambda: mesh("status", "--detailed-exitcode"), until=lambda each: each.code == 2)
    kubectl("cluster1", *annotate, "gateway.istio.io/trust-domain=cluster2.local")
    assert "1 of 2 links up" in answer.out
    assert "Warning: cluster cluster1 has no working link to cluster2: PeerConnected: " in answer.out
    settled(mesh, eventually)


def test_a_link_without_its_peer_object_is_a_row_that_says_so(
    mesh: Mesh, kubectl: Tool, eventually: Eventually
) -> None:
    kubectl("cluster1", "delete", GATEWAY, "-n", "istio-eastwest", PEER)
    peers = facts(mesh)["clusters"][0]["peers"]
    mesh.applied()
    assert [(each["name"], each["why"], each["connected"]) for each in peers] == [(PEER, GONE, "-")]
    settled(mesh, eventually)


def operated(resource: str, name: str, **labels: str) -> str:
    """A workload as the Gloo Operator has it, whose pods the lab's istiod does not take for its own."""
    pods = {"operated": name}
    template = {
        "metadata": {"labels": pods},
        "spec": {"containers": [{"name": "one", "image": "hub/one:1.2"}]},
    }
    spec = {"selector": {"matchLabels": pods}, "template": template}
    about = {"name": name, "namespace": "operated", "labels": {**labels, "istio.io/rev": "gloo"}}
    return json.dumps({"apiVersion": "apps/v1", "kind": resource, "metadata": about, "spec": spec})


@pytest.fixture
def gloo_operator(kubectl: Tool) -> Iterator[None]:
    """In cluster1, what the Gloo Operator installs: an istiod and a ztunnel of its own, in its namespace."""
    kubectl("cluster1", "create", "namespace", "operated")
    kubectl("cluster1", "apply", "-f", "-", stdin=operated("Deployment", "istiod-gloo", app="istiod"))
    kubectl("cluster1", "apply", "-f", "-", stdin=operated("DaemonSet", "ztunnel", app="ztunnel"))
    for name in ("deployment/istiod-gloo", "daemonset/ztunnel"):
        kubectl("cluster1", "rollout", "status", "-n", "operated", name, "--timeout=100s")
    yield
    kubectl("cluster1", "delete", "namespace", "operated")


def test_what_the_gloo_operator_keeps_is_shown_as_its_own(
    mesh: Mesh, gloo_operator: None, tmp_path: Path
) -> None:
    other = Mesh(tmp_path, mesh.env)
    document = yaml.safe_load(mesh.file.read_text())
    document["spec"]["clusters"][0]["namespaces"] = {"istiod": "another"}
    other.file.write_text(yaml.safe_dump(document))
    status = json.loads(other("status", "--json").out)
    pods = {each["component"]: each for each in status["clusters"][0]["pods"]}
    for name, kept in (("istiod", "istiod-gloo"), ("ztunnel", "ztunnel")):
        found = pods[name]
        assert (found["namespace"], found["name"], found["tag"]) == ("operated", kept, "1.2")
        assert (found["keeper"], found["is_ready"]) == ("Gloo Operator, revision gloo", True)
    assert pods["cni"]["why"] == "it is not installed"
    assert "Gloo Operator, revision gloo" in other("status").out
    assert all(not each["keeper"] for each in facts(mesh)["clusters"][0]["pods"])


FOREIGN = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: by-hand
  namespace: istio-eastwest
  labels: {topology.istio.io/network: elsewhere}
spec:
  gatewayClassName: istio-remote
  addresses: [{type: IPAddress, value: 192.0.2.1}]
  listeners: [{name: xds-tls, port: 15012, protocol: TLS, tls: {mode: Passthrough}}]
"""


def test_what_others_made_is_listed_with_its_owner(mesh: Mesh, kubectl: Tool, eventually: Eventually) -> None:
    kubectl("cluster1", "apply", "-f", "-", stdin=FOREIGN)
    peers = facts(mesh)["clusters"][0]["peers"]
    kubectl("cluster1", "delete", "-f", "-", stdin=FOREIGN)
    ours, theirs = peers
    assert (ours["owner"], ours["link"]) == ("demo", "cluster2")
    assert (theirs["name"], theirs["link"], theirs["network"]) == ("by-hand", "", "elsewhere")
    assert theirs["owner"] == "field manager kubectl-client-side-apply"
    settled(mesh, eventually)


def test_a_cluster_that_cannot_be_reached_leaves_the_others_shown(mesh: Mesh, tmp_path: Path) -> None:
    config = yaml.safe_load(Path(mesh.env["KUBECONFIG"]).read_text())
    config["clusters"].append({"name": "gone", "cluster": {"server": "https://127.0.0.1:1"}})
    config["contexts"].append(
        {"name": "gone", "context": {"cluster": "gone", "user": config["users"][0]["name"]}}
    )
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    other = Mesh(tmp_path, {**mesh.env, "KUBECONFIG": str(kubeconfig)})
    document = yaml.safe_load(mesh.file.read_text())
    document["spec"]["clusters"].append({"name": "cluster3", "context": "gone"})
    other.file.write_text(yaml.safe_dump(document))
    answer = other("status", "--detailed-exitcode")
    assert answer.code == 6, answer
    assert "Mesh demo: 0 of 3 clusters ready, 2 of 6 links up, 2 not read." in answer.out
    assert "cluster3  gone      ?         ?        unreachable" in answer.out
    assert "cluster1  ztunnel    istio-system  2/2" in answer.out
    assert "cluster3: it cannot be reached: cluster cluster3 (context gone): " in answer.out
    assert "Warning: cluster cluster1 has no working link to cluster3: missing" in answer.out


READER = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: narrow}
rules:
- {apiGroups: ["", apps], resources: [namespaces, nodes, deployments, daemonsets, pods], verbs: [get, list]}
- {apiGroups: [gateway.networking.k8s.io], resources: [gateways], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: narrow}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: narrow}
subjects: [{kind: ServiceAccount, name: narrow, namespace: default}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: narrow, namespace: default}
"""


def test_what_an_identity_may_not_read_is_said_and_the_rest_is_shown(
    mesh: Mesh, kubectl: Tool, tmp_path: Path
) -> None:
    kubectl("cluster1", "apply", "-f", "-", stdin=READER)
    config = yaml.safe_load(Path(mesh.env["KUBECONFIG"]).read_text())
    granted(kubectl, "cluster1", "narrow", "list", "nodes")
    token = kubectl("cluster1", "create", "token", "narrow").strip()
    user = next(each["context"]["user"] for each in config["contexts"] if each["name"] == "cluster1")
    next(each for each in config["users"] if each["name"] == user)["user"] = {"token": token}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    answer = mesh("status", "--json", env={"KUBECONFIG": str(kubeconfig)})
    assert answer.code == 6, answer
    cluster = json.loads(answer.out)["clusters"][0]
    kubectl("cluster1", "delete", "-f", "-", stdin=READER)
    assert cluster["reachable"]
    assert [*cluster["unread"]] == ["certificate and licence"]
    assert "secrets" in cluster["unread"]["certificate and licence"]
    assert [(each["ready"], each["chart"]) for each in cluster["pods"]] == [(1, ""), (2, ""), (2, "")]
    assert cluster["peers"][0]["is_ready"]
    assert cluster["network"]["label"] == "cluster1"


# --- plan, status and check agree ---------------------------------------------------------------------------

SERVICE_TYPE = "peering.solo.io/data-plane-service-type"
OTHER_PORT = '[{"op": "replace", "path": "/spec/listeners/1/port", "value": 31000}]'


def row_of(mesh: Mesh, address: str) -> Any:
    found = facts(mesh)
    return next(row for each in found["clusters"] for row in each["resources"] if row["address"] == address)


def test_a_link_on_a_wrong_port_is_stale_for_all(mesh: Mesh, kubectl: Tool, eventually: Eventually) -> None:
    kubectl("cluster1", "patch", GATEWAY, *EDGE, PEER, "--type=json", "-p", OTHER_PORT)
    assert disagreements(mesh) == []
    row = row_of(mesh, "link/cluster1/cluster2")
    assert row["why"] == "stale: it leads to port 31000, istiod is at port 15012"
    assert "1 of 2 links up" in mesh("status").out
    told = json.loads(mesh("check", "--json", "--only", "S10", "--only", "S12").out)["results"]
    says = [finding["says"] for each in told for finding in each["findings"]]
    assert sum(row["why"] in each for each in says) == 2
    mesh.applied()
    settled(mesh, eventually)


def test_links_beside_a_deleted_gateway_are_not_up(mesh: Mesh, kubectl: Tool, eventually: Eventually) -> None:
    kubectl("cluster2", "delete", GATEWAY, *EDGE, "istio-eastwest")
    assert disagreements(mesh) == []
    answer = mesh("status")
    assert "1 of 2 links up" in answer.out
    assert "link/cluster1/cluster2: stale: gateway/cluster2/istio-eastwest, which it leads to" in answer.out
    mesh.applied()
    settled(mesh, eventually)


def test_a_gateway_whose_service_is_not_switched_yet_is_not_ready_for_all(
    mesh: Mesh, kubectl: Tool, eventually: Eventually
) -> None:
    scale = ("scale", "deployment", "istiod", "-n", "istio-system")
    kubectl("cluster1", *scale, "--replicas=0")
    kubectl("cluster1", "wait", "--for=delete", "pod", "-n", "istio-system", "-l", "app=istiod")
    annotate = ("annotate", "--overwrite", GATEWAY, *EDGE, "istio-eastwest")
    kubectl("cluster1", *annotate, f"{SERVICE_TYPE}=nodeport")
    assert disagreements(mesh) == []
    why = "its Service is not of type NodePort yet"
    rows = facts(mesh)["clusters"][0]["gateways"]
    assert [(each["address"], each["why"], each["is_ready"]) for each in rows] == [("", why, False)]
    told = json.loads(mesh("check", "--json", "--only", "Q11").out)["results"]
    assert why in json.dumps(told)
    kubectl("cluster1", *scale, "--replicas=1")
    mesh.applied()
    settled(mesh, eventually)
