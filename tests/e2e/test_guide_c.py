"""Guide C on a lab of three: a management plane links the clusters, and what it does not do is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mesh.lab import Lab, charts
from tests.conftest import output

from .hands import Mesh, block, home

CONTEXTS = {"mgmt": "cluster1", "cluster1": "cluster2", "cluster2": "cluster3"}
EDGE = ("-n", "istio-eastwest")
GLOO = ("-n", "gloo-mesh")
SERVER = ("deployment/gloo-mesh-mgmt-server", *GLOO)
CRDS = tuple(
    word for name in CONTEXTS for word in ("--allow-new-objects", f"chart/{name}/gloo-platform-crds")
)
"""The charts come from helm's own records, and the guide's values make them create CRDs."""
ELSEWHERE = '[{"op": "replace", "path": "/spec/addresses/0/value", "value": "100.1.2.3"}]'


@dataclass(frozen=True)
class Hand:
    """The lab's own kubectl and helm, by the names of the mesh."""

    lab: Lab

    def kubectl(self, cluster: str, *args: str, stdin: str = "") -> str:
        return self._run("kubectl", "--context", CONTEXTS[cluster], *args, stdin=stdin)

    def helm(self, cluster: str, *args: str) -> str:
        return self._run("helm", "--kube-context", CONTEXTS[cluster], *args)

    def values(self, cluster: str, release: str) -> Any:
        return json.loads(self.helm(cluster, "get", "values", release, *GLOO, "-o", "json"))

    def _run(self, program: str, *args: str, stdin: str = "") -> str:
        return output(self.lab, [program, *args], stdin, timeout=100)


