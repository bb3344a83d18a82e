from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.cli.views.status import status_json, status_text
from mesh.config.decode import load_mesh
from mesh.config.resolve.overrides import Overrides
from mesh.lab import Lab
from mesh.queries.status.judge import authority, conditions, image_tag, workload
from mesh.queries.status.model import (
    CertificateStatus,
    ClusterStatus,
    GatewayStatus,
    PeerStatus,
    Status,
    Workload,
)
from mesh.queries.status.read import read_status
from mesh.world import Kube, World
from mesh.world.clock import SystemClock
from mesh.world.kube.client import connect
from mesh.world.pki import inspect_bundle
from tests.conftest import Tool, granted
from tests.e2e.hands import Mesh, home, swept
from tests.world.pki.certs import NOW, bundle, root

PEER = "istio-remote-peer-cluster2"
ROOT = "sha256:" + "ab" * 32


def healthy(name: str) -> ClusterStatus:
    """A cluster in which nothing is wrong."""
    return ClusterStatus(
        name,
        context=f"{name}-admin",
        wanted_network=name,
        licence="istio-system/solo-istio-license",
        network=name,
        has_licence=True,
        workloads=(
            Workload("ztunnel", "istio-system", "ztunnel", 2, 2, 2, "1.30.2-solo", "1.30.2-solo", "deployed"),
        ),
        gateways=(
            GatewayStatus("istio-eastwest", "istio-eastwest", "istio-eastwest", "10.0.0.1", "True", "demo"),
        ),
        peers=(
            PeerStatus(
                *("istio-eastwest", "istio-remote-peer-other", "istio-remote", "other", "other", "10.0.0.2"),
                *("True", "True", "demo", "other"),
            ),
        ),
        authority=CertificateStatus(
            f"CN=demo/{name}", "CN=demo Root", ROOT, (ROOT,), datetime(2027, 1, 2, tzinfo=UTC), days_left=300
        ),
    )


NOTHING: dict[str, Any] = {"replicas": 0, "template": {"spec": {}}}


