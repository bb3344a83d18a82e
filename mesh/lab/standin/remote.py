"""Evaluate remote secrets: whether the services of another cluster are found through its API server.

The real istiod reports this on a port of its pods; the stand-in writes it to the ConfigMap
kube-public/lab-remote-clusters, per cluster `{"synced": true|false, "message": "…"}`. It tests a token
with a request to the API server.
"""

from __future__ import annotations

import hashlib
import json
import time
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import yaml

from mesh.lab.standin import access, meeting
from mesh.lab.standin.api import UNREACHABLE, Api, ApiError, Json
from mesh.lab.standin.facts import Facts, Istiod, View
from mesh.lab.standin.mirror import Copies
from mesh.lab.standin.objects import at
from mesh.lab.standin.writes import Write

#: A namespace outside the mesh: a report must not block the deletion of istiod's namespace.
NAMESPACE: Final = "kube-public"
REPORT: Final = "lab-remote-clusters"
SYNCED: Final = "synced"
#: Seconds for which what an API server answer of a token is believed.
BELIEVED: Final = 1.0


@dataclass(frozen=True, slots=True)
class Probe:
    """The answer of an API server: the UID of its kube-system, or the problem."""

    uid: str = ""
    problem: str = ""


@dataclass(slots=True)
class Remotes:
    """The remote clusters of one cluster, by the names in the secrets."""

    _answers: dict[str, tuple[float, Probe]] = field(default_factory=dict)

    def probe(self, secrets: Copies) -> Mapping[str, Probe]:
        """Query every API server in a secret, unless it was queried a moment ago."""
        found = {name: self._asked(name, text) for name, text in _kubeconfigs(secrets)}
        known = {_digest(name, text) for name, text in _kubeconfigs(secrets)}
        self._answers = {key: answer for key, answer in self._answers.items() if key in known}
        return found

    def _asked(self, name: str, text: str) -> Probe:
        key, now = _digest(name, text), time.monotonic()
        when, answer = self._answers.get(key, (0.0, Probe()))
        if key not in self._answers or now - when > BELIEVED:
            answer = _ask(text)
            self._answers[key] = (now, answer)
        return answer


def wanted(
    found: Facts, peers: Mapping[str, Facts], probes: Mapping[str, Probe], view: View, now: datetime
) -> Iterable[Write]:
    """Return the due write of the report, () if it is up to date."""
    live = view["reports"].get((NAMESPACE, REPORT))
    # Without an istiod, the cluster does not look for other clusters.
    whys = {
        name: problem(name, probe, own, found, peers, now) or SYNCED
        for own in [found.istiod]
        if own
        for name, probe in probes.items()
    }
    data = {name: json.dumps({"synced": why == SYNCED, "message": why}) for name, why in whys.items()}
    if at(live, "data", default={}) != data and (live or data):
        about = {"name": REPORT, "namespace": NAMESPACE}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": data}
        yield Write(f"/api/v1/namespaces/{NAMESPACE}/configmaps/{REPORT}", body)


def problem(
    name: str, probe: Probe, own: Istiod, found: Facts, peers: Mapping[str, Facts], now: datetime
) -> str:
    """Return the first problem that prevents service discovery in another cluster, or ""."""
    if not own.multi_network:
        return "networks are not joined here (AMBIENT_ENABLE_MULTI_NETWORK)"
    if why := meeting.unsettled(own) or probe.problem:
        return why
    there = next((one for _, one in sorted(peers.items()) if one.uid == probe.uid), None)
    if there is None:
        return "the API server is of no cluster of this lab"
    if there.context == found.context or name == own.cluster_id:
        return "the secret leads to this cluster itself"
    if there.istiod is None:
        return "the peer's istiod is not ready"
    return _meeting(name, own, there.istiod, now) or _crossing(there, there.istiod)


def _meeting(name: str, own: Istiod, peer: Istiod, now: datetime) -> str:
    if name != peer.cluster_id:
        return f"the secret names cluster {name} but the peer's cluster is {peer.cluster_id}"
    if not peer.multi_network:
        return "networks are not joined in the peer's istiod (AMBIENT_ENABLE_MULTI_NETWORK)"
    if why := meeting.unsettled(peer):
        return f"the peer: {why}"
    if peer.network == own.network:
        return f"the peer is in this cluster's own network {own.network}"
    if peer.trust_domain != own.trust_domain:
        return f"the peer's trust domain is {peer.trust_domain}, ztunnel accepts {own.trust_domain} only"
    return meeting.common_root(own, peer, now)


def _crossing(peer: Facts, istiod: Istiod) -> str:
    """Return why traffic cannot enter the peer's network, or ""."""
    ours = [one for one in peer.crossings if one.network == istiod.network]
    if not ours:
        return f"the peer has no east-west gateway for network {istiod.network}"
    if not any(one.balanced and one.ready for one in ours):
        return "the peer's east-west gateway has no address or no ready pod"
    return ""


def _kubeconfigs(secrets: Copies) -> Iterator[tuple[str, str]]:
    for _, secret in sorted(secrets.items()):
        for name, text in sorted(at(secret, "data", default={}).items()):
            yield name, b64decode(text).decode(errors="replace")


def _ask(text: str) -> Probe:
    """Query the API server as istiod would: the services, and the identity of the cluster."""
    try:
        document: Any = yaml.safe_load(text)
        api = Api(access.of(document, document["current-context"]))
    except (yaml.YAMLError, access.AccessError, KeyError, TypeError, ValueError, OSError) as error:
        return Probe(problem=f"the kubeconfig cannot be used: {type(error).__name__}")
    try:
        api.get("/api/v1/services", limit="1")
        found: Json = api.get("/api/v1/namespaces/kube-system")
        return Probe(uid=str(found["metadata"]["uid"]))
    except ApiError as error:
        return Probe(problem=f"failed to list services: {error}")
    except UNREACHABLE as error:
        return Probe(problem=f"the API server cannot be reached: {type(error).__name__}")
    finally:
        api.close()


def _digest(name: str, text: str) -> str:
    return hashlib.sha256(f"{name}\0{text}".encode()).hexdigest()
