"""An east-west gateway's address holds once it is that of its Service as it is now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mesh.istio.solo import SERVICE_TYPE
from mesh.model import Live, Place
from mesh.providers.gateway.service import FREE_TYPE, with_service
from mesh.sdk.contract import Last
from mesh.world import Object, World
from mesh.world.clock import SystemClock
from mesh.world.resources import NODE, SERVICE, ResourceType
from mesh.world.snapshot import Snapshot

PLACE = Place("edge", "east-west")
NODE_IP, BALANCER = "10.0.0.1", "192.0.2.1"


def service(kind: str, *balanced: str, **ingress: str) -> dict[str, Any]:
    found = [{"ip": each} for each in balanced] + ([ingress] if ingress else [])
    return {
        "metadata": {"name": PLACE.name},
        "spec": {"type": kind, "ports": [{"port": 15008}, {"port": 15012, "nodePort": 31000}]},
        "status": {"loadBalancer": {"ingress": found} if found else {}},
    }


def gateway(address: str, annotations: dict[str, str] | None = None, **spec: Any) -> Live:
    shown = [{"type": "IPAddress", "value": address}] if address else []
    attrs = {"metadata": {"annotations": annotations or {}}, "spec": spec}
    endpoint = {"type": "IPAddress", "value": address, "xdsPort": 15012}
    return Live(
        attrs, token="", outputs={"endpoint": endpoint} if address else {}, status={"addresses": shown}
    )


class Told(Snapshot):
    """A cluster of one node and some Services."""

    def __init__(self, services: list[Object]) -> None:
        super().__init__("cluster1", World({}, {}, SystemClock(), {}, Path()))
        self._told = {SERVICE: services, NODE: [{"status": {"addresses": [{"address": NODE_IP}]}}]}

    def list(self, resource: ResourceType, **_how: object) -> list[Object]:  # type: ignore[override]  # any selection
        return self._told[resource]


def read(live: Live, *services: dict[str, Any]) -> Live:
    before = Last(PLACE, outputs={"endpoint": {"xdsPort": 31000}})
    return with_service(live, PLACE, before, Told(list(services)))


BY_PORT = {SERVICE_TYPE: "nodeport"}


@pytest.mark.parametrize(
    ("live", "there", "lags"),
    [
        (gateway(BALANCER), service("LoadBalancer", BALANCER), ""),
        (gateway("lb.example"), service("LoadBalancer", hostname="lb.example"), ""),
        (gateway(BALANCER), service("LoadBalancer", ip=BALANCER, hostname="lb.example"), ""),
        (gateway(NODE_IP), service("LoadBalancer", BALANCER), "its address is not that of its Service"),
        (gateway(NODE_IP), service("LoadBalancer"), "its Service has no address yet"),
        (gateway(""), service("LoadBalancer", BALANCER), ""),
        (gateway(NODE_IP), service("NodePort"), "its Service is still reached by node ports"),
        (gateway(NODE_IP), service("ClusterIP"), ""),
        (gateway(NODE_IP, {FREE_TYPE: "NodePort"}), service("NodePort"), ""),
        (gateway(NODE_IP, None, addresses=[{"value": NODE_IP}]), service("LoadBalancer", BALANCER), ""),
        (gateway(NODE_IP, BY_PORT), service("NodePort"), ""),
        (
            gateway(BALANCER, BY_PORT),
            service("LoadBalancer", BALANCER),
            "its Service is not of type NodePort yet",
        ),
        (gateway(BALANCER, BY_PORT), service("NodePort"), "it has no address of a node yet"),
    ],
)
def test_an_address_of_before_is_not_taken_for_the_one_of_now(
    live: Live, there: dict[str, Any], lags: str
) -> None:
    assert read(live, there).status.get("lags", "") == lags


def test_peers_reach_the_node_port_once_there_is_one() -> None:
    assert read(gateway(NODE_IP, BY_PORT), service("NodePort")).outputs["endpoint"]["xdsPort"] == 31000
    assert read(gateway(NODE_IP, BY_PORT), service("LoadBalancer", NODE_IP)).outputs == {}
    assert read(gateway(NODE_IP, BY_PORT)).outputs == {}


def test_nothing_is_judged_by_a_service_that_is_not_found() -> None:
    assert read(gateway(NODE_IP)) == gateway(NODE_IP)


def test_the_service_of_a_gateway_that_always_had_a_load_balancer_is_not_read() -> None:
    balanced = Last(PLACE, outputs={"endpoint": {"xdsPort": 15012}})
    same = Last(PLACE, outputs={"endpoint": {"xdsPort": 15012, "value": NODE_IP}})
    for last in (None, Last(PLACE), balanced, same):
        found = with_service(gateway(NODE_IP), PLACE, last, Told([service("LoadBalancer", BALANCER)]))
        assert found == gateway(NODE_IP)


def test_an_address_that_somebody_elses_node_port_left_is_not_taken_for_the_one_of_now() -> None:
    """A person changed how it is reached, and it was changed back: the record knows its balancer only."""
    last = Last(PLACE, outputs={"endpoint": {"xdsPort": 15012, "value": BALANCER}})
    for there in (service("NodePort"), service("LoadBalancer", BALANCER)):
        assert "lags" in with_service(gateway(NODE_IP), PLACE, last, Told([there])).status
    moved = with_service(gateway("192.0.2.9"), PLACE, last, Told([service("LoadBalancer", "192.0.2.9")]))
    assert moved == gateway("192.0.2.9")
