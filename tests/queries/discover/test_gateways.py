"""The gateways and the Gateway API of a cluster."""

from __future__ import annotations

from typing import Any

from mesh.queries.discover.gateways import EASTWEST, REMOTE, bundle_version, gateways
from mesh.world import Object
from tests.support.few_objects import snapshot


def obj(name: str, of: str, **meta: Any) -> Object:
    return {
        "metadata": {"name": name, "namespace": "e", "uid": name, **meta},
        "spec": {"gatewayClassName": of},
    }


def crd(version: str) -> Object:
    annotations = {"gateway.networking.k8s.io/bundle-version": version} if version else {}
    return {
        "metadata": {
            "name": "gateways.gateway.networking.k8s.io",
            "uid": "u",
            "annotations": annotations,
        }
    }


def test_gateways_are_found_by_their_class_and_in_order() -> None:
    found = snapshot(
        gateways=[obj("b", "istio-eastwest"), obj("a", "istio-east-west"), obj("p", "istio-remote")]
    )
    assert [each.where for each in gateways(EASTWEST, found)] == ["e/a", "e/b"]
    assert [each.where for each in gateways(REMOTE, found)] == ["e/p"]


def test_a_gateway_tells_its_network_and_place_and_how_it_is_reached() -> None:
    labels = {"topology.istio.io/network": "n", "topology.kubernetes.io/region": "r"}
    annotations = {"peering.solo.io/data-plane-service-type": "NodePort"}
    meta = {"labels": labels, "annotations": annotations}
    [found] = gateways(EASTWEST, snapshot(gateways=[obj("g", "istio-eastwest", **meta)]))
    assert (found.network, found.region, found.zone, found.service) == ("n", "r", "", "nodeport")


def test_the_version_of_the_gateway_api_is_that_of_its_bundle() -> None:
    assert bundle_version(snapshot(customresourcedefinitions=[crd("v1.4.0")])) == "v1.4.0"
    assert bundle_version(snapshot(customresourcedefinitions=[crd("")])) == ""
    assert bundle_version(snapshot()) == ""
