"""The second round of reads, which depend on the first: endpoints of webhooks, dry runs, ports of pods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mesh.errors import KubeError, MeshError
from mesh.model import Unread
from mesh.model.spec import Cluster
from mesh.queries.checks.facts import ClusterFacts, Rows, place
from mesh.queries.checks.read import pod_ports as ports
from mesh.queries.checks.read.queries import ENDPOINTS, SLICE
from mesh.sdk.managed_fields import is_going
from mesh.world import Kube, Object
from mesh.world.kube.errors import Conflict, Failed, Forbidden, Missing, Unauthorized, Unreachable
from mesh.world.resources import POD, SERVICE
from mesh.world.snapshot import Snapshot

MANAGER = "mesh/check"
NO_RIGHT = 'forbidden: User "'
"""The prefix of an authorizer's denial; quotas and admission plugins answer 403 with other prefixes."""
SECONDS = 35.0
"""How long a dry run may take (a webhook: 30 s). It is sent once: a webhook that fails is a finding."""
TERMINATED = "is being terminated"
"""What an API server says of a namespace that is being deleted: the next apply creates it again first."""

FLAT = "autogenflat."
"""The prefix of WorkloadEntries that istiod generates for pods of other clusters in a flat network."""


def rows(facts: ClusterFacts, what: str) -> Rows:
    """A collection of the first round; empty if it could not be read."""
    found = facts.seen[what]
    return () if isinstance(found, Unread) else found


def services(config: Object) -> Iterable[tuple[str, str]]:
    """The Services that a webhook configuration calls, as (namespace, name)."""
    for hook in config.get("webhooks", []):
        if service := hook["clientConfig"].get("service"):
            yield service["namespace"], service["name"]


def _endpoints(snapshot: Snapshot, facts: ClusterFacts) -> Rows | Unread:
    """The EndpointSlices of the Services that webhooks call."""
    configs = [*rows(facts, "validating"), *rows(facts, "mutating")]
    called = {name for config in configs for _, name in services(config)}
    if not called:
        return ()
    selector = ENDPOINTS.format(names=",".join(sorted(called)))
    try:
        return tuple(snapshot.list(SLICE, labels=selector))
    except MeshError as error:
        return Unread(error.message)


def is_flat(facts: ClusterFacts) -> bool:
    """Whether pods of another cluster are in a flat network with this one's."""
    return any(obj["metadata"]["name"].startswith(FLAT) for obj in rows(facts, "workload entries"))


def _addresses(snapshot: Snapshot, facts: ClusterFacts) -> Rows | Unread:
    """All pods with their addresses; read only for flat networks, since the LIST is large."""
    del facts
    try:
        return tuple(snapshot.list(POD))
    except MeshError as error:
        return Unread(error.message)


def _tried(snapshot: Snapshot, facts: ClusterFacts) -> Mapping[str, str | Unread]:
    """The answers to dry runs of the objects of `trials`: webhooks and quotas take part in these."""
    kube = snapshot.world.kube(snapshot.cluster).within(SECONDS)
    names = {place(obj)[1] for obj in rows(facts, "namespaces") if not is_going(obj)}
    served = facts.groups if isinstance(facts.groups, frozenset) else frozenset()
    found: dict[str, str | Unread] = {}
    for name, (api, body) in trials(facts.cluster).items():
        namespace = body["metadata"]["namespace"]
        if namespace not in names or ("/" in api and api not in served):
            found[name] = Unread(f"namespace {namespace} or {api} does not exist yet")
        else:
            found[name] = _try(kube, body)
    return found


def _try(kube: Kube, body: Object) -> str | Unread:
    """Send a write as a dry run: "" if it is accepted, else the message; `Unread` if nothing is known.

    Nothing is known if RBAC denies it, or if the API server itself fails.
    """
    try:
        kube.apply(body, manager=MANAGER, force=True, dry_run=True)
    except Forbidden as error:  # by RBAC (nothing is known), or by a quota or policy (the answer)
        unknown = NO_RIGHT in error.message or TERMINATED in error.message
        return Unread(error.message) if unknown else error.message
    except (Unreachable, Unauthorized, Missing, Failed) as error:
        return Unread(error.message)
    except Conflict:
        return ""
    except KubeError as error:
        return error.message
    return ""


def trials(cluster: Cluster) -> Mapping[str, tuple[str, Object]]:
    """The objects of the dry runs by name, with the API version that must be served."""
    entry = {
        "hosts": ["mesh-check.invalid"],
        "location": "MESH_INTERNAL",
        "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
        "resolution": "STATIC",
        "endpoints": [{"address": "192.0.2.1"}],
    }
    balancer = {"type": "LoadBalancer", "ports": [{"name": "tls-hbone", "port": 15008}]}
    api = "networking.istio.io/v1"
    return {
        "istio object": (api, _object(api, "ServiceEntry", cluster.namespace, entry)),
        "load balancer": (
            SERVICE.api_version,
            _object(SERVICE.api_version, SERVICE.kind, cluster.eastwest.namespace, balancer),
        ),
    }


def _object(api: str, kind: str, namespace: str, spec: Mapping[str, Any]) -> Object:
    meta = {"name": "mesh-check", "namespace": namespace}
    return {"apiVersion": api, "kind": kind, "metadata": meta, "spec": spec}


def _ports(snapshot: Snapshot, facts: ClusterFacts) -> Mapping[str, Any]:
    kube = snapshot.world.kube(snapshot.cluster)
    linked = bool(facts.remotes)
    return ports.ask(kube, rows(facts, "mesh pods"), rows(facts, "nodes"), by_remote_secrets=linked)


SECOND: Mapping[str, Callable[[Snapshot, ClusterFacts], Any]] = {
    "endpoints": _endpoints,
    "addresses": _addresses,
    "tried": _tried,
    "ports": _ports,
}
"""The reads of the second round, by the collection or the attribute of `ClusterFacts` that each fills."""
