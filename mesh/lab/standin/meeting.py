"""The checks that two control planes make when they connect: one check per fact.

Each check returns "" or why the two do not connect, with the message of the real istiod if it is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mesh.lab.standin import objects
from mesh.lab.standin.api import Json
from mesh.lab.standin.facts import CLUSTER, NETWORK, EastWest, Istiod
from mesh.lab.standin.objects import annotation, label

TRUST_DOMAIN: Final = "gateway.istio.io/trust-domain"
ACCOUNT: Final = "gateway.istio.io/service-account"
PREFERRED: Final = "peering.solo.io/preferred-data-plane-service-type"


@dataclass(frozen=True, slots=True)
class Link:
    """One peer gateway, the control plane it belongs to, and the gateway at its address."""

    gateway: Json
    own: Istiod
    peer: Istiod
    eastwest: EastWest
    now: datetime


def alone(own: Istiod) -> str:
    """Return why a control plane does not connect to any peer, or ""."""
    if not own.peering:
        return "peering is not enabled here (ENABLE_PEERING_DISCOVERY)"
    if own.cluster_id == "Kubernetes":
        return "this cluster has no id of its own (CLUSTER_ID is Kubernetes)"
    return unsettled(own) or own.boot.licence


def problem(link: Link) -> str:
    """Return the first problem that prevents the connection, or ""."""
    return next((why for check in CHECKS if (why := check(link))), "")


def prefers_node_port(gateway: Json) -> bool:
    """Return whether traffic uses the peer's node ports."""
    return annotation(gateway, PREFERRED).lower() == "nodeport"


def unsettled(istiod: Istiod) -> str:
    """Return why the network of a control plane is not consistent, or ""."""
    if not istiod.network_label:
        return f'no "{NETWORK}" label found on namespace {istiod.namespace}'
    if istiod.network_label != istiod.network:
        return (
            f"namespace {istiod.namespace} has network {istiod.network_label}"
            f" but istiod has network {istiod.network or '(none)'}"
        )
    return ""


def _peer_takes_part(link: Link) -> str:
    peer = link.peer
    if not peer.peering:
        return "peering is not enabled in the peer's istiod (ENABLE_PEERING_DISCOVERY)"
    if peer.cluster_id == "Kubernetes":
        return "the peer has no cluster id of its own (CLUSTER_ID is Kubernetes)"
    if peer.cluster_id == link.own.cluster_id:
        return f"the peer has the same cluster id as this cluster: {peer.cluster_id}"
    return f"the peer: {peer.boot.licence}" if peer.boot.licence else ""


def _common_root(link: Link) -> str:
    return common_root(link.own, link.peer, link.now)


def common_root(own_istiod: Istiod, peer_istiod: Istiod, now: datetime) -> str:
    """Return why one side does not trust certificates of the other, or ""."""
    own, peer = own_istiod.boot.authority, peer_istiod.boot.authority
    if not own.believes(peer) or not peer.believes(own):
        return "remote error: tls: bad certificate: the two clusters have no common root of trust"
    for whose, authority in (("this cluster's", own), ("the peer's", peer)):
        if not authority.valid(now):
            return f"remote error: tls: bad certificate: {whose} CA chain has expired or is not yet valid"
    return ""


def _trust_domains(link: Link) -> str:
    own, peer = link.own, link.peer
    if own.trust_domain == peer.trust_domain or (own.skips_trust_domain and peer.skips_trust_domain):
        return ""
    strict, foreign = (own, peer) if not own.skips_trust_domain else (peer, own)
    return f"no cert pool found for trust domain {foreign.trust_domain} in cluster {strict.cluster_id}"


def _identity_presented(link: Link) -> str:
    gateway, eastwest = link.gateway, link.eastwest
    namespace = objects.name(gateway)[0]
    account = annotation(gateway, ACCOUNT)
    wanted = f"spiffe://{annotation(gateway, TRUST_DOMAIN)}/ns/{namespace}/sa/{account}"
    given = f"spiffe://{link.peer.trust_domain}/ns/{eastwest.namespace}/sa/{eastwest.name}"
    if wanted == given:
        return ""
    return f"identity verification error: peer did not present the expected SAN {wanted}, got {given}"


def _network_agrees(link: Link) -> str:
    gateway, peer, eastwest = link.gateway, link.peer, link.eastwest
    if why := unsettled(peer):
        return f"the peer: {why}"
    if eastwest.network != peer.network:
        return f"eastwest gateway has network {eastwest.network} but cluster network is {peer.network}"
    network, cluster = label(gateway, NETWORK), label(gateway, CLUSTER)
    if network != peer.network:
        return f"the gateway names network {network} but the peer's network is {peer.network}"
    if cluster and cluster != peer.cluster_id:
        return f"the gateway names cluster {cluster} but the peer's cluster is {peer.cluster_id}"
    return ""


def _node_port_named(link: Link) -> str:
    if not prefers_node_port(link.gateway):
        return ""
    if not link.eastwest.by_node_port:
        return "the peer's east-west gateway does not offer its node ports"
    return "" if label(link.gateway, CLUSTER) else f"peering by node port needs the label {CLUSTER}"


#: In the order in which two control planes make them.
CHECKS: Final[tuple[Callable[[Link], str], ...]] = (
    _peer_takes_part,
    _common_root,
    _trust_domains,
    _identity_presented,
    _network_agrees,
    _node_port_named,
)
