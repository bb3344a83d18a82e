"""Decide whether a peer gateway (class `istio-remote`) connects, from the facts of both clusters.

Conditions and messages are those of the real control plane if they are known, otherwise a plain true
sentence. `docs/explanation/standins.md` has the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mesh.lab.standin import meeting, objects
from mesh.lab.standin.api import Json
from mesh.lab.standin.facts import CLUSTER, NETWORK, EastWest, Facts
from mesh.lab.standin.objects import at, condition, label

CONNECTED: Final = "gloo.solo.io/PeerConnected"
SUCCEEDED: Final = "gloo.solo.io/PeeringSucceeded"
DATA_PLANE: Final = "gloo.solo.io/PeerDataPlaneProgrammed"

XDS_PORT: Final = 15012


@dataclass(frozen=True, slots=True)
class Condition:
    """A status condition without timestamps."""

    kind: str
    status: str
    reason: str
    message: str


def conditions(
    gateway: Json, *, others: Iterable[Json], own: Facts, peers: Mapping[str, Facts], now: datetime
) -> tuple[Condition, ...]:
    """Return the conditions that the control plane of `own` reports for `gateway`; `others` are its peers."""
    assert own.istiod is not None
    if problem := invalid(gateway):
        text = f"no network started, encountered error validating gateway: {problem}"
        return _failed(Condition(CONNECTED, "False", "Invalid", text), "")
    why = _ambiguous(gateway, others) or meeting.alone(own.istiod) or _meeting(gateway, own, peers, now)
    if why:
        return _failed(Condition(CONNECTED, "False", "Pending", "not connected to peer"), why)
    return (
        Condition(CONNECTED, "True", "Programmed", "connected to peer"),
        Condition(SUCCEEDED, "True", "Programmed", "network synced"),
        _data_plane(gateway, peers),
    )


def invalid(gateway: Json) -> str:
    """Return why a peer gateway is not usable with any peer, or ""."""
    if at(gateway, "spec", "gatewayClassName") != "istio-remote":
        return "gateway is not an istio-remote gateway"
    if not label(gateway, NETWORK):
        return "no network label found in gateway"
    if not at(gateway, "spec", "addresses", 0, "value"):
        if at(gateway, "status", "addresses"):
            return "no spec.addresses found in gateway (but found status.addresses)"
        return "no addresses found in gateway"
    return ""


def was_peer(gateway: Json) -> bool:
    """Return whether a gateway was reported as a peer before, whatever its class is now."""
    return bool(condition(gateway, CONNECTED))


def _failed(connected: Condition, why: str) -> tuple[Condition, ...]:
    synced = "network not yet synced check istiod log" + (f": {why}" if why else "")
    return (
        connected,
        Condition(SUCCEEDED, "Unknown", "Pending", synced),
        Condition(DATA_PLANE, "False", "Pending", "not connected to peer"),
    )


def _identity(gateway: Json) -> tuple[str, str]:
    """Return the network and cluster of a peer gateway; the cluster defaults to the network."""
    network = label(gateway, NETWORK)
    return network, label(gateway, CLUSTER) or network


def _ambiguous(gateway: Json, others: Iterable[Json]) -> str:
    twins = sorted("/".join(objects.name(one)) for one in others if _identity(one) == _identity(gateway))
    network, cluster = _identity(gateway)
    if twins:
        return f"ambiguous: network {network} of cluster {cluster} is also that of gateway {', '.join(twins)}"
    return ""


def _meeting(gateway: Json, own: Facts, peers: Mapping[str, Facts], now: datetime) -> str:
    """Return what prevents a connection to the control plane at the gateway's address, or ""."""
    address, port = str(gateway["spec"]["addresses"][0]["value"]), _xds_port(gateway)
    found = _at_address(address, port, peers)
    if not found:
        return f"dial {address}: no east-west gateway has this address"
    if len(found) > 1:
        return f"dial {address}: the address of more than one east-west gateway"
    facts, eastwest = found[0]
    if facts.context == own.context:
        return f"dial {address}: the address of this cluster's own east-west gateway"
    if (address, port) not in eastwest.endpoints:
        return f"dial {address}:{port}: connection refused"
    if facts.istiod is None:
        return "the peer's istiod is not ready"
    if not eastwest.ready:
        return "the peer's east-west gateway has no ready pod"
    assert own.istiod is not None
    link = meeting.Link(gateway, own.istiod, facts.istiod, eastwest, now)
    return meeting.problem(link)


def _at_address(address: str, port: int, peers: Mapping[str, Facts]) -> list[tuple[Facts, EastWest]]:
    """Return the east-west gateways at the address and port; if there are none, those at the address."""
    reachable = [
        (facts, eastwest)
        for _, facts in sorted(peers.items())
        for eastwest in facts.gateways
        if address in eastwest.addresses
    ]
    exact = [(facts, eastwest) for facts, eastwest in reachable if (address, port) in eastwest.endpoints]
    return exact or reachable


def _xds_port(gateway: Json) -> int:
    listeners = at(gateway, "spec", "listeners", default=())
    return next((one["port"] for one in listeners if one["name"] == "xds-tls"), XDS_PORT)


def _data_plane(gateway: Json, peers: Mapping[str, Facts]) -> Condition:
    if meeting.prefers_node_port(gateway):
        message = "data plane programmed with NodePort service type"
        return Condition(DATA_PLANE, "True", "Programmed", message)
    address = str(gateway["spec"]["addresses"][0]["value"])
    if not any(address in eastwest.balanced for one in peers.values() for eastwest in one.gateways):
        message = "the address is a node's, but the preferred service type is LoadBalancer"
        return Condition(DATA_PLANE, "False", "Pending", message)
    if not any(one["protocol"] == "HBONE" for one in at(gateway, "spec", "listeners", default=())):
        return Condition(DATA_PLANE, "False", "Pending", "missing HBONE listener")
    message = "data plane programmed with LoadBalancer service type"
    return Condition(DATA_PLANE, "True", "Programmed", message)
