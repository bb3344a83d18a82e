"""The facts of one cluster that its peers can see, as a frozen value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import yaml

from mesh.lab.standin import objects
from mesh.lab.standin.api import Json
from mesh.lab.standin.boot import Boot, Boots, environment
from mesh.lab.standin.mirror import Copies
from mesh.lab.standin.objects import annotation, at, condition, label

NETWORK: Final = "topology.istio.io/network"
CLUSTER: Final = "topology.istio.io/cluster"
EXPOSE: Final = "istio.io/expose-istiod"
SERVICE_TYPE: Final = "peering.solo.io/data-plane-service-type"

View = Mapping[str, Copies]


@dataclass(frozen=True, slots=True)
class Istiod:
    """A running control plane: facts from its pod, its configuration and its namespace."""

    namespace: str
    pod: str
    image: str
    cluster_id: str
    peering: bool
    skips_trust_domain: bool
    trust_domain: str
    network: str
    network_label: str
    boot: Boot
    #: Whether it creates a peer for each of its own east-west gateways.
    automatic: bool = False
    #: Whether upstream's multi-network is enabled.
    multi_network: bool = False


@dataclass(frozen=True, slots=True)
class EastWest:
    """An east-west gateway from the network: `endpoints` are (address, port) pairs that reach its xDS."""

    namespace: str
    name: str
    network: str
    by_node_port: bool
    balanced: frozenset[str]
    endpoints: frozenset[tuple[str, int]]
    ready: bool

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses at which it is reachable."""
        return frozenset(address for address, _ in self.endpoints)


@dataclass(frozen=True, slots=True)
class Facts:
    """One cluster; `istiod` is None while none is ready."""

    context: str
    istiod: Istiod | None = None
    gateways: tuple[EastWest, ...] = ()
    #: Upstream's east-west gateways, which carry data and no xDS.
    crossings: tuple[EastWest, ...] = ()
    #: UID of kube-system, which identifies the cluster.
    uid: str = ""


def gather(context: str, view: View, boots: Boots) -> Facts:
    """Return the facts of a cluster, from its objects and from what its pods read at their start."""
    running = [pod for pod in view["pods"].values() if _acts(pod) and boots.of(pod)]
    # The newest pod counts while a new revision rolls out.
    newest = max(
        running, key=lambda pod: (pod["metadata"]["creationTimestamp"], objects.name(pod)), default=None
    )
    boot = boots.of(newest) if newest else None
    return Facts(
        context,
        _istiod(newest, boot, view) if newest and boot else None,
        _of_class("istio-eastwest", view),
        _of_class("istio-east-west", view),
        str(at(view["namespaces"].get(("", "kube-system"), {}), "metadata", "uid", default="")),
    )


def _of_class(name: str, view: View) -> tuple[EastWest, ...]:
    return tuple(
        _eastwest(gateway, view)
        for _, gateway in sorted(view["gateways"].items())
        if at(gateway, "spec", "gatewayClassName") == name
    )


def _acts(pod: Json) -> bool:
    return not at(pod, "metadata", "deletionTimestamp") and condition(pod, "Ready").get("status") == "True"


def _istiod(pod: Json, boot: Boot, view: View) -> Istiod:
    env, namespace = environment(pod), objects.name(pod)[0]
    revision = env.get("REVISION", "default")
    suffix = "" if revision == "default" else f"-{revision}"
    mesh = _document(view, (namespace, f"istio{suffix}"), "mesh")
    values = _document(view, (namespace, f"istio-sidecar-injector{suffix}"), "values")
    return Istiod(
        namespace=namespace,
        pod=objects.name(pod)[1],
        image=at(pod, "spec", "containers", 0, "image", default=""),
        cluster_id=env.get("CLUSTER_ID", "Kubernetes"),
        peering=env.get("ENABLE_PEERING_DISCOVERY") == "true",
        skips_trust_domain=env.get("PILOT_SKIP_VALIDATE_TRUST_DOMAIN") == "true",
        trust_domain=str(at(mesh, "trustDomain", default="cluster.local")),
        network=str(at(values, "global", "network", default="")),
        network_label=label(view["namespaces"].get(("", namespace), {}), NETWORK),
        boot=boot,
        automatic=env.get("PEERING_AUTOMATIC_LOCAL_GATEWAY") == "true",
        multi_network=env.get("AMBIENT_ENABLE_MULTI_NETWORK") == "true",
    )


def _document(view: View, key: tuple[str, str], field: str) -> Json:
    """Return a YAML or JSON document from a ConfigMap; {} if it cannot be parsed."""
    return _parsed(at(view["configs"].get(key, {}), "data", field, default=""))


@lru_cache(maxsize=256)
def _parsed(text: str) -> Json:
    try:
        # Parsing JSON as JSON is ten times faster.
        document = json.loads(text) if text[:1] == "{" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError):
        return {}
    return document if isinstance(document, dict) else {}


def _eastwest(gateway: Json, view: View) -> EastWest:
    key = objects.name(gateway)
    service = view["services"].get(key, {})
    balanced = frozenset(
        one.get("ip") or one.get("hostname", "")
        for one in at(service, "status", "loadBalancer", "ingress", default=())
    )
    return EastWest(
        *key,
        network=label(gateway, NETWORK),
        by_node_port=annotation(gateway, SERVICE_TYPE).lower() == "nodeport",
        balanced=balanced,
        endpoints=frozenset(_endpoints(gateway, service, balanced, view)),
        ready=at(view["deployments"].get(key, {}), "status", "availableReplicas", default=0) > 0,
    )


def _endpoints(gateway: Json, service: Json, balanced: frozenset[str], view: View) -> list[tuple[str, int]]:
    """Return the endpoints of xDS: the port in the gateway's label must match one of its TLS listeners."""
    exposed = label(gateway, EXPOSE)
    listens = any(
        str(at(listener, "port")) == exposed and at(listener, "protocol") == "TLS"
        for listener in at(gateway, "spec", "listeners", default=())
    )
    ports = [one for one in at(service, "spec", "ports", default=()) if str(one["port"]) == exposed]
    if not listens or not ports:
        return []
    node_port = ports[0].get("nodePort", 0)
    through_nodes = [(address, node_port) for address in node_addresses(view)] if node_port else []
    return [(address, ports[0]["port"]) for address in sorted(balanced)] + through_nodes


def node_addresses(view: View) -> list[str]:
    """Return the internal addresses of the nodes, in the order of the node names."""
    return [
        address["address"]
        for _, node in sorted(view["nodes"].items())
        for address in at(node, "status", "addresses", default=())
        if address["type"] == "InternalIP"
    ]
