"""A cluster: its API server, and what works in it: controllers, istiod, the peers' control planes.

They write a moment after what they react to, so that a run has to wait for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.sim.api import Api, Name, Object

NAMESPACES, CRDS = "namespaces", "customresourcedefinitions.apiextensions.k8s.io"
GATEWAYS = "gateways.gateway.networking.k8s.io"
DEPLOYMENTS, DAEMON_SETS = "deployments.apps", "daemonsets.apps"
SYSTEM = "kube-system"
PUBLISHED = "istio-ca-root-cert"
EASTWEST, REMOTE = "istio-eastwest", "istio-remote"
NODES = 1


@dataclass
class Cluster:
    """One cluster of the simulation; `lag` is how long its controllers take."""

    name: str
    api: Api
    lag: float = 0.2
    due: float = 0.0

    def born(self) -> None:
        """Make what every cluster has."""
        for name in (SYSTEM, "default"):
            self._put(NAMESPACES, "", name, "Namespace", "v1", {"status": {"phase": "Active"}})
        for number in range(NODES):
            self._put("nodes", "", f"node-{number}", "Node", "v1", {"status": {}})

    def works(self, now: float, peers: Mapping[str, Cluster]) -> None:
        """Let the controllers work if they are due."""
        if self.api.dirty and not self.due:
            self.due = now + self.lag
        if self.due and now >= self.due:
            self.due = 0.0
            for _ in range(6):
                self.api.dirty = False
                self._controllers(peers)
                if not self.api.dirty:
                    return

    def of(self, resource: str, namespace: str = "") -> list[tuple[Name, Object]]:
        """Return the objects of a resource."""
        return [
            (key, obj)
            for key, obj in self.api.store.objects.items()
            if key[0] == resource and namespace in ("", key[1])
        ]

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        """Return one object."""
        return self.api.store.objects.get((resource, namespace, name))

    def _put(self, resource: str, namespace: str, name: str, kind: str, api: str, more: Object) -> None:
        key = (resource, namespace, name)
        live = self.api.store.objects.get(key)
        if live is not None:
            self.api.put(key, {**live, **more})
            return
        meta = {**more.get("metadata", {}), "name": name, **({"namespace": namespace} if namespace else {})}
        self.api.put(key, {"apiVersion": api, "kind": kind, **more, "metadata": meta})
        if "status" in more:
            self.api.put(key, {**self.api.store.objects[key], "status": more["status"]})

    def _status(self, key: Name, status: Object) -> None:
        live = self.api.store.objects[key]
        if live.get("status") != status:
            self.api.put(key, {**live, "status": status})

    def _controllers(self, peers: Mapping[str, Cluster]) -> None:
        self._serve()
        self._terminate()
        self._collect()
        self._roll_out()
        root = self.root()
        self._fill_namespaces(root)
        if root:
            self._program(peers, root)

    def _serve(self) -> None:
        there = frozenset(key[2] for key, _ in self.of(CRDS))
        gone = self.api.store.served - there
        for name in gone:
            resource = name
            for key in [key for key in self.api.store.objects if key[0] == resource]:
                self.api.forget(key)
        self.api.store.served = there

    def _terminate(self) -> None:
        for key, obj in self.of(NAMESPACES):
            if obj.get("status", {}).get("phase") != "Terminating":
                continue
            inside = [name for name in self.api.store.objects if name[1] == key[2]]
            stuck = [name for name in inside if self.api.store.objects[name]["metadata"].get("finalizers")]
            for name in inside:
                if name not in stuck:
                    self.api.forget(name)
            if not stuck:
                self.api.forget(key)

    def _collect(self) -> None:
        uids = {obj["metadata"]["uid"] for obj in self.api.store.objects.values()}
        for key, obj in list(self.api.store.objects.items()):
            owners = obj["metadata"].get("ownerReferences")
            if owners and all(each["uid"] not in uids for each in owners):
                self.api.forget(key)

    def _roll_out(self) -> None:
        for key, obj in self.of(DEPLOYMENTS):
            wanted = obj["spec"].get("replicas", 1)
            counts = dict.fromkeys(
                ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"), wanted
            )
            self._status(key, {"observedGeneration": obj["metadata"]["generation"], **counts})
        for key, obj in self.of(DAEMON_SETS):
            names = ("desiredNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable")
            counts = dict.fromkeys(names, NODES)
            self._status(key, {"observedGeneration": obj["metadata"]["generation"], **counts})

    def istiod(self) -> Object | None:
        """Return the Deployment of the istiod that runs."""
        for _, obj in self.of(DEPLOYMENTS):
            if (obj["metadata"].get("labels") or {}).get("app") == "istiod" and obj.get("status"):
                return obj
        return None

    def root(self) -> str:
        """Return the root of trust that istiod publishes, in base64; "" while none runs."""
        istiod = self.istiod()
        if istiod is None:
            return ""
        secret = self.get("secrets", istiod["metadata"]["namespace"], "cacerts")
        return str((secret or {}).get("data", {}).get("root-cert.pem", "")) or f"self-signed {self.name}"

    def _fill_namespaces(self, root: str) -> None:
        for key, obj in self.of(NAMESPACES):
            if obj.get("status", {}).get("phase") == "Terminating":
                continue
            if self.get("serviceaccounts", key[2], "default") is None:
                self._put("serviceaccounts", key[2], "default", "ServiceAccount", "v1", {})
                self._put(
                    "configmaps", key[2], "kube-root-ca.crt", "ConfigMap", "v1", {"data": {"ca.crt": "x"}}
                )
            if root and not root.startswith("self-signed"):
                self._put(
                    "configmaps",
                    key[2],
                    PUBLISHED,
                    "ConfigMap",
                    "v1",
                    {"data": {"root-cert.pem": _text(root)}},
                )

    def _program(self, peers: Mapping[str, Cluster], root: str) -> None:
        for key, obj in self.of(GATEWAYS):
            if obj["spec"].get("gatewayClassName") == EASTWEST:
                self._deploy(key, obj)
            elif obj["spec"].get("gatewayClassName") == REMOTE:
                self._peer(key, obj, peers, root)

    def address(self) -> str:
        """Return the address of its east-west gateway."""
        return f"10.{len(self.name)}.0.{self.name[-1]}"

    def _deploy(self, key: Name, obj: Object) -> None:
        meta = obj["metadata"]
        owner = {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "name": key[2],
            "uid": meta["uid"],
        }
        labels = {**meta.get("labels", {}), "gateway.networking.k8s.io/gateway-name": key[2]}
        about = {"ownerReferences": [owner], "labels": labels}
        if self.get("services", key[1], key[2]) is None:
            status = {"loadBalancer": {"ingress": [{"ip": self.address()}]}}
            ports = [{"name": "tls-xds", "port": 15012, "protocol": "TCP"}]
            spec = {"type": "LoadBalancer", "ports": ports}
            self._put(
                "services",
                key[1],
                key[2],
                "Service",
                "v1",
                {"metadata": about, "spec": spec, "status": status},
            )
        if self.get(DEPLOYMENTS, key[1], key[2]) is None:
            spec = {"replicas": 1, "selector": {"matchLabels": {"gw": key[2]}}, "template": {}}
            self._put(DEPLOYMENTS, key[1], key[2], "Deployment", "apps/v1", {"metadata": about, "spec": spec})
        self._status(
            key,
            {
                "addresses": [{"type": "IPAddress", "value": self.address()}],
                "conditions": [_condition(obj, name, "True") for name in ("Accepted", "Programmed")],
            },
        )

    def _peer(self, key: Name, obj: Object, peers: Mapping[str, Cluster], root: str) -> None:
        where = next(iter(obj["spec"].get("addresses") or ()), {}).get("value", "")
        found = [each for each in peers.values() if each.address() == where and each.has_gateway()]
        good = bool(found) and found[0].root() == root
        word = "True" if good else "False"
        names = ("gloo.solo.io/PeerConnected", "gloo.solo.io/PeeringSucceeded")
        conditions = [_condition(obj, name, word) for name in names]
        self._status(key, {"conditions": [*conditions, _condition(obj, "Programmed", "True")]})

    def has_gateway(self) -> bool:
        """Whether it has an east-west gateway that is reached."""
        return any(
            obj["spec"].get("gatewayClassName") == EASTWEST and obj.get("status")
            for _, obj in self.of(GATEWAYS)
        )


def _condition(obj: Object, name: str, word: str) -> Object:
    reason = "Programmed" if word == "True" else "Pending"
    generation = obj["metadata"].get("generation", 1)
    return {
        "type": name,
        "status": word,
        "reason": reason,
        "message": reason,
        "observedGeneration": generation,
    }


def _text(data: str) -> str:
    import base64

    return base64.b64decode(data).decode()


Peers = Mapping[str, Any]