@pytest.fixture(scope="module")
def hand(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    one = Lab.open("guide-c", folder=tmp_path_factory.mktemp("guide-c") / "state")
    try:
        one.up(clusters=3, nodes=1)
        yield Hand(one)
    finally:
        one.down()


def automatic(spec: Any) -> None:
    spec["links"] = {"automatic": {"management": "mgmt"}}


@pytest.fixture(scope="module")
def mesh(hand: Hand, tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    one = home(hand.lab, tmp_path_factory.mktemp("guide-c-home") / "home")

    def three(spec: Any) -> None:
        spec["clusters"] = [{"name": name, "context": context} for name, context in CONTEXTS.items()]

    one.edit(three)
    return one


def install(hand: Hand) -> None:
    """What a user of the management plane has before: its releases, with values of their own."""
    for cluster in CONTEXTS:
        chart = str(charts.platform("gloo-platform-crds"))
        hand.helm(cluster, "install", "gloo-platform-crds", chart, *GLOO, "--create-namespace", "--set=odd=1")
    plane = ("--set=common.cluster=mgmt", "--set=licensing.glooMeshLicenseKey=gloo-licence")
    hand.helm("mgmt", "install", "my-gloo", str(charts.platform("gloo-platform")), *GLOO, *plane)


def register(hand: Hand, approval: str) -> None:
    for name in CONTEXTS:
        about = {"name": name, "namespace": "gloo-mesh"}
        body = {"apiVersion": "admin.gloo.solo.io/v2", "kind": "KubernetesCluster", "metadata": about}
        hand.kubectl("mgmt", "apply", "-f", "-", stdin=json.dumps(body))
        state = json.dumps({"status": {"common": {"State": {"approval": approval}}}})
        patch = ("--subresource=status", "--type=merge", "-p", state)
        hand.kubectl("mgmt", "patch", "kubernetescluster", name, *GLOO, *patch)


def peers(hand: Hand, cluster: str) -> set[str]:
    names = hand.kubectl(cluster, "get", "gateway", *EDGE, "-o", "name").split()
    return {name.rpartition("-peer-")[2] for name in names if "-peer-" in name}


def test_manual_links_come_first(mesh: Mesh, hand: Hand) -> None:
    mesh.mended()
    assert peers(hand, "mgmt") == {"cluster1", "cluster2"}


def test_a_plan_refuses_all_that_is_missing_at_once_with_the_commands(mesh: Mesh, hand: Hand) -> None:
    mesh.edit(automatic)
    refused = mesh("plan")
    assert refused.code == 5, refused
    assert refused.err.count("has no release of the chart gloo-platform") == 4
    assert "helm install gloo-platform gloo-platform --repo " in refused.err
    assert refused.err.count("meshctl cluster register ") == 3


def test_a_cluster_that_was_not_let_in_is_refused(mesh: Mesh, hand: Hand) -> None:
    install(hand)
    register(hand, "PENDING")
    refused = mesh("plan")
    assert refused.code == 5, refused
    assert refused.err.count("has approval PENDING, not ACCEPTED") == 3
    assert "has no release" not in refused.err


def test_the_switch_deletes_first_and_announces_the_gap(mesh: Mesh, hand: Hand) -> None:
    register(hand, "ACCEPTED")
    refused = mesh("plan")
    assert refused.code == 5, refused
    for name in CONTEXTS:
        assert f"`--allow-new-objects chart/{name}/gloo-platform-crds`" in refused.err
    plan = mesh.pending(*CRDS).out
    assert "+ values.env.PEERING_AUTOMATIC_LOCAL_GATEWAY" in block(plan, "chart/mgmt/istiod")
    assert "+ values.featureGates.ConfigDistribution = true" in block(plan, "chart/mgmt/gloo-platform")
    assert "+ values.installEnterpriseCrds = true" in block(plan, "chart/cluster2/gloo-platform-crds")
    assert "gloo-licence" not in plan
    assert "are removed before automatic linking is switched on" in " ".join(plan.split())
    answer = mesh.applied(*CRDS)
    assert "6 destroyed" in answer.out
    told = [line.split() for line in (answer.out + answer.err).splitlines() if line[2:3] == ":"]
    addresses = [words[3] for words in told if len(words) > 3]
    links = [at for at, address in enumerate(addresses) if address.startswith("link/")]
    begun = [at for at, address in enumerate(addresses) if address.endswith(("/istiod", "/gloo-platform"))]
    assert len({addresses[at] for at in links}) == 6
    assert max(links) < min(begun)
    mesh.settled()


def test_existing_values_stay_and_peers_are_everywhere(mesh: Mesh, hand: Hand) -> None:
    assert hand.values("mgmt", "my-gloo") == {
        "common": {"cluster": "mgmt"},
        "licensing": {"glooMeshLicenseKey": "gloo-licence"},
        "featureGates": {"ConfigDistribution": True},
    }
    assert hand.values("cluster1", "gloo-platform-crds") == {"odd": 1, "installEnterpriseCrds": True}
    for cluster in CONTEXTS:
        assert peers(hand, cluster) == set(CONTEXTS)


def test_status_prints_the_tables_of_the_guide(mesh: Mesh) -> None:
    status = mesh("status", "--detailed-exitcode")
    assert status.code == 0, status
    assert "3 of 3 clusters ready, 6 of 6 links up" in status.out
    for cluster in CONTEXTS:
        title = f"Gateways of {cluster}" + (" (management cluster)" if cluster == "mgmt" else "")
        table = status.out.partition(f"{title}\n")[2].partition("\n\n")[0].splitlines()
        assert table[0].split()[:5] == ["NAMESPACE", "NAME", "CLASS", "ADDRESS", "PROGRAMMED"]
        rows = {line.split()[1]: line.split() for line in table[1:]}
        assert set(rows) == {"istio-eastwest", *(f"istio-remote-peer-{name}" for name in CONTEXTS)}
        for name in CONTEXTS:
            own = name == cluster
            row = rows[f"istio-remote-peer-{name}"]
            assert row[4:7] == (["True", "own", "own"] if own else ["True", "True", "True"])
            assert row[-1] == ("istio-eastwest" if own else "gloo-mesh-mgmt-server")


def test_what_a_stopped_distributor_leaves_is_told(mesh: Mesh, hand: Hand) -> None:
    hand.kubectl("mgmt", "scale", *SERVER, "--replicas=0")
    hand.kubectl("mgmt", "wait", "--for=delete", "pod", "-l", "app=gloo-mesh-mgmt-server", *GLOO)
    hand.kubectl("cluster1", "delete", "gateway", "istio-remote-peer-cluster2", *EDGE)
    patch = ("patch", "gateway", "istio-remote-peer-cluster1", *EDGE, "--type=json", "-p", ELSEWHERE)
    hand.kubectl("cluster2", *patch)
    plan = mesh("plan", "--detailed-exitcode")
    assert plan.code == 2, plan
    assert "peer/cluster1/cluster2: Gloo has not distributed it yet" in plan.out
    assert "peer/cluster2/cluster1: stale: it leads to 100.1.2.3" in plan.out
    assert "0 to add, 0 to change, 0 to destroy" in plan.out
    status = mesh("status", "--detailed-exitcode")
    assert status.code == 2, status
    assert "cluster1: peer/cluster1/cluster2: Gloo has not distributed it yet" in status.out
    assert "cluster2: peer/cluster2/cluster1: stale: it leads to 100.1.2.3" in status.out
    check = mesh("check", "--only", "S18", "--only", "S10", "--only", "S12")
    assert check.code == 5, check
    assert "cluster1: peer for cluster2: Gloo has not distributed it yet" in check.out
    assert "cluster2: peer istio-eastwest/istio-remote-peer-cluster1 is stale: it leads to" in check.out
    assert "S10  error" in check.out
    late = mesh("apply", "--yes", "--timeout", "2")
    assert late.code == 6, late


@pytest.mark.breaks("S18")
def test_once_it_runs_again_apply_waits_until_all_is_well(mesh: Mesh, hand: Hand) -> None:
    assert mesh("check", "--only", "S18", "--json").code == 5
    hand.kubectl("mgmt", "scale", *SERVER, "--replicas=1")
    mesh.mended()
    check = mesh("check", "--only", "S18", "--only", "S10", "--only", "S12")
    assert check.code == 0, check
    assert check.out.count("  ok  ") == 3
    assert mesh("check", "--only", "S18", "--json").code == 0


def test_a_peer_made_by_hand_beside_it_is_refused(mesh: Mesh, hand: Hand) -> None:
    theirs = ("get", "gateway", "istio-remote-peer-cluster2", *EDGE, "-o", "json")
    made = json.loads(hand.kubectl("cluster1", *theirs))
    network = {"topology.istio.io/network": "cluster2"}
    kept = {"name": "by-hand", "namespace": "istio-eastwest", "labels": network}
    body = {key: made[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": kept}
    hand.kubectl("cluster1", "apply", "-f", "-", stdin=json.dumps(body))
    refused = mesh("plan")
    assert refused.code == 5, refused
    assert "made by hand: istio-eastwest/by-hand (field manager kubectl" in refused.err
    hand.kubectl("cluster1", "delete", "gateway", "by-hand", *EDGE)
    mesh.mended()


def test_a_lost_record_is_rebuilt_without_the_copied_marks(mesh: Mesh) -> None:
    before = mesh.lock()["resources"]
    (mesh.folder / "mesh.lock").unlink()
    answer = mesh("state", "rebuild")
    assert answer.code == 0, answer
    assert {key for key in mesh.lock()["resources"] if key.startswith("gateway/")} == {
        key for key in before if key.startswith("gateway/")
    }
    mesh.mended()


def test_the_way_back_to_manual_links_waits_for_the_distributed_peers_to_go(mesh: Mesh, hand: Hand) -> None:
    mesh.edit(lambda spec: spec.update(links="full-mesh"))
    hand.kubectl("mgmt", "scale", *SERVER, "--replicas=0")
    hand.kubectl("mgmt", "wait", "--for=delete", "pod", "-l", "app=gloo-mesh-mgmt-server", *GLOO)
    plan = mesh.pending().out
    assert "will be created" in block(plan, "link/cluster1/cluster2")
    assert "will be destroyed" in block(plan, "peer/cluster1/cluster2")
    assert "- values.env.PEERING_AUTOMATIC_LOCAL_GATEWAY" in block(plan, "chart/mgmt/istiod")
    words = " ".join(plan.split())
    assert "switched off, and its peers are deleted, before mesh makes its links: calls from" in words
    stuck = mesh("apply", "--yes", "--timeout", "20")
    assert stuck.code == 6, stuck
    told = " ".join((stuck.out + stuck.err).split())
    assert "istio-eastwest/istio-remote-peer-cluster2 still exists" in told
    assert "kubectl delete gateway -n istio-eastwest istio-remote-peer-cluster2" in told
    assert "link/cluster1/cluster2" not in mesh.lock()["resources"]
    hand.kubectl("mgmt", "scale", *SERVER, "--replicas=1")
    # Those of cluster1 are gone before the plan, which forgets them; the apply makes links in their place.
    gone = [f"gateway/istio-remote-peer-{name}" for name in CONTEXTS if name != "cluster1"]
    hand.kubectl("cluster1", "wait", "--for=delete", *gone, *EDGE)
    mesh.mended()
    for cluster in CONTEXTS:
        assert peers(hand, cluster) == set(CONTEXTS) - {cluster}
        template = "jsonpath={range .items[*]}{.metadata.labels.meshform\\.io/mesh} {end}"
        made = hand.kubectl(cluster, "get", "gateway", *EDGE, "-o", template)
        assert made.split() == ["demo"] * 3
    assert hand.values("cluster1", "gloo-platform-crds") == {"odd": 1}
    assert not [key for key in mesh.lock()["resources"] if key.startswith(("peer/", "registration/"))]


def test_automatic_linking_can_be_switched_on_again(mesh: Mesh, hand: Hand) -> None:
    mesh.edit(automatic)
    mesh.mended(*CRDS)
    for cluster in CONTEXTS:
        assert peers(hand, cluster) == set(CONTEXTS)


def test_destroy_gives_the_releases_back(mesh: Mesh, hand: Hand) -> None:
    answer = mesh("destroy", "--yes", "--ignore-enrolled", "--crds")
    assert answer.code == 0, answer
    assert hand.values("mgmt", "my-gloo") == {
        "common": {"cluster": "mgmt"},
        "licensing": {"glooMeshLicenseKey": "gloo-licence"},
    }
    for cluster in CONTEXTS:
        assert hand.values(cluster, "gloo-platform-crds") == {"odd": 1}
