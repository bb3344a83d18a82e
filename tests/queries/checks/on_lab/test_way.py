"""The way to a cluster, and what a mesh file asks of one: checks that are broken by more than an object."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from mesh.model.spec import Mesh
from mesh.queries.checks.model import CheckStatus
from mesh.queries.checks.rules import apps
from tests.conftest import granted
from tests.lab.standin.guide import EDGE, SYSTEM
from tests.lab.standin.hand import eventually
from tests.providers.worlds import ahead
from tests.queries.checks.on_lab.changes import gone, made, ready_pods
from tests.queries.checks.on_lab.conftest import Rig, says, states

pytestmark = pytest.mark.long

LEASED = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "few", "namespace": EDGE},
    "spec": {"hard": {"services.loadbalancers": "1"}},
}


def with_contexts(mesh: Mesh, *contexts: str) -> Mesh:
    clusters = zip(mesh.clusters, contexts, strict=True)
    return replace(mesh, clusters=tuple(replace(each, context=context) for each, context in clusters))


@pytest.mark.breaks("P02")
def test_one_cluster_under_two_names_and_another_cluster_than_recorded_are_found(rig: Rig) -> None:
    twice = with_contexts(rig.desired(), "cluster1", "cluster1")
    found = says(rig.results("P02", mesh=twice)["P02"])
    assert "cluster1 and cluster2 are the same cluster" in found
    swapped = with_contexts(rig.desired(), "cluster2", "cluster1")
    assert "cluster1 is not the cluster recorded in the state" in says(
        rig.results("P02", mesh=swapped)["P02"]
    )
    assert states(rig.results("P02")["P02"]) == {CheckStatus.PASSED}


@pytest.mark.breaks("P05")
def test_clocks_that_differ_are_found(rig: Rig) -> None:
    late = ahead(rig.world(rig.desired()), timedelta(minutes=10))
    assert "s behind the clock of this machine" in says(rig.results("P05", world=late)["P05"])
    assert states(rig.results("P05")["P05"]) == {CheckStatus.PASSED}


def test_an_intermediate_near_its_end_is_found_before_it_ends(rig: Rig) -> None:
    later = ahead(rig.world(rig.desired()), timedelta(days=340))
    [first, _] = rig.results("P20", world=later)["P20"]
    assert "the intermediate certificate expires on" in says([first])
    assert first.severity is not None
    assert first.severity.value == "warning"


@pytest.mark.breaks("P25")
def test_one_load_balancer_too_many_is_found(rig: Rig) -> None:
    mesh = rig.desired()
    another = tuple(replace(each, eastwest=replace(each.eastwest, name="second")) for each in mesh.clusters)
    made(LEASED)(rig)
    try:
        rig.hand.kubectl(
            *("cluster1", "wait", "resourcequota/few", "-n", EDGE, "--timeout=60s"),
            "--for=jsonpath={.status.used.services\\.loadbalancers}=1",
        )
        found = says(rig.results("P25", mesh=replace(mesh, clusters=another))["P25"])
        assert "allows 1 load balancers, 1 are used" in found
        assert "a dry run of a Service of type LoadBalancer is rejected: " in found
    finally:
        gone(LEASED)(rig)
    assert states(rig.results("P25")["P25"]) == {CheckStatus.PASSED}


@pytest.mark.breaks("P27")
def test_addresses_that_two_clusters_of_one_network_share_are_found(rig: Rig) -> None:
    """A node of cluster2 with the addresses of one of cluster1, until it and the pods on it are gone."""
    flat = replace(
        rig.desired(), clusters=tuple(replace(each, network="flat") for each in rig.desired().clusters)
    )
    theirs = rig.hand.kubectl("cluster1", "get", "nodes", "-o", "jsonpath={.items[0].spec.podCIDR}")
    twin = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "twin"}, "spec": {"podCIDR": theirs}}
    twin["metadata"] |= {"labels": {"kubernetes.io/os": "windows"}}  # type: ignore[operator]
    twin["spec"] |= {"podCIDRs": [theirs], "unschedulable": True}  # type: ignore[operator]
    made(twin, cluster="cluster2")(rig)
    try:
        found = says(rig.results("P27", mesh=flat)["P27"])
        assert f"cluster1 and cluster2 are on one network, but their pod ranges overlap: {theirs}" in found
    finally:
        gone(twin, cluster="cluster2")(rig)
        waiting = ("-n", SYSTEM, "--field-selector", "status.phase=Pending")  # it had no room for a pod
        rig.hand.kubectl("cluster2", "delete", "pods", *waiting)
        rig.hand.alone("cluster2", SYSTEM, "k8s-app=istio-cni-node", 2)
    assert states(rig.results("P27", mesh=flat)["P27"]) == {CheckStatus.PASSED}


@pytest.mark.breaks("P32")
def test_more_workloads_than_the_defaults_bear_are_found(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is lowered to three for it: ten thousand pods take an API server minutes."""
    monkeypatch.setattr(apps, "MANY", 3)
    shop = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "crowd"}}
    shop["metadata"] |= {"labels": {"istio.io/dataplane-mode": "ambient"}}  # type: ignore[operator]
    made(shop)(rig)
    try:
        image = "--image=registry.invalid/a"
        rig.hand.kubectl("cluster1", "create", "deployment", "web", "-n", "crowd", image, "--replicas=4")
        ready_pods(rig, "crowd", 4)
        assert "4 workloads are in the mesh" in says(rig.results("P32")["P32"])
        rig.hand.kubectl("cluster1", "scale", "deployment", "web", "-n", "crowd", "--replicas=3")
        eventually(lambda: states(rig.results("P32")["P32"]), lambda seen: seen == {CheckStatus.PASSED})
    finally:
        gone(shop)(rig)


