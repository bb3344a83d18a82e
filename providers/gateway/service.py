"""The Service of an east-west gateway, and whether the gateway's address is the Service's current one.

istiod creates the Service and copies its address into the Gateway's status. The type of the Service is an
annotation, which does not change the generation: for a moment after a change the status still shows the
old address, and a peer that got it would lead nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from mesh.errors import KubeError
from mesh.istio.solo import SERVICE_TYPE, XDS_PORT
from mesh.model import Live, Place
from mesh.sdk.contract import Last
from mesh.world import Object
from mesh.world.resources import NODE, SERVICE
from mesh.world.snapshot import Snapshot

FREE_TYPE = "networking.istio.io/service-type"
"""The annotation by which a person chooses another type of Service; mesh does not judge that."""


def with_service(live: Live, place: Place, last: Last | None, snapshot: Snapshot) -> Live:
    """Add to a live gateway as `lags` why its address is not the current one, if so.

    The endpoint of a gateway that is reached by node ports has the port of the Service; without it there is
    no endpoint yet. If the Service cannot be read or has another name, nothing is judged. It is not read
    (which costs a LIST) for a gateway with a load balancer that has the address in the state.
    """
    by_port = _by_node_port(live)
    if not by_port and not _was_elsewhere(live, last):
        return live
    try:
        services = snapshot.list(SERVICE, namespace=place.namespace)
        nodes = _nodes(snapshot.list(NODE)) if by_port else frozenset()
    except KubeError:
        return replace(live, outputs={}) if by_port else live
    service = next((each for each in services if each["metadata"]["name"] == place.name), None)
    if service is None:
        return replace(live, outputs={}) if by_port else live
    if why := _lags_by_port(live, service, nodes) if by_port else _lags(live, service):
        live = replace(live, status={**live.status, "lags": why})
    return _by_its_port(live, service) if by_port else live


def _lags(live: Live, service: Object) -> str:
    """Return why the address in the Gateway's status is not the final one; "" if it is."""
    kind, shown, balanced = service["spec"].get("type"), _shown(live), set(_balanced(service))
    if FREE_TYPE in _annotations(live) or live.attrs.get("spec", {}).get("addresses"):
        return ""
    if kind == "NodePort":
        return "its Service is still reached by node ports"
    if kind != "LoadBalancer" or not shown or shown & balanced:
        return ""
    return "its address is not that of its Service" if balanced else "its Service has no address yet"


def _lags_by_port(live: Live, service: Object, nodes: frozenset[str]) -> str:
    if service["spec"].get("type") != "NodePort":
        return "its Service is not of type NodePort yet"
    return "" if _shown(live) & nodes else "it has no address of a node yet"


def _nodes(nodes: Iterable[Object]) -> frozenset[str]:
    return frozenset(
        each["address"] for node in nodes for each in node.get("status", {}).get("addresses", [])
    )


def _annotations(live: Live) -> dict[str, Any]:
    found: dict[str, Any] = live.attrs.get("metadata", {}).get("annotations", {})
    return found


def _by_node_port(live: Live) -> bool:
    return bool(_annotations(live).get(SERVICE_TYPE) == "nodeport")


def _was_elsewhere(live: Live, last: Last | None) -> bool:
    """Return whether the state has a node port or another address than the gateway shows."""
    endpoint = last.outputs.get("endpoint", {}) if last else {}
    has_moved = "value" in endpoint and endpoint["value"] not in _shown(live)
    return has_moved or bool(endpoint.get("xdsPort", XDS_PORT) != XDS_PORT)


def _shown(live: Live) -> set[str]:
    return {str(each.get("value", "")) for each in live.status.get("addresses", [])}


def _balanced(service: Object) -> Iterable[str]:
    for each in service.get("status", {}).get("loadBalancer", {}).get("ingress") or []:
        yield from (str(each[name]) for name in ("ip", "hostname") if each.get(name))


def _by_its_port(live: Live, service: Object) -> Live:
    """Return the gateway with the node port of the Service, at which peers reach its istiod."""
    ports = [
        port["nodePort"]
        for port in service["spec"].get("ports", [])
        if port.get("port") == XDS_PORT and port.get("nodePort")
    ]
    endpoint = live.outputs.get("endpoint")
    if not endpoint or not ports or live.status.get("lags"):
        return replace(live, outputs={})
    return replace(live, outputs={"endpoint": {**endpoint, "xdsPort": ports[0]}})
