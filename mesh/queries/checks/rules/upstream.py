"""Checks of upstream Istio only: one trust domain, remote secrets, the multi-network switch."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any

from mesh.istio.upstream import is_loopback
from mesh.queries.checks.facts import (
    ClusterFacts,
    MeshFacts,
    Rows,
    annotated,
    environment,
    istiod,
    read,
    shown,
    true,
    trust_domain,
)
from mesh.queries.checks.model import Finding, Findings, NotApplicable, Severity
from mesh.world import Object

REMOTE = "networking.istio.io/cluster"
MULTI_NETWORK = "AMBIENT_ENABLE_MULTI_NETWORK"


def one_trust_domain(scene: MeshFacts) -> Findings:
    """P21."""
    domains = scene.gather(trust_domain)
    if len(set(domains.values())) > 1:
        yield Finding(f"the trust domains differ: {', '.join(sorted(set(domains.values())))}", domains)


def multi_network(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P24."""
    del scene
    env = environment(istiod(facts))
    for name in (MULTI_NETWORK, "PILOT_ENABLE_AMBIENT"):
        if not true(env.get(name, "")):
            yield Finding(
                f"istiod runs without {name}=true",
                {"variable": name, "value": env.get(name, "")},
                facts.key("chart", "istiod"),
            )


def remotes(facts: ClusterFacts) -> Rows:
    """The remote secrets of a cluster."""
    found = tuple(obj for obj in facts.rows("secrets") if obj.get("remote") is not None)
    if not found:
        raise NotApplicable("there is no remote secret")
    return found


def _entries(facts: ClusterFacts) -> Iterator[tuple[Object, str, Mapping[str, Any]]]:
    """Secret, cluster and what its kubeconfig says, without the token."""
    for obj in remotes(facts):
        for name, config in obj["remote"].items():
            yield obj, name, config


def reachable(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P26."""
    labs = {each.cluster_name for each in scene.mesh.clusters if each.allow_loopback}
    for obj, name, config in _entries(facts):
        server = str(config.get("server", ""))
        if is_loopback(server) and name not in labs:
            yield Finding(
                f"remote secret {shown(obj)} says that {name} is at {server}: no pod reaches it there",
                {"secret": shown(obj), "cluster": name, "server": server},
            )


def valid(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q09."""
    names = {cluster.cluster_name: cluster.name for cluster in scene.mesh.clusters}
    for obj, name, config in _entries(facts):
        problems = [
            *([f"it is for {name}, which is not of this mesh"] if name not in names else []),
            *(["its annotation names another cluster"] if annotated(obj).get(REMOTE, name) != name else []),
            *(["it has no token"] if not config.get("has token") else []),
            *(["it has no certificate of the server's CA"] if not config.get("has ca") else []),
        ]
        for problem in problems:
            yield Finding(
                f"remote secret {shown(obj)}: {problem}",
                {"secret": shown(obj), "cluster": name},
                facts.key("remote", names.get(name, name)),
            )
    for target, said in sorted(read(facts.remotes).items()):
        if why := read(said):
            yield Finding(f"the link to {target}: {why}", {"target": target}, facts.key("remote", target))


def synced(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q10."""
    text = read(facts.ports.get("clusters"))
    wanted = {link.target for link in scene.mesh.links if link.source == facts.name}
    names = {scene.mesh.cluster(name).cluster_name: name for name in wanted}
    told = {str(each.get("id", "")): str(each.get("syncStatus", "")) for each in json.loads(text)}
    for name in sorted(names):
        if told.get(name) != "synced":
            yield Finding(
                f"istiod has not synced with {name}: {told.get(name, 'it does not know it')}",
                {"cluster": name, "syncStatus": told.get(name, "")},
                facts.key("remote", names[name]),
            )


def expiring(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q23."""
    del scene
    for obj, name, config in _entries(facts):
        if config.get("has token") and not config.get("expires"):
            yield Finding(
                f"remote secret {shown(obj)} holds a token for {name} that never expires",
                {"secret": shown(obj), "cluster": name},
                severity=Severity.INFO,
            )


def public(secret: Object) -> Mapping[str, Mapping[str, Any]]:
    """What a remote secret says, by cluster, without the token: whether there is one, and whether it ends."""
    from mesh.world.yaml_documents import read as parse

    found: dict[str, Mapping[str, Any]] = {}
    for name, value in (secret.get("data") or {}).items():
        try:
            config = parse(base64.b64decode(value))
            cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        except (ValueError, binascii.Error, KeyError, IndexError, TypeError):
            found[name] = {}
            continue
        token = str(user.get("token", ""))
        found[name] = {
            "server": cluster.get("server", ""),
            "has ca": bool(cluster.get("certificate-authority-data")),
            "has token": bool(token),
            "expires": "exp" in _claims(token),
        }
    return found


def _claims(token: str) -> Mapping[str, Any]:
    part = [*token.split("."), "", ""][1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, Mapping) else {}
