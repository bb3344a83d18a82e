"""What somebody changed by hand is shown with who did it, and mended by an apply."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Tool

from .chains import cacerts, fingerprint
from .hands import Mesh, block

DELETED = "deleted outside mesh since the last apply"
EASTWEST = ("-n", "istio-eastwest")


def peer(kubectl: Tool, cluster: str, name: str) -> dict[str, str]:
    """Where a link leads, and as whom."""
    found = json.loads(
        kubectl(cluster, "get", "gateway", *EASTWEST, f"istio-remote-peer-{name}", "-o", "json")
    )
    trust_domain = found["metadata"]["annotations"]["gateway.istio.io/trust-domain"]
    return {"address": found["spec"]["addresses"][0]["value"], "trust domain": trust_domain}


def test_a_removed_label_is_put_back(mesh: Mesh, kubectl: Tool) -> None:
    kubectl("cluster1", "label", "namespace", "istio-system", "topology.istio.io/network-")
    told = block(mesh.pending().out, "label/cluster1/istio-system")
    assert told.startswith("will be created")
    assert DELETED in told
    mesh.mended()
    labels = kubectl("cluster1", "get", "namespace", "istio-system", "-o", "jsonpath={.metadata.labels}")
    assert json.loads(labels)["topology.istio.io/network"] == "cluster1"


def test_a_changed_label_is_shown_with_who_changed_it(mesh: Mesh, kubectl: Tool) -> None:
    kubectl("cluster2", "label", "namespace", "istio-system", "topology.istio.io/network=x", "--overwrite")
    told = block(mesh.pending().out, "label/cluster2/istio-system")
    assert '"x" -> "cluster2"' in told
    assert "changed outside mesh by kubectl-label" in told
    mesh.mended()


def test_a_deleted_east_west_gateway_comes_back_and_its_links_follow(mesh: Mesh, kubectl: Tool) -> None:
    kubectl("cluster2", "delete", "gateway", *EASTWEST, "istio-eastwest")
    out = mesh.pending().out
    assert DELETED in block(out, "gateway/cluster2/istio-eastwest")
    assert "(known after gateway/cluster2/istio-eastwest)" in block(out, "link/cluster1/cluster2")
    mesh.mended()
    service = ("get", "service", *EASTWEST, "istio-eastwest", "-o", "json")
    ingress = json.loads(kubectl("cluster2", *service))["status"]["loadBalancer"]["ingress"]
    assert peer(kubectl, "cluster1", "cluster2")["address"] == ingress[0]["ip"]


def test_a_deleted_licence_comes_back_and_istiod_is_not_restarted(mesh: Mesh, kubectl: Tool) -> None:
    pods = ("get", "pods", "-n", "istio-system", "-l", "app=istiod", "-o", "name")
    before = kubectl("cluster1", *pods)
    kubectl("cluster1", "delete", "secret", "-n", "istio-system", "solo-istio-license")
    answer = mesh.pending()
    assert DELETED in block(answer.out, "secret/cluster1/solo-istio-license")
    assert mesh.env["GLOO_MESH_LICENSE_KEY"] not in answer.out
    mesh.mended()
    assert kubectl("cluster1", *pods) == before


def test_a_deleted_intermediate_comes_back_under_the_same_root(mesh: Mesh, kubectl: Tool) -> None:
    root = fingerprint(cacerts(kubectl, "cluster1")["root-cert.pem"])
    kubectl("cluster1", "delete", "secret", "-n", "istio-system", "cacerts")
    out = mesh.pending().out
    assert DELETED in block(out, "cert/cluster1/cacerts")
    assert "chart/cluster1/" not in out
    mesh.mended()
    assert fingerprint(cacerts(kubectl, "cluster1")["root-cert.pem"]) == root


def test_an_address_edited_in_an_editor_is_shown_with_who_did_it(
    mesh: Mesh, kubectl: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = peer(kubectl, "cluster1", "cluster2")
    monkeypatch.setenv("KUBE_EDITOR", f"sed -i s/{right['address']}/100.99.99.99/")
    kubectl("cluster1", "edit", "gateway", *EASTWEST, "istio-remote-peer-cluster2")
    assert peer(kubectl, "cluster1", "cluster2")["address"] == "100.99.99.99"
    told = block(mesh.pending().out, "link/cluster1/cluster2")
    assert f'"100.99.99.99" -> "{right["address"]}"' in told
    assert "changed outside mesh by kubectl-edit at 20" in told
    assert "takes spec.addresses from kubectl-edit" in told
    mesh.mended()
    assert peer(kubectl, "cluster1", "cluster2") == right


def test_a_trust_domain_annotated_by_hand_is_shown_with_who_did_it(mesh: Mesh, kubectl: Tool) -> None:
    right = peer(kubectl, "cluster2", "cluster1")
    gateway = ("gateway", *EASTWEST, "istio-remote-peer-cluster1")
    kubectl("cluster2", "annotate", *gateway, "gateway.istio.io/trust-domain=evil.local", "--overwrite")
    told = block(mesh.pending().out, "link/cluster2/cluster1")
    assert '"evil.local" -> "cluster1.local"' in told
    assert "changed outside mesh by kubectl-annotate" in told
    mesh.mended()
    assert peer(kubectl, "cluster2", "cluster1") == right


def test_what_others_add_to_our_objects_is_left_alone(mesh: Mesh, kubectl: Tool) -> None:
    gateway = ("gateway", *EASTWEST, "istio-remote-peer-cluster1")
    kubectl("cluster2", "annotate", *gateway, "example.org/team=payments")
    kubectl("cluster2", "label", "namespace", "istio-system", "example.org/team=payments")
    mesh.settled()
    kubectl("cluster2", "annotate", *gateway, "gateway.istio.io/trust-domain=evil.local", "--overwrite")
    mesh.mended()
    kept = kubectl("cluster2", "get", *gateway, "-o", "jsonpath={.metadata.annotations}")
    assert json.loads(kept)["example.org/team"] == "payments"
    kubectl("cluster2", "annotate", *gateway, "example.org/team-")
    kubectl("cluster2", "label", "namespace", "istio-system", "example.org/team-")


def test_a_field_that_a_controller_took_is_never_taken_back_unasked(mesh: Mesh, kubectl: Tool) -> None:
    gateway = ("gateway", *EASTWEST, "istio-remote-peer-cluster1")
    annotation = "gateway.istio.io/trust-domain=theirs.local"
    kubectl("cluster2", "annotate", *gateway, annotation, "--overwrite", "--field-manager=argocd-controller")
    refused = mesh("plan")
    assert refused.code == 5
    assert "held by argocd-controller" in refused.err
    assert "--take link/cluster2/cluster1" in refused.err
    mesh.applied("--take", "link/cluster2/cluster1")
    mesh.settled()


def test_a_field_that_a_person_set_and_we_never_did_is_theirs_until_taken(mesh: Mesh, kubectl: Tool) -> None:
    region = "topology.kubernetes.io/region"
    kubectl("cluster2", "label", "gateway", *EASTWEST, "istio-eastwest", f"{region}=theirs")
    mesh.settled()
    mesh.edit(lambda spec: spec["clusters"][1].update(region="ours"))
    refused = mesh("plan")
    assert refused.code == 5
    assert f'metadata.labels."{region}" was set by kubectl-label and never by mesh' in refused.err
    assert "take it over with `--take gateway/cluster2/istio-eastwest`" in refused.err
    mesh.applied("--take", "gateway/cluster2/istio-eastwest")
    mesh.edit(lambda spec: spec["clusters"][1].pop("region"))
    mesh.applied()
    mesh.settled()


def test_a_deleted_namespace_takes_its_gateway_and_links_along_and_all_come_back(
    mesh: Mesh, kubectl: Tool
) -> None:
    kubectl("cluster2", "delete", "namespace", "istio-eastwest")
    out = mesh.pending().out
    for address in (
        "namespace/cluster2/istio-eastwest",
        "gateway/cluster2/istio-eastwest",
        "link/cluster2/cluster1",
    ):
        assert DELETED in block(out, address)
    mesh.mended()


def test_gateways_go_to_node_ports_and_back_and_each_link_follows(mesh: Mesh, kubectl: Tool) -> None:
    """In one apply each way: a link must not be given the address that its gateway had before."""
    original = mesh.file.read_bytes()
    mesh.edit(lambda spec: spec["clusters"][0].update(eastwest={"service": "NodePort"}))
    mesh.applied()
    mesh.settled()
    peer = ("gateway", "istio-remote-peer-cluster1", "-n", "istio-eastwest", "-o", "json")
    by_port = json.loads(kubectl("cluster2", "get", *peer))["spec"]
    assert by_port["listeners"][0]["port"] >= 30000 or by_port["listeners"][1]["port"] >= 30000
    mesh.file.write_bytes(original)
    mesh.applied()
    mesh.settled()
    balanced = json.loads(kubectl("cluster2", "get", *peer))["spec"]
    assert balanced["addresses"] != by_port["addresses"]


def test_a_gateway_that_somebody_put_on_node_ports_goes_back_and_its_link_with_it(
    mesh: Mesh, kubectl: Tool
) -> None:
    right = peer(kubectl, "cluster2", "cluster1")
    gateway = ("gateway", *EASTWEST, "istio-eastwest")
    kubectl(
        "cluster1", "annotate", *gateway, "peering.solo.io/data-plane-service-type=nodeport", "--overwrite"
    )
    ports = "--for=jsonpath={.spec.type}=NodePort"
    kubectl("cluster1", "wait", ports, "service", *EASTWEST, "istio-eastwest", "--timeout=100s")
    assert "changed outside mesh by kubectl" in block(mesh.pending().out, "gateway/cluster1/istio-eastwest")
    mesh.mended()
    assert peer(kubectl, "cluster2", "cluster1") == right