@pytest.mark.breaks("P01")
def test_an_api_server_that_is_off_is_found_and_nothing_else_of_it_passes(rig: Rig) -> None:
    rig.hand.lab.stop("cluster2")
    try:
        results = rig.results("P01", "P18", "Q01", "S01")
    finally:
        rig.hand.lab.start("cluster2")
    assert "cluster2: the API server does not answer: " in says(results["P01"])
    assert [each.state for each in results["Q01"]] == [CheckStatus.PASSED, CheckStatus.SKIPPED]
    assert states(results["P18"]) == {CheckStatus.SKIPPED}
    rig.hand.healthy("cluster1")
    rig.hand.healthy("cluster2")
    assert states(rig.results("P01")["P01"]) == {CheckStatus.PASSED}


@pytest.mark.breaks("P30", "Q22")
def test_what_needs_a_plan_is_found_by_the_command(rig: Rig) -> None:
    """Drift of a label (Q22), an update of ztunnel that a lone replica would feel (P30)."""
    shop = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lone"}}
    shop["metadata"] |= {"labels": {"istio.io/dataplane-mode": "ambient"}}  # type: ignore[operator]
    text = rig.mesh.file.read_bytes()
    made(shop)(rig)
    try:
        image = "--image=registry.invalid/a"
        rig.hand.kubectl("cluster1", "create", "deployment", "one", "-n", "lone", image)
        rig.hand.kubectl("cluster1", "label", "ns", SYSTEM, "topology.istio.io/network-")
        rig.mesh.edit(lambda spec: spec.update(defaults={"values": {"ztunnel": {"env": {"A": "b"}}}}))
        answer = rig.mesh("check", "--json", "--only", "Q22", "--only", "P30", "--only", "P04")
        assert answer.code == 0, answer
        results = json.loads(answer.out)["results"]
        told = {each["id"]: str(each["findings"]) for each in results if each["findings"]}
        assert "Deployment lone/one has one replica" in told["P30"]
        assert (
            "label/cluster1/istio-system: missing: deleted outside mesh since the last apply" in told["Q22"]
        )
        assert {each["state"] for each in results if each["id"] == "P04"} == {"passed"}
        rig.hand.kubectl("cluster1", "scale", "deployment", "one", "-n", "lone", "--replicas=2")
        answer = rig.mesh("check", "--json", "--only", "P30")
        assert {each["state"] for each in json.loads(answer.out)["results"]} == {"passed"}
    finally:
        rig.mesh.file.write_bytes(text)
        rig.hand.kubectl("cluster1", "label", "ns", SYSTEM, "topology.istio.io/network=cluster1")
        gone(shop)(rig)
    assert json.loads(rig.mesh("check", "--json", "--only", "Q22").out)["summary"]["passed"] == 1


