"""One write that is due, decided before anything is sent."""

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

#: What istiod calls itself where it writes statuses and webhooks, and where it makes gateways' objects.
DISCOVERY: Final = "pilot-discovery"
DEPLOYER: Final = "istio.io/gateway-controller"


@dataclass(frozen=True, slots=True)
class Write:
    """A body to apply at a path as a field manager; `update` merges instead, as a plain update would."""

    path: str
    body: Json
    manager: str = DISCOVERY
    update: bool = False

    def send(self, api: Api) -> None:
        """Send it; may be repeated."""
        send = api.merge if self.update else api.apply
        send(self.path, self.body, manager=self.manager)


@dataclass(frozen=True, slots=True)
class Deletion:
    """An object that has to go."""

    path: str
    uid: str

    def send(self, api: Api) -> None:
        """Send it; may be repeated."""
        api.delete(self.path, uid=self.uid)


def status(
    resource: str,
    value: Json,
    wanted: Iterable[Condition],
    now: datetime,
    addresses: list[Json] | None = None,
) -> Iterable[Write]:
    """The status write that makes `value` report `wanted` (and `addresses`), if it does not already."""
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
