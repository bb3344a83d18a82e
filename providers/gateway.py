"""Kind `gateway`: the east-west gateway of a cluster, where its peers reach it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.manifest import Manifest, ManifestProvider
from mesh.model import READY, Live, Ready, never, not_yet
from mesh.world import Object
from mesh.world.resources import GATEWAY

XDS_LISTENER = "xds-tls"


class GatewayProvider(ManifestProvider):
    """A Gateway of class `istio-eastwest`; its output `endpoint` is where peers find its istiod."""

    kind = "gateway"
    resource = GATEWAY
    moves = frozenset({("spec",), ("metadata", "annotations")})
    disruptive = True

    def outputs(self, obj: Object) -> Mapping[str, Any]:
        """`endpoint` is {type: IPAddress|Hostname, value, xdsPort}, an IP address before a hostname."""
        addresses = sorted(
            obj.get("status", {}).get("addresses", []), key=lambda each: str(each.get("type")) != "IPAddress"
        )
        ports = [
            each["port"] for each in obj.get("spec", {}).get("listeners", []) if each["name"] == XDS_LISTENER
        ]
        if not addresses or not ports:
            return {}
        first = addresses[0]
        return {"endpoint": {"type": first["type"], "value": first["value"], "xdsPort": ports[0]}}

    def ready(self, spec: Manifest, live: Live) -> Ready:
        """Programmed for this generation, with an address."""
        del spec
        conditions = {each["type"]: each for each in live.status.get("conditions", [])}
        accepted, programmed = conditions.get("Accepted"), conditions.get("Programmed")
        if accepted and accepted["status"] == "False" and current(accepted, live):
            return never(f"not accepted: {accepted.get('message', '')}")
        if not programmed or not current(programmed, live):
            return not_yet("istiod has not programmed it yet")
        if programmed["status"] != "True":
            return not_yet(programmed.get("message") or programmed.get("reason", "not programmed"))
        return READY if live.outputs.get("endpoint") else not_yet("it has no address yet")


def current(condition: Mapping[str, Any], live: Live) -> bool:
    """Whether a condition speaks of the object as it is now."""
    return bool(condition.get("observedGeneration", 0) >= live.status.get("generation", 0))