@pytest.mark.breaks("P04")
def test_rights_that_are_missing_are_found_before_anything_is_written(rig: Rig) -> None:
    """As an identity that may read everything: the plan warns, the check lists, apply refuses."""
    config = json.loads(rig.hand.kubectl("cluster1", "config", "view", "--raw", "-o", "json"))
    for user in config["users"]:
        user["user"] |= {"as": "system:serviceaccount:default:reader"}
    path = rig.folder / "reader.kubeconfig"
    path.write_text(json.dumps(config))
    rights = ("--verb=get,list,watch", "--resource=*.*")
    for cluster in ("cluster1", "cluster2"):
        rig.hand.kubectl(cluster, "create", "clusterrole", "checks-reader", *rights)
        bound = ("--clusterrole=checks-reader", "--serviceaccount=default:reader")
        rig.hand.kubectl(cluster, "create", "clusterrolebinding", "checks-reader", *bound)
        granted(rig.hand.kubectl, cluster, "reader", "list", "nodes")
    rig.hand.kubectl("cluster1", "label", "ns", SYSTEM, "topology.istio.io/network-")
    env = {"KUBECONFIG": str(path)}
    try:
        answer = rig.mesh("check", "--json", "--only", "P04", env=env)
        assert answer.code == 5, answer
        assert "may not patch namespaces" in answer.out
        assert rig.mesh("check", "--json", "--only", "P04").code == 0
        assert "this identity may not apply it" in rig.mesh("plan", env=env).out
        refused = rig.mesh("apply", "--yes", env=env)
        assert refused.code != 0, refused
    finally:
        rig.hand.kubectl("cluster1", "label", "ns", SYSTEM, "topology.istio.io/network=cluster1")
        for cluster in ("cluster1", "cluster2"):
            rig.hand.kubectl(cluster, "delete", "clusterrolebinding,clusterrole", "checks-reader")


def test_an_apply_is_refused_unless_the_check_is_left_out_and_the_plan_says_so(rig: Rig) -> None:
    pinned = "pod-security.kubernetes.io/enforce"
    rig.hand.kubectl("cluster1", "label", "ns", SYSTEM, f"{pinned}=baseline")
    rig.hand.kubectl("cluster1", "label", "ns", SYSTEM, "topology.istio.io/network-")
    try:
        refused = rig.mesh("apply", "--yes")
        assert refused.code == 5, refused
        assert f"P08 cluster1: namespace {SYSTEM} enforces pod security baseline" in refused.err
        assert "--skip-check P08" in refused.err
        plan = json.loads(rig.mesh("plan", "--json", "--skip-check", "P08").out)
        assert plan["skipped_checks"] == ["P08"]
        done = rig.mesh("apply", "--yes", "--skip-check", "P08")
        assert done.code == 0, done
        assert "apply skips the pre-flight checks P08" in done.out
    finally:
        rig.hand.kubectl("cluster1", "label", "ns", SYSTEM, f"{pinned}-")
    unknown = rig.mesh("apply", "--yes", "--skip-check", "P99")
    assert unknown.code == 64, unknown
