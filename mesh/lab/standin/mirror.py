"""Local copies of a cluster's objects, each kept up to date by one watch.

An idle watch costs nothing, so a lab of eight clusters keeps the machine free, and changes arrive
within milliseconds. Fields that istiod does not read are removed before comparing, so that node
heartbeats and pod timestamps wake no thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from mesh.lab.standin import objects
from mesh.lab.standin.access import Access
from mesh.lab.standin.api import UNREACHABLE, Api, ApiError, Json
from mesh.lab.standin.objects import Name

log = logging.getLogger(__name__)

#: Seconds between two attempts: for a kind without a CRD, and at most after failures.
MISSING, PATIENCE = 1.0, 3.0

Copies = Mapping[Name, Json]


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource type to mirror: its list path, which objects, and which of their fields are read."""

    name: str
    path: str
    keep: tuple[str, ...]
    query: dict[str, str] = field(default_factory=dict)

    def trimmed(self, value: Json) -> Json:
        """Return the object without the fields that istiod does not read."""
        about = {key: value["metadata"][key] for key in METADATA if key in value["metadata"]}
        kept = {key: value[key] for key in self.keep if key in value}
        if self.name == "nodes":
            kept = {"status": {"addresses": objects.at(value, "status", "addresses", default=[])}}
        return {"metadata": about, **kept}


METADATA = (
    "annotations",
    "creationTimestamp",
    "deletionTimestamp",
    "generation",
    "labels",
    "name",
    "namespace",
    "ownerReferences",
    "uid",
)
MANAGED = {"labelSelector": "gateway.istio.io/managed=istio.io-eastwest-controller"}
GATEWAY_API = "/apis/gateway.networking.k8s.io/v1"

KINDS = (
    Kind("namespaces", "/api/v1/namespaces", ("status",)),
    Kind("pods", "/api/v1/pods", ("spec", "status"), {"labelSelector": "app=istiod"}),
    Kind("cacerts", "/api/v1/secrets", ("data",), {"fieldSelector": "metadata.name=cacerts"}),
    Kind("roots", "/api/v1/configmaps", ("data",), {"fieldSelector": "metadata.name=istio-ca-root-cert"}),
    Kind("configs", "/api/v1/configmaps", ("data",), {"labelSelector": "istio.io/rev"}),
    Kind("remotes", "/api/v1/secrets", ("data",), {"labelSelector": "istio/multiCluster=true"}),
    Kind("reports", "/api/v1/configmaps", ("data",), {"fieldSelector": "metadata.name=lab-remote-clusters"}),
    Kind("nodes", "/api/v1/nodes", ()),
    Kind("accounts", "/api/v1/serviceaccounts", (), MANAGED),
    Kind("services", "/api/v1/services", ("spec", "status"), MANAGED),
    Kind("deployments", "/apis/apps/v1/deployments", ("spec", "status"), MANAGED),
    Kind(
        "webhooks",
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
        ("webhooks",),
        {"labelSelector": "app=istiod"},
    ),
    Kind("servers", "/api/v1/pods", ("spec", "status"), {"labelSelector": "app=gloo-mesh-mgmt-server"}),
    Kind(
        "definitions",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        (),
        {"labelSelector": "app.kubernetes.io/name=gloo-platform-crds"},
    ),
    Kind("registrations", "/apis/admin.gloo.solo.io/v2/kubernetesclusters", ("status",)),
    Kind("classes", f"{GATEWAY_API}/gatewayclasses", ("spec", "status")),
    Kind("gateways", f"{GATEWAY_API}/gateways", ("spec", "status")),
)


class Mirror:
    """The copies of one resource type. `served` is false while the cluster does not have the type."""

    def __init__(self, kind: Kind, access: Access, changed: Callable[[], None]) -> None:
        self.kind = kind
        self.synced = threading.Event()
        self.served = False
        self._api = Api(access)
        self._changed = changed
        self._copies: dict[Name, Json] = {}
        self._context = access.context

    def copies(self) -> Copies:
        """Return all objects as last seen."""
        return dict(self._copies)

    def run(self, stopping: threading.Event) -> None:
        """Update the copies until `stopping`. They stay while the server is unreachable."""
        patience = 0.1
        while not stopping.is_set():
            try:
                self._follow(self._read())
                patience = 0.1
            except ApiError as error:
                patience = self._refused(error, patience)
            except UNREACHABLE as error:
                log.debug("%s: %s: %s", self._context, self.kind.name, error)
                patience = min(patience * 2, PATIENCE)
            except ValueError as error:
                # The server died in the middle of a line of the watch.
                log.debug("%s: %s: %s", self._context, self.kind.name, error)
            self._api.close()
            stopping.wait(patience)

    def _refused(self, error: ApiError, patience: float) -> float:
        if error.status == HTTPStatus.NOT_FOUND:
            self._replace({}, served=False)
            return MISSING
        log.debug("%s: %s: %s", self._context, self.kind.name, error)
        return min(patience * 2, PATIENCE)

    def _read(self) -> str:
        listing = self._api.get(self.kind.path, **self.kind.query)
        found = {objects.name(item): self.kind.trimmed(item) for item in listing.get("items") or ()}
        self._replace(found, served=True)
        return str(listing["metadata"]["resourceVersion"])

    def _replace(self, found: dict[Name, Json], *, served: bool) -> None:
        differs = found != self._copies or served != self.served or not self.synced.is_set()
        self._copies, self.served = found, served
        self.synced.set()
        if differs:
            self._changed()

    def _follow(self, version: str) -> None:
        for event in self._api.watch(self.kind.path, self.kind.query, version):
            if event["type"] == "ERROR":
                raise ApiError(objects.at(event, "object", "code", default=0), str(event["object"]))
            self._take(event["type"], event["object"])

    def _take(self, change: str, value: Json) -> None:
        key, before = objects.name(value), self._copies
        trimmed = None if change == "DELETED" else self.kind.trimmed(value)
        if before.get(key) == trimmed:
            return
        # A new dict for each change, so that a reader's copy never changes.
        after = {other: copy for other, copy in before.items() if other != key}
        self._copies = after if trimmed is None else {**after, key: trimmed}
        self._changed()
