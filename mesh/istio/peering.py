"""The judge of a link: which conditions prove it, where it leads, and which peers a person made.

The kinds, `mesh status` and the checks judge by these functions, so that they agree.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mesh.model import READY, NoValue, Ready, never, not_yet

CONNECTED = "gloo.solo.io/PeerConnected"
SUCCEEDED = "gloo.solo.io/PeeringSucceeded"
PROGRAMMED = "Programmed"
REMOTE_CLASS = "istio-remote"
XDS_LISTENER = "xds-tls"

NOT_REPORTED = "-"
STALE = "stale: "

BY_HAND = ("istioctl", "kubectl", "helm", "mesh/")
"""Field managers of people and tools that create peers one by one; a management plane uses another name."""


def is_current(condition: Mapping[str, Any], generation: int) -> bool:
    """Return whether a condition describes this generation; one without `observedGeneration` does."""
    return bool(condition.get("observedGeneration", generation) >= generation)


def conditions(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the current conditions by type; `status` is that of a `Live`, with its `generation`."""
    generation = status.get("generation", 0)
    return {each["type"]: each for each in status.get("conditions", []) if is_current(each, generation)}


def reported(status: Mapping[str, Any], name: str) -> str:
    """Return the status of a condition: `Unknown` for an older generation, `-` if it is missing."""
    if name in (current := conditions(status)):
        return str(current[name]["status"])
    is_old = any(each["type"] == name for each in status.get("conditions", []))
    return "Unknown" if is_old else NOT_REPORTED


def linked(status: Mapping[str, Any]) -> Ready:
    """Return whether the link works: PeerConnected and PeeringSucceeded are true for this generation.

    `Programmed` is always true on a peer and proves nothing.
    """
    current = conditions(status)
    for name in (CONNECTED, SUCCEEDED):
        condition = current.get(name)
        if condition is None:
            return not_yet(f"{name.partition('/')[2]} is not reported yet")
        if condition["status"] != "True":
            why = f"{name.partition('/')[2]}: {condition.get('message') or condition.get('reason', '')}"
            return never(why) if condition.get("reason") == "Invalid" else not_yet(why)
    return READY


def is_by_hand(peer: Mapping[str, Any]) -> bool:
    """Return whether only people and their tools wrote a peer; one that they merely edited does not count."""
    managers = {
        str(entry.get("manager", ""))
        for entry in peer["metadata"].get("managedFields", [])
        if entry.get("subresource") != "status"
    }
    return bool(managers) and all(manager.startswith(BY_HAND) for manager in managers)


def address_of(gateway_spec: Mapping[str, Any]) -> str:
    """Return the address that a peer leads to, "" if it has none; istiod uses only the first."""
    return str(next((each.get("value", "") for each in gateway_spec.get("addresses") or ()), ""))


def xds_port(gateway_spec: Mapping[str, Any]) -> int | None:
    """Return the port of the listener for istiod's discovery, None if there is no such listener."""
    listeners = gateway_spec.get("listeners") or ()
    return next((each["port"] for each in listeners if each.get("name") == XDS_LISTENER), None)


def is_stale(why: str) -> bool:
    """Return whether something does not work because it leads to the wrong place, in the words of `stale`."""
    return why.startswith(STALE)


def stale(gateway_spec: Mapping[str, Any], endpoint: Any, also: Collection[str] = ()) -> str:
    """Return how a peer differs from where its gateway is reached now; "" if it leads there.

    `endpoint` is the output of the gateway, or `NoValue` if the gateway is missing or has no address;
    nothing is compared while it is not known. `also` are other addresses of the same gateway.
    """
    if isinstance(endpoint, NoValue):
        return f"{STALE}{endpoint.after}, which it leads to, is missing or has no address"
    if not isinstance(endpoint, Mapping):
        return ""
    address, wanted = address_of(gateway_spec), str(endpoint["value"])
    if address not in {wanted, *also}:
        return f"{STALE}it leads to {address or 'no address'}, the gateway is at {wanted}"
    port, there = xds_port(gateway_spec), endpoint.get("xdsPort")
    if port is not None and there is not None and port != there:
        return f"{STALE}it leads to port {port}, istiod is at port {there}"
    return ""