def nobody(_workload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A workload without a pod."""
    return []


def text_of(*clusters: ClusterStatus, roots: tuple[str, ...] = ()) -> str:
    return status_text(Status("demo", clusters, roots), colour=False)


def test_a_healthy_mesh_is_told_in_tables_and_nothing_else() -> None:
    assert text_of(healthy("c1")) == (
        "Mesh demo: 1 of 1 cluster ready, 1 of 1 links up.\n"
        "\n"
        "Clusters\n"
        "CLUSTER  CONTEXT   NETWORK  LICENCE  STATE\n"
        "c1       c1-admin  c1       present  ready\n"
        "\n"
        "Pods\n"
        "CLUSTER  COMPONENT  NAMESPACE     READY  NODES  TAG          CHART        RELEASE\n"
        "c1       ztunnel    istio-system  2/2    2      1.30.2-solo  1.30.2-solo  deployed\n"
        "\n"
        "East-west gateways\n"
        "CLUSTER  NAMESPACE       NAME            CLASS           ADDRESS   PROGRAMMED  OWNER\n"
        "c1       istio-eastwest  istio-eastwest  istio-eastwest  10.0.0.1  True        demo\n"
        "\n"
        "Peers\n"
        "CLUSTER  NAMESPACE       NAME                     CLASS         TARGET  NETWORK  ADDRESS   CONNECTED"
        "  SUCCEEDED  OWNER\n"
        "c1       istio-eastwest  istio-remote-peer-other  istio-remote  other   other    10.0.0.2  True     "
        "  True       demo\n"
        "\n"
        "Intermediate CAs (nothing to compare)\n"
        "CLUSTER  SUBJECT     ISSUER        ROOT                 EXPIRES     DAYS LEFT\n"
        "c1       CN=demo/c1  CN=demo Root  sha256:abababababab  2027-01-02  300\n"
    )


def test_a_cluster_that_does_not_answer_is_a_row_and_hides_no_other() -> None:
    silent = ClusterStatus("c2", "c2-admin", "c2", "istio-system/x", unreachable="timed out")
    text = text_of(healthy("c1"), silent)
    assert "c2       c2-admin  ?        ?        unreachable\n" in text
    assert "c1       c1-admin  c1       present  ready\n" in text
    assert "Not ready\n  c2: it cannot be reached: timed out\n" in text
    assert "Warning: cluster c2 cannot be reached\n" in text
    assert not Status("demo", (healthy("c1"), silent)).ready


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"network": ""}, "its network label is not there, c1 is wanted"),
        ({"network": "net9"}, "its network label is net9, c1 is wanted"),
        (
            {"has_licence": False},
            "its licence, Secret istio-system/solo-istio-license, is not there or empty",
        ),
        ({"unread": {"pods": "forbidden"}}, "its pods could not be read: forbidden"),
        ({"workloads": (Workload("cni", "x", why="it is not installed"),)}, "cni: it is not installed"),
        ({"gateways": (GatewayStatus("e", "g", why="it is not there"),)}, "gateway e/g: it is not there"),
        ({"peers": (PeerStatus("e", "p", why="it is not there"),)}, "peer e/p: it is not there"),
        ({"authority": CertificateStatus(why="expired")}, "cacerts: expired"),
    ],
)
def test_each_thing_that_is_wrong_is_said_and_makes_the_mesh_not_ready(
    change: Mapping[str, Any], said: str
) -> None:
    cluster = replace(healthy("c1"), **change)
    assert cluster.troubles == (said,)
    assert not Status("demo", (cluster,)).ready
    assert f"Not ready\n  c1: {said}\n" in text_of(cluster)


def test_what_could_not_be_read_is_not_called_absent() -> None:
    cluster = replace(
        healthy("c1"),
        network="",
        has_licence=False,
        unread={"network label": "no", "certificate and licence": "no"},
    )
    assert [line.partition(" could")[0] for line in cluster.troubles] == [
        "its network label",
        "its certificate and licence",
    ]
    assert "not read\n" in text_of(cluster)


def test_a_licence_among_the_values_of_istiod_is_not_called_absent() -> None:
    cluster = replace(healthy("c1"), has_licence=False, clear_licence=True)
    assert cluster.troubles == ()
    assert "c1       c1-admin  c1       in clear text  ready\n" in text_of(cluster)


def test_roots_that_differ_are_the_first_warning() -> None:
    differ = "the clusters do not share a root of trust: c1 a, c2 b"
    status = Status("demo", (healthy("c1"), healthy("c2")), (differ,))
    assert (status.ready, status.same_root, status.warnings) == (False, False, (differ,))
    assert "Intermediate CAs (ROOTS DIFFER)" in text_of(*status.clusters, roots=(differ,))
    assert replace(status, roots=()).same_root is True


def test_a_certificate_that_expires_soon_is_a_warning_and_still_ready() -> None:
    soon = replace(
        healthy("c1"),
        authority=replace(healthy("c1").authority or CertificateStatus(), expiring=True, days_left=9),
    )
    status = Status("demo", (soon,))
    assert status.ready
    assert status.warnings == ("the intermediate CA of cluster c1 expires in 9 days",)


@pytest.mark.parametrize(
    ("life", "left", "expiring"),
    [(365, 200, False), (365, 91, False), (365, 89, True), (365, 1, True), (6, 3, False), (6, 1, True)],
)
def test_the_time_to_renew_is_that_of_the_plan(life: int, left: int, expiring: bool) -> None:
    signed = bundle(root(), validity=timedelta(days=life))
    now = NOW + timedelta(days=life - left)
    found = authority(inspect_bundle(signed, now), timedelta(days=90), now)
    assert (found.expiring, found.days_left, found.why) == (expiring, left, "")
    assert found.roots == (found.root,)


def test_a_certificate_that_cannot_be_used_says_why() -> None:
    signed = bundle(root(), validity=timedelta(days=10))
    after = NOW + timedelta(days=11)
    assert "expired on" in authority(inspect_bundle(signed, after), timedelta(days=1), after).why
    broken = replace(signed, ca_cert="no certificate")
    found = authority(inspect_bundle(broken, NOW), timedelta(days=1), NOW)
    assert (found.expires, found.why) == (
        None,
        "ca-cert.pem: it has no certificate in PEM form, or a damaged one",
    )


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("registry.example:5000/istio/pilot:1.30.2-solo", "1.30.2-solo"),
        ("registry.example:5000/istio/pilot", ""),
        ("istio/pilot:1.2@sha256:00", "1.2"),
        ("", ""),
    ],
)
def test_a_tag_is_read_off_an_image(image: str, tag: str) -> None:
    assert image_tag(image) == tag


def test_a_deployment_that_somebody_scaled_to_nothing_is_not_ready() -> None:
    found = workload(
        "istiod", {"kind": "Deployment", "metadata": {"name": "istiod"}, "spec": NOTHING}, 2, nobody
    )
    assert (found.ready, found.desired) == (0, 0)
    assert found.why == "Deployment istiod: it is scaled to 0 replicas"


def test_a_condition_of_an_older_generation_says_nothing() -> None:
    reported = [{"type": "A", "status": "True", "observedGeneration": 1}, {"type": "B", "status": "False"}]
    obj = {"metadata": {"generation": 2}, "status": {"conditions": reported}}
    assert conditions(obj) == {"A": "Unknown", "B": "False"}


def test_words_of_a_cluster_do_not_act_on_the_terminal() -> None:
    nasty = "\x1b]0;x\x07\u202e\n"
    text = text_of(
        replace(healthy("c1"), network=nasty, peers=(PeerStatus("e", nasty, owner=nasty, why=nasty),))
    )
    assert all(line.isprintable() for line in text.split("\n"))


def test_json_has_one_shape_whatever_is_there() -> None:
    silent = ClusterStatus("c2", "c2-admin", "c2", "istio-system/x", unreachable="timed out")
    data = json.loads(json.dumps(status_json(Status("demo", (healthy("c1"), silent)))))
    assert data["format_version"] == "1.1"
    assert (data["ready"], data["same_root"], data["mesh"]) == (False, None, "demo")
    first, second = data["clusters"]
    assert first.keys() == second.keys()
    assert first["peers"][0]["class"] == "istio-remote"
    assert first["intermediate_ca"]["expires"] == "2027-01-02T00:00:00+00:00"
    assert (second["reachable"], second["error"], second["intermediate_ca"]) == (False, "timed out", None)


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
    assert "Intermediate CAs (one root in all clusters)" in answer.out
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

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"status must not call {name}")


def test_a_cluster_is_asked_for_eight_lists_at_most_and_for_nothing_else(mesh: Mesh) -> None:
    document = load_mesh(mesh.file, Overrides())
    targets = [(each.name, each.context, each.kubeconfig) for each in document.clusters]
    kubes = {name: Counted(kube) for name, kube in connect(targets, dict(mesh.env)).items()}
    world = World(kubes, {}, SystemClock(), mesh.env, mesh.folder)
    assert read_status(document, world).ready
    for kube in kubes.values():
        assert sorted(kube.asked) == [
            "daemonsets",
            "deployments",
            "gateways",
            "namespaces",
            "nodes",
            "secrets",
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
    assert "cluster2: ztunnel: DaemonSet ztunnel: 1 of 2 pods are ready; pod ztunnel-" in answer.out
    settled(mesh, eventually)


def test_a_label_that_was_removed_is_missed(mesh: Mesh, kubectl: Tool, eventually: Eventually) -> None:
    label = "topology.istio.io/network"
    kubectl("cluster1", "label", "namespace", "istio-system", f"{label}-")
    answer = mesh("status", "--detailed-exitcode")
    kubectl("cluster1", "label", "namespace", "istio-system", f"{label}=cluster1")
    assert answer.code == 2
    assert "cluster1: its network label is not there, cluster1 is wanted" in answer.out
    settled(mesh, eventually)


def test_a_broken_link_is_told_with_the_words_of_istiod(
    mesh: Mesh, kubectl: Tool, eventually: Eventually
) -> None:
    annotate = ("annotate", "--overwrite", "gateway", "-n", "istio-eastwest", PEER)
    kubectl("cluster1", *annotate, "gateway.istio.io/trust-domain=wrong.local")
    answer = eventually(lambda: mesh("status", "--detailed-exitcode"), until=lambda each: each.code == 2)
    kubectl("cluster1", *annotate, "gateway.istio.io/trust-domain=cluster2.local")
    assert "1 of 2 links up" in answer.out
    assert "Warning: cluster cluster1 has no working link to cluster2: PeerConnected: " in answer.out
    settled(mesh, eventually)


def test_a_link_without_its_peer_object_is_a_row_that_says_so(
    mesh: Mesh, kubectl: Tool, eventually: Eventually
) -> None:
    kubectl("cluster1", "delete", "gateway", "-n", "istio-eastwest", PEER)
    peers = facts(mesh)["clusters"][0]["peers"]
    mesh.applied()
    assert [(each["name"], each["why"], each["connected"]) for each in peers] == [
        (PEER, "it is not there", "-")
    ]
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
    assert answer.code == 2, answer
    assert "Mesh demo: 0 of 3 clusters ready, 2 of 4 links up." in answer.out
    assert "cluster3  gone      ?         ?        unreachable" in answer.out
    assert "cluster1  ztunnel    istio-system  2/2" in answer.out
    assert "cluster3: it cannot be reached: cluster cluster3 (context gone): " in answer.out
    assert "Warning: cluster cluster1 has no working link to cluster3: it is not there" in answer.out


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
    cluster = facts(mesh, KUBECONFIG=str(kubeconfig))["clusters"][0]
    kubectl("cluster1", "delete", "-f", "-", stdin=READER)
    assert cluster["reachable"]
    assert [*cluster["unread"]] == ["certificate and licence"]
    assert "secrets" in cluster["unread"]["certificate and licence"]
    assert [(each["ready"], each["chart"]) for each in cluster["pods"]] == [(1, ""), (2, ""), (2, "")]
    assert cluster["peers"][0]["is_ready"]
    assert cluster["network"]["label"] == "cluster1"
