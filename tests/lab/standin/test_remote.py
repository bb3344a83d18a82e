"""Remote secrets on the stand-in istiods of two upstream clusters, made by kubectl and helm alone."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.lab import Lab, charts, gateway_api_crds
from tests.lab.standin.authority import Root
from tests.lab.standin.guide import SYSTEM
from tests.lab.standin.hand import Hand, eventually

CLUSTERS = ("cluster1", "cluster2")
READER = "istio-reader-service-account"
TOKEN = "lab-reader-token"
GATEWAY = "istio-eastwestgateway"
FLAG = "AMBIENT_ENABLE_MULTI_NETWORK"
SLOW = 90.0
"""An API server goes on believing a token for some seconds after it was revoked."""


@pytest.fixture(scope="module")
def pair(tools: Path, root: Root, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    """Two upstream clusters, each with a remote secret of the other."""
    lab = Lab.open("standin-upstream", folder=tmp_path_factory.mktemp("upstream") / "lab")
    hand = Hand(lab, charts.write(tmp_path_factory.mktemp("charts"), "1.29.2"))
    try:
        lab.up(clusters=2, nodes=1)
        for cluster in CLUSTERS:
            install(hand, cluster, root)
        for cluster in CLUSTERS:
            know(hand, cluster, hand.other(cluster))
        for cluster in CLUSTERS:
            synced(hand, cluster)
        yield hand
    finally:
        lab.down()


def values(cluster: str, extra: str = "") -> str:
    return f"""
profile: ambient
global: {{meshID: mesh1, multiCluster: {{clusterName: {cluster}}}, network: {cluster}}}
env: {{{FLAG}: "true"}}
{extra}"""


def install(hand: Hand, cluster: str, root: Root) -> None:
    hand.kubectl(cluster, "apply", "--server-side", "-f", str(gateway_api_crds()))
    hand.kubectl(cluster, "wait", "--for=condition=Established", "crd", "--all", "--timeout=90s")
    hand.apply(cluster, f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {SYSTEM}}}}}")
    hand.cacerts(cluster, root.intermediate(cluster))
    hand.chart(cluster, "istio-base", "base", "")
    hand.chart(cluster, "istiod", "istiod", values(cluster))
    hand.rolled_out(cluster)
    hand.label_network(cluster, cluster)
    expose(hand, cluster)
    revive(hand, cluster)


def expose(hand: Hand, cluster: str, mode: str = "ISTIO_MUTUAL") -> None:
    hand.apply(
        cluster,
        f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {GATEWAY}, namespace: {SYSTEM}, labels: {{topology.istio.io/network: {cluster}}}}}
spec:
  gatewayClassName: istio-east-west
  listeners:
  - name: mesh
    port: 15008
    protocol: HBONE
    tls: {{mode: Terminate, options: {{gateway.istio.io/tls-terminate-mode: {mode}}}}}
""",
    )


def revive(hand: Hand, cluster: str) -> None:
    """Make the reader's token, or a new one."""
    hand.apply(
        cluster,
        f"""
apiVersion: v1
kind: Secret
metadata:
  name: {TOKEN}
  namespace: {SYSTEM}
  annotations: {{kubernetes.io/service-account.name: {READER}}}
type: kubernetes.io/service-account-token
""",
    )


def know(hand: Hand, source: str, target: str, *, name: str = "", server: str = "") -> None:
    """Give `source` the remote secret of `target`, under another name or with another server if asked."""
    secret = eventually(
        lambda: hand.get(target, "secret", TOKEN), lambda found: "token" in found.get("data", {})
    )["data"]
    about = {"certificate-authority-data": secret["ca.crt"], "server": server or address(hand, target)}
    token = b64decode(secret["token"]).decode()
    config = {
        "clusters": [{"name": "one", "cluster": about}],
        "users": [{"name": "one", "user": {"token": token}}],
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
        "current-context": "one",
    }
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "remote", "namespace": SYSTEM, "labels": {"istio/multiCluster": "true"}},
        "stringData": {name or target: yaml.safe_dump(config)},
    }
    hand.kubectl(source, "delete", "secret", "remote", "-n", SYSTEM, "--ignore-not-found")
    hand.kubectl(source, "create", "-f", "-", stdin=json.dumps(body))


def address(hand: Hand, cluster: str) -> str:
    clusters = yaml.safe_load(hand.lab.kubeconfig.read_text())["clusters"]
    return next(str(one["cluster"]["server"]) for one in clusters if one["name"] == cluster)


def report(hand: Hand, cluster: str) -> dict[str, Any]:
    found = hand.get(cluster, "configmap", "lab-remote-clusters", "kube-public").get("data", {})
    return {name: json.loads(text) for name, text in found.items()}


def synced(hand: Hand, cluster: str) -> None:
    wanted = {hand.other(cluster): {"synced": True, "message": "synced"}}
    eventually(lambda: report(hand, cluster), lambda found: found == wanted, within=SLOW)


