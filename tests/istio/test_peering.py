"""The judge of a link: conditions, and where it leads."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.istio.peering import CONNECTED, SUCCEEDED, is_stale, linked, reported, stale, xds_port
from mesh.model import Key, NoValue, Unknown, Verdict

GATEWAY = Key("gateway", "b", "istio-eastwest")
ENDPOINT = {"type": "IPAddress", "value": "192.0.2.1", "xdsPort": 15012}


def spec(address: str = "192.0.2.1", port: int = 15012) -> dict[str, Any]:
    listeners = [{"name": "cross-network", "port": 15008}, {"name": "xds-tls", "port": port}]
    return {"addresses": [{"value": address}] if address else [], "listeners": listeners}


def status(**found: str) -> dict[str, Any]:
    names = {"connected": CONNECTED, "succeeded": SUCCEEDED}
    listed = [{"type": names[name], "status": text, "observedGeneration": 2} for name, text in found.items()]
    return {"generation": 2, "conditions": listed}


def test_a_link_needs_both_conditions() -> None:
    assert linked(status(connected="True", succeeded="True"))
    assert linked(status(connected="True")).why == "PeeringSucceeded is not reported yet"
    assert linked(status(succeeded="True")).why == "PeerConnected is not reported yet"


def test_a_condition_of_an_older_generation_proves_nothing() -> None:
    old = status(connected="True", succeeded="True") | {"generation": 3}
    assert linked(old).why == "PeerConnected is not reported yet"
    assert reported(old, CONNECTED) == "Unknown"
    assert reported({}, CONNECTED) == "-"


def test_a_condition_without_a_generation_is_current() -> None:
    told = {"generation": 5, "conditions": [{"type": CONNECTED, "status": "True"}]}
    assert reported(told, CONNECTED) == "True"


def test_an_invalid_peer_will_not_become_ready() -> None:
    told = status(connected="False")
    told["conditions"][0] |= {"reason": "Invalid", "message": "bad"}
    assert (linked(told).verdict, linked(told).why) == (Verdict.NEVER, "PeerConnected: bad")


@pytest.mark.parametrize(
    ("peer", "endpoint", "why"),
    [
        (spec(), ENDPOINT, ""),
        (spec("203.0.113.9"), ENDPOINT, "stale: it leads to 203.0.113.9, the gateway is at 192.0.2.1"),
        (spec(""), ENDPOINT, "stale: it leads to no address, the gateway is at 192.0.2.1"),
        (spec(port=31000), ENDPOINT, "stale: it leads to port 31000, istiod is at port 15012"),
        (spec(port=31000), {"value": "192.0.2.1"}, ""),
        (spec("203.0.113.9"), Unknown(GATEWAY), ""),
        (spec("203.0.113.9"), None, ""),
        (
            spec(),
            NoValue(GATEWAY),
            "stale: gateway/b/istio-eastwest, which it leads to, is missing or has no address",
        ),
    ],
)
def test_a_peer_is_stale_if_it_does_not_lead_to_the_gateway_of_now(
    peer: Any, endpoint: Any, why: str
) -> None:
    assert stale(peer, endpoint) == why
    assert is_stale(why) is bool(why)


def test_another_address_of_the_same_gateway_will_do() -> None:
    assert stale(spec("2001:db8::1"), ENDPOINT, {"2001:db8::1"}) == ""


def test_the_port_is_that_of_the_listener_for_discovery() -> None:
    assert xds_port(spec(port=31000)) == 31000
    assert xds_port({"listeners": [{"name": "cross-network", "port": 15008}]}) is None
