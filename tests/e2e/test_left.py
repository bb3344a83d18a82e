"""What somebody else made and the user leaves to them: used as it is, never touched, never doubled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Tool

from .hands import Mesh, block

EDGE = ("-n", "istio-eastwest")
PEER = "istio-remote-peer-cluster2"
CLUSTER = "topology.istio.io/cluster"
LINK = "link/cluster1/cluster2"
GATEWAY = "gateway/cluster1/istio-eastwest"


def in_another_name(kubectl: Tool, name: str, new: str, namespace: str) -> Any:
    """A gateway of ours, as a person would make it: another name, no mark."""
    theirs = json.loads(kubectl("cluster1", "get", "gateway", *EDGE, name, "-o", "json"))
    meta = theirs["metadata"]
    labels = {key: value for key, value in meta["labels"].items() if not key.startswith("meshform.io")}
    notes = {key: value for key, value in meta["annotations"].items() if not key.startswith("meshform.io")}
    about = {"name": new, "namespace": namespace, "labels": labels, "annotations": notes}
    return {"apiVersion": theirs["apiVersion"], "kind": "Gateway", "metadata": about, "spec": theirs["spec"]}


def replaced(kubectl: Tool, name: str, theirs: Any) -> None:
    """Delete ours, and let somebody make theirs."""
    kubectl("cluster1", "delete", "gateway", *EDGE, name)
    kubectl(
        "cluster1", "apply", "--server-side", "--field-manager=istioctl", "-f", "-", stdin=json.dumps(theirs)
    )


@pytest.fixture
def peer_elsewhere(mesh: Mesh, kubectl: Tool) -> Iterator[None]:
    """In cluster1, istioctl's peer for cluster2 in a namespace `peers` instead of ours."""
    kubectl("cluster1", "create", "namespace", "peers")
    replaced(kubectl, PEER, in_another_name(kubectl, PEER, "theirs", "peers"))
    yield
    kubectl("cluster1", "delete", "namespace", "peers")
    mesh.mended()


@pytest.fixture
def peer_of_others(mesh: Mesh, kubectl: Tool) -> Iterator[None]:
    """In cluster1, istioctl's peer for cluster2 instead of ours, another in name and in what it says."""
    theirs = in_another_name(kubectl, PEER, "theirs", "istio-eastwest")
    del theirs["metadata"]["labels"][CLUSTER]
    replaced(kubectl, PEER, theirs)
    yield
    kubectl("cluster1", "delete", "gateway", *EDGE, "theirs")
    mesh.mended()


@pytest.fixture
def gateway_of_others(mesh: Mesh, kubectl: Tool) -> Iterator[None]:
    """In cluster1, istioctl's east-west gateway instead of ours, another in what it says."""
    theirs = in_another_name(kubectl, "istio-eastwest", "istio-eastwest", "istio-eastwest")
    del theirs["metadata"]["labels"][CLUSTER]
    replaced(kubectl, "istio-eastwest", theirs)
    yield
    kubectl("cluster1", "delete", "gateway", *EDGE, "istio-eastwest")
    mesh.mended()


def peers(kubectl: Tool) -> set[str]:
    objects = json.loads(kubectl("cluster1", "get", "gateway", "-A", "-o", "json"))["items"]
    return {
        f"{each['metadata']['namespace']}/{each['metadata']['name']}"
        for each in objects
        if each["spec"]["gatewayClassName"] == "istio-remote"
    }


def test_a_peer_in_another_namespace_is_refused_or_left_and_never_doubled(
    mesh: Mesh, kubectl: Tool, peer_elsewhere: None
) -> None:
    refused = mesh("plan", "--take", LINK)
    assert refused.code == 5, refused
    assert "already has a peer in this cluster: peers/theirs, by field manager istioctl" in refused.err
    plan = mesh("plan", "--leave", LINK, "--detailed-exitcode")
    assert plan.code == 2, plan
    assert f"{LINK}: peers/theirs, left to field manager istioctl" in plan.out
    assert f"<= {LINK}: PeerConnected" in plan.out
    assert "0 to add, 0 to change, 0 to destroy" in plan.out
    late = mesh("apply", "--yes", "--timeout", "3", "--leave", LINK)
    assert late.code == 6, late
    assert LINK not in mesh.lock()["resources"]
    assert peers(kubectl) == {"peers/theirs"}
    kubectl("cluster1", "delete", "gateway", "-n", "peers", "theirs")
    assert "will be created" in block(mesh("plan", "--leave", LINK).out, LINK)