def says(hand: Hand, cluster: str, text: str, name: str = "") -> None:
    def wanted(found: dict[str, Any]) -> bool:
        one = found.get(name or hand.other(cluster), {})
        return one.get("synced") is False and text in one["message"]

    eventually(lambda: report(hand, cluster), wanted, within=SLOW)


def test_the_gateway_has_ports_address_and_condition_of_its_class(pair: Hand) -> None:
    service = pair.get("cluster1", "service", GATEWAY)["spec"]
    assert [port["port"] for port in service["ports"]] == [15021, 15008]
    gateway = pair.get("cluster1", "gateway", GATEWAY)["status"]
    assert gateway["addresses"]
    assert {each["type"]: each["status"] for each in gateway["conditions"]}["Programmed"] == "True"
    assert pair.get("cluster1", "deployment", GATEWAY)["spec"]["template"]["spec"]["containers"][0][
        "args"
    ] == [*("proxy", "router")]


def test_a_gateway_that_does_not_end_the_tunnel_is_not_programmed(pair: Hand) -> None:
    expose(pair, "cluster1", "SIMPLE")

    def programmed() -> str:
        conditions = pair.get("cluster1", "gateway", GATEWAY)["status"]["conditions"]
        return next(str(each["status"]) for each in conditions if each["type"] == "Programmed")

    eventually(programmed, lambda status: status == "False")
    expose(pair, "cluster1")
    eventually(programmed, lambda status: status == "True")


def test_one_way_is_one_way(pair: Hand) -> None:
    pair.kubectl("cluster2", "delete", "secret", "remote", "-n", SYSTEM)
    eventually(lambda: report(pair, "cluster2"), lambda found: found == {})
    synced(pair, "cluster1")
    know(pair, "cluster2", "cluster1")
    synced(pair, "cluster2")


def test_a_revoked_token_is_noticed(pair: Hand) -> None:
    pair.kubectl("cluster2", "delete", "secret", TOKEN, "-n", SYSTEM)
    says(pair, "cluster1", "401")
    revive(pair, "cluster2")
    know(pair, "cluster1", "cluster2")
    synced(pair, "cluster1")


def test_a_reader_without_rights_is_noticed(pair: Hand) -> None:
    binding = pair.get("cluster2", "clusterrolebinding", "istio-reader-clusterrole-istio-system", "")
    pair.kubectl("cluster2", "delete", "clusterrolebinding", binding["metadata"]["name"])
    says(pair, "cluster1", "403")
    pair.kubectl("cluster2", "create", "-f", "-", stdin=json.dumps(binding | {"metadata": fresh(binding)}))
    synced(pair, "cluster1")


def fresh(obj: dict[str, Any]) -> dict[str, Any]:
    return {name: obj["metadata"][name] for name in ("name", "labels", "annotations")}


@pytest.mark.parametrize(
    ("wrong", "text", "name"),
    [
        ({"name": "another"}, "the secret names cluster another but the peer's cluster is", "another"),
        ({"server": "https://127.0.0.1:9"}, "cannot be reached", ""),
    ],
)
def test_a_secret_that_leads_elsewhere_is_noticed(
    wrong: dict[str, str], text: str, name: str, pair: Hand
) -> None:
    know(pair, "cluster1", "cluster2", **wrong)
    says(pair, "cluster1", text, name)
    know(pair, "cluster1", "cluster2")
    synced(pair, "cluster1")


def test_networks_have_to_be_joined_on_both_sides(pair: Hand) -> None:
    pair.environment("cluster2", f"{FLAG}=false")
    says(pair, "cluster2", "not joined here")
    says(pair, "cluster1", "not joined in the peer's istiod")
    pair.environment("cluster2", f"{FLAG}=true")
    synced(pair, "cluster1")
    synced(pair, "cluster2")


def test_the_label_of_the_network_counts_on_both_sides(pair: Hand) -> None:
    pair.label_network("cluster2", "")
    says(pair, "cluster1", 'the peer: no "topology.istio.io/network" label')
    says(pair, "cluster2", 'no "topology.istio.io/network" label')
    pair.label_network("cluster2", "cluster2")
    synced(pair, "cluster1")


def test_a_gateway_is_needed_to_enter_a_network(pair: Hand) -> None:
    pair.kubectl("cluster2", "delete", "gateway", GATEWAY, "-n", SYSTEM)
    says(pair, "cluster1", "no east-west gateway for network cluster2")
    expose(pair, "cluster2")
    synced(pair, "cluster1")


def test_trust_domains_have_to_be_equal(pair: Hand) -> None:
    pair.reinstalled("cluster2", values("cluster2", "meshConfig: {trustDomain: two.example}"))
    says(pair, "cluster1", "ztunnel accepts cluster.local only")
    pair.reinstalled("cluster2", values("cluster2"))
    synced(pair, "cluster1")


def test_roots_have_to_be_shared(pair: Hand, root: Root, other_root: Root) -> None:
    pair.cacerts("cluster2", other_root.intermediate("cluster2"))
    pair.restart("cluster2")
    says(pair, "cluster1", "no common root of trust")
    pair.cacerts("cluster2", root.intermediate("cluster2"))
    pair.restart("cluster2")
    synced(pair, "cluster1")
