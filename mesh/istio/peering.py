"""What a peer object says of its link: which conditions prove it, and which peers a hand has made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.model import READY, Ready, never, not_yet

CONNECTED = "gloo.solo.io/PeerConnected"
SUCCEEDED = "gloo.solo.io/PeeringSucceeded"
REMOTE_CLASS = "istio-remote"
XDS_LISTENER = "xds-tls"

BY_HAND = ("istioctl", "kubectl", "helm", "mesh/")
"""Field managers of who makes peers one by one; a management plane writes as anything else."""


def linked(status: Mapping[str, Any]) -> Ready:
    """PeerConnected and PeeringSucceeded, for this generation; `Programmed` is always true: no proof."""
    generation = status.get("generation", 0)
    conditions = {
        each["type"]: each
        for each in status.get("conditions", [])
        if each.get("observedGeneration", generation) >= generation
    }
    for name in (CONNECTED, SUCCEEDED):
        condition = conditions.get(name)
        if condition is None:
            return not_yet(f"{name.partition('/')[2]} is not reported yet")
        if condition["status"] != "True":
            why = f"{name.partition('/')[2]}: {condition.get('message') or condition.get('reason', '')}"
            return never(why) if condition.get("reason") == "Invalid" else not_yet(why)
    return READY


def is_by_hand(peer: Mapping[str, Any]) -> bool:
    """Whether nobody but people and their tools wrote a peer; one that they only edited is not theirs."""
    managers = {
        str(entry.get("manager", ""))
        for entry in peer["metadata"].get("managedFields", [])
        if entry.get("subresource") != "status"
    }
    return bool(managers) and all(manager.startswith(BY_HAND) for manager in managers)


def address_of(gateway_spec: Mapping[str, Any]) -> str:
    """The address that a peer leads to, "" if it has none; only the first one is used."""
    return str(next((each.get("value", "") for each in gateway_spec.get("addresses") or ()), ""))


def stale(gateway_spec: Mapping[str, Any], endpoint: Mapping[str, Any]) -> str:
    """Say how a peer differs from where its gateway is reached now; "" if it leads there."""
    address, wanted = address_of(gateway_spec), str(endpoint["value"])
    if address != wanted:
        return f"stale: it leads to {address or 'no address'}, the gateway is at {wanted}"
    ports = [each["port"] for each in gateway_spec.get("listeners") or () if each.get("name") == XDS_LISTENER]
    if ports and ports[0] != endpoint["xdsPort"]:
        return f"stale: it leads to port {ports[0]}, istiod is at port {endpoint['xdsPort']}"
    return ""