def test_a_peer_that_is_left_is_the_link(mesh: Mesh, kubectl: Tool, peer_of_others: None) -> None:
    refused = mesh("plan")
    assert refused.code == 5, refused
    assert "leave it to its owner (`--leave ADDRESS`), or remove it" in refused.err
    before = kubectl("cluster1", "get", "gateway", *EDGE, "theirs", "-o", "jsonpath={.spec}")
    mesh.edit(lambda spec: spec.update(leave=[LINK]))
    plan = json.loads(mesh("plan", "--json").out)
    assert [each["where"] for each in plan["left"]] == ["istio-eastwest/theirs"]
    assert plan["resource_changes"] == []
    assert "left to field manager istioctl" in mesh("plan", "--format", "markdown").out
    mesh.applied("--timeout", "100")
    mesh.settled()
    assert LINK not in mesh.lock()["resources"]
    assert peers(kubectl) == {"istio-eastwest/theirs"}
    after = kubectl("cluster1", "get", "gateway", *EDGE, "theirs", "-o", "jsonpath={.spec}")
    assert after == before
    status = json.loads(mesh("status", "--json").out)
    row = next(each for each in status["clusters"] if each["name"] == "cluster1")["peers"]
    assert [(each["namespace"], each["name"], each["link"]) for each in row] == [
        ("istio-eastwest", "theirs", "cluster2")
    ]
    assert "left to field manager istioctl" in mesh("why", LINK).out


def test_a_gateway_that_is_left_gives_its_address_to_the_links(
    mesh: Mesh, kubectl: Tool, gateway_of_others: None
) -> None:
    assert "will be updated in-place" in block(mesh.pending().out, GATEWAY)
    mesh.edit(lambda spec: spec.update(leave=[GATEWAY]))
    mesh.mended()
    assert GATEWAY not in mesh.lock()["resources"]
    service = ("get", "gateway", *EDGE, "istio-eastwest", "-o", "jsonpath={.status.addresses[0].value}")
    address = kubectl("cluster1", *service)
    there = (
        "get",
        "gateway",
        *EDGE,
        "istio-remote-peer-cluster1",
        "-o",
        "jsonpath={.spec.addresses[0].value}",
    )
    assert kubectl("cluster2", *there) == address
    assert mesh("status", "--detailed-exitcode").code == 0


def test_an_address_of_nothing_cannot_be_left(mesh: Mesh) -> None:
    answer = mesh("plan", "--leave", "link/cluster1/nowhere")
    assert answer.code == 64, answer
    assert "link/cluster1/nowhere cannot be left to others: it is not a resource of this mesh" in answer.err
    assert "did you mean link/cluster1/cluster2" in answer.err
    taken = mesh("apply", "--yes", "--take", "link/cluster1/nowhere")
    assert taken.code == 64, taken
    assert "link/cluster1/nowhere cannot be taken over: it is not a resource of this mesh" in taken.err


def test_an_address_of_nothing_in_the_file_is_told_with_its_place(mesh: Mesh) -> None:
    text = mesh.file.read_bytes()
    mesh.edit(lambda spec: spec.update(leave=["link/cluster1/nowhere"]))
    line = 1 + mesh.file.read_text().splitlines().index("  - link/cluster1/nowhere")
    for verb in ("plan", "validate"):
        answer = mesh(verb)
        assert answer.code == 1, answer
        assert f"mesh.yaml:{line}:5: spec.leave: link/cluster1/nowhere cannot be left to others" in answer.err
    mesh.file.write_bytes(text)
