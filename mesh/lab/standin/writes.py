"""One due write, decided before any request is sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mesh.lab.standin import objects
from mesh.lab.standin.api import Api, Json
from mesh.lab.standin.mirror import GATEWAY_API
from mesh.lab.standin.objects import condition
from mesh.lab.standin.peering import Condition

#: Field managers of istiod: for statuses and webhooks, and for the objects of gateways.
DISCOVERY: Final = "pilot-discovery"
DEPLOYER: Final = "istio.io/gateway-controller"


@dataclass(frozen=True, slots=True)
class Write:
    """A body to apply at a path as a field manager; with `update`, a merge patch instead."""

    path: str
    body: Json
    manager: str = DISCOVERY
    update: bool = False

    def send(self, api: Api) -> None:
        """Send the write; it can be repeated."""
        send = api.merge if self.update else api.apply
        send(self.path, self.body, manager=self.manager)


@dataclass(frozen=True, slots=True)
class Deletion:
    """An object to delete."""

    path: str
    uid: str

    def send(self, api: Api) -> None:
        """Send the write; it can be repeated."""
        api.delete(self.path, uid=self.uid)


def status(
    resource: str,
    value: Json,
    wanted: Iterable[Condition],
    now: datetime,
    addresses: list[Json] | None = None,
) -> Iterable[Write]:
    """Return the status write for `wanted` conditions (and `addresses`), () if they are up to date."""
    generation = value["metadata"].get("generation", 1)
    conditions = [_reported(value, one, generation, now) for one in wanted]
    body: Json = {"conditions": conditions}
    if addresses is not None:
        body["addresses"] = addresses
    same = all(condition(value, one["type"]) == one for one in conditions)
    if same and (addresses is None or objects.at(value, "status", "addresses", default=[]) == addresses):
        return
    namespace, name = objects.name(value)
    folder = f"namespaces/{namespace}/" if namespace else ""
    about = {"name": name, **({"namespace": namespace} if namespace else {})}
    kind = {"gateways": "Gateway", "gatewayclasses": "GatewayClass"}[resource]
    yield Write(
        f"{GATEWAY_API}/{folder}{resource}/{name}/status",
        {"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": about, "status": body},
    )


def _reported(value: Json, wanted: Condition, generation: int, now: datetime) -> Json:
    before = condition(value, wanted.kind)
    since = before.get("lastTransitionTime") if before.get("status") == wanted.status else None
    return {
        "type": wanted.kind,
        "status": wanted.status,
        "reason": wanted.reason,
        "message": wanted.message,
        "observedGeneration": generation,
        "lastTransitionTime": since or now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
