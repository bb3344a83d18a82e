"""Checks of gateways and peers: programmed, connected, at the right address, with one field manager."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.istio.addresses import chart_key, connection_key, eastwest_key
from mesh.istio.names import NETWORK
from mesh.istio.peering import stale, xds_port
from mesh.istio.solo import (
    CLUSTER,
    EASTWEST_CLASS,
    PREFERRED_SERVICE_TYPE,
    REMOTE_CLASS,
    SERVICE_ACCOUNT,
    XDS_LISTENER,
    XDS_PORT,
)
from mesh.model import Key
from mesh.queries.checks.facts import (
    ClusterFacts,
    MeshFacts,
    annotated,
    cluster_status,
    eastwest_gateways,
    environment,
    istiod,
    labels,
    of_class,
    place,
    shown,
    true,
)
from mesh.queries.checks.model import Finding, Findings, NotApplicable
from mesh.queries.checks.paste import pasted
from mesh.queries.status.model import GATEWAYS
from mesh.sdk.managed_fields import MESH_LABEL, owner_of
from mesh.world import Object

AUTOMATIC = "PEERING_AUTOMATIC_LOCAL_GATEWAY"
NODE_PORT = "nodeport"


def gateways(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q11: verify that the east-west gateway exists, is programmed, and has an address.

    It is where other clusters reach this one.
    """
    status = cluster_status(scene, facts, GATEWAYS)
    for row in status.gateways:
        if row.why:
            where = f"{row.namespace}/{row.name}"
            yield Finding(
                f"gateway {where}: {row.why}",
                {"gateway": where, "programmed": row.programmed, "address": row.address},
                eastwest_key(facts.cluster),
            )


def _of_network(scene: MeshFacts, network: str) -> ClusterFacts | None:
    return next((each for each in scene.clusters.values() if each.cluster.network == network), None)


def _target(scene: MeshFacts, obj: Object) -> ClusterFacts | None:
    """The cluster of this mesh that a peer represents, if any: they share the network."""
    return _of_network(scene, labels(obj).get(NETWORK, ""))


def _link_to(scene: MeshFacts, facts: ClusterFacts, network: str) -> Key:
    target = _of_network(scene, network)
    return connection_key(scene.mesh, facts.name, target.name if target else network or "unknown")


def _link(scene: MeshFacts, facts: ClusterFacts, obj: Object) -> Key:
    return _link_to(scene, facts, labels(obj).get(NETWORK, ""))


def peers(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """S12: verify that every link has a peer, and that every peer is connected and in sync.

    Both conditions must hold for the peer's present generation. `Programmed` is true of every peer, whatever
    its state.
    """
    status = cluster_status(scene, facts, GATEWAYS)
    for row in status.peers:
        is_awaited = scene.mesh.automatic and not row.class_name  # S18 reports what is not distributed
        if row.why and not is_awaited:
            where = f"{row.namespace}/{row.name}"
            yield Finding(
                f"peer {where}: {row.why}",
                {"peer": where, "connected": row.connected, "succeeded": row.succeeded},
                Key.parse(row.resource) if row.resource else _link_to(scene, facts, row.network),
            )


def one_namespace(scene: MeshFacts) -> Findings:
    """S09: verify that gateways and peers are in the same namespace in all clusters.

    The namespace of a peer is part of the SPIFFE identity that is expected of the remote gateway.
    """
    spaces = {
        name: sorted({place(obj)[0] for obj in found})
        for name, found in scene.gather(lambda facts: of_class(facts, EASTWEST_CLASS)).items()
        if found
    }
    for name, found in scene.gather(lambda facts: of_class(facts, REMOTE_CLASS)).items():
        facts = scene.clusters[name]
        for obj in found:
            target = _target(scene, obj)
            if target and target.name in spaces and place(obj)[0] not in spaces[target.name]:
                yield Finding(
                    f"{facts.name}: peer {shown(obj)} is not in the namespace of {target.name}'s gateway"
                    f" ({', '.join(spaces[target.name])}), so another identity is expected of it",
                    {"cluster": facts.name, "peer": shown(obj), "namespaces": spaces[target.name]},
                    _link(scene, facts, obj),
                )
    if not spaces:
        raise NotApplicable("no cluster has an east-west gateway yet")
    if len({tuple(each) for each in spaces.values()}) > 1:
        yield Finding(
            "the east-west gateways are in differently named namespaces",
            spaces,
            fix="set namespaces.eastwest to the same name for all clusters, then run mesh apply",
        )


def addressed(scene: MeshFacts) -> Findings:
    """S10: verify that every peer has the current address of the remote east-west gateway.

    A gateway that was created again, or a new load balancer, leaves peers with the old address.
    """
    compared = 0
    homes = scene.gather(_addresses)
    for name, peers in scene.gather(lambda facts: of_class(facts, REMOTE_CLASS)).items():
        facts = scene.clusters[name]
        for obj in peers:
            target = _target(scene, obj)
            endpoint = scene.endpoint(target) if target else None
            if target is None or target is facts or endpoint is None:
                continue
            compared += 1
            if why := stale(obj["spec"], endpoint, homes.get(target.name, ())):
                yield Finding(
                    f"{name}: peer {shown(obj)} for {target.name} is {why}",
                    {"cluster": name, "peer": shown(obj), "target": target.name, "gateway": dict(endpoint)},
                    _link(scene, facts, obj),
                )
    if not compared:
        raise NotApplicable("no peer has an address to compare yet")


def _addresses(target: ClusterFacts) -> list[str]:
    """Every address that reaches the gateways of a cluster; a node port is reached at any node."""
    found = [
        str(each["value"])
        for obj in of_class(target, EASTWEST_CLASS)
        for each in obj.get("status", {}).get("addresses", [])
    ]
    by_node = [
        str(each["address"])
        for obj in of_class(target, EASTWEST_CLASS)
        if any(value.lower() == NODE_PORT for value in annotated(obj).values())
        for node in target.rows("nodes")
        for each in node.get("status", {}).get("addresses", [])
    ]
    return [*found, *by_node]


def one_writer(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """S11: verify that each gateway and peer has one field manager.

    Two writers undo each other's changes. The status is left out: controllers write it.
    """
    found = eastwest_gateways(scene, facts) + of_class(facts, REMOTE_CLASS)
    if not found:
        raise NotApplicable("no gateway or peer exists yet")
    for obj in found:
        writers = sorted(set(_writers(obj)))
        is_ours = labels(obj).get(MESH_LABEL) == scene.mesh.name
        if len(writers) > 1 and (is_ours or obj["metadata"].get("ownerReferences")):
            yield Finding(
                f"{shown(obj)} has several field managers: {', '.join(writers)}",
                {"object": shown(obj), "managers": writers, "owner": owner_of(obj)},
                fix=f"kubectl --context {{context}} -n {pasted(obj)[0]} get gateway {pasted(obj)[1]}"
                " -o yaml --show-managed-fields",
            )


def _writers(obj: Object) -> Iterator[str]:
    for entry in obj["metadata"].get("managedFields", []):
        written = entry.get("fieldsV1", {})
        if entry.get("subresource") != "status" and {"f:spec", "f:metadata"} & written.keys():
            yield str(entry.get("manager", ""))


def by_node_port(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """S15: verify that peers that use node ports have the label, annotation and port that istiod needs.

    From these three istiod derives the data path: cluster, identity, and the port of the remote istiod.
    """
    found = [obj for obj in of_class(facts, REMOTE_CLASS) if _wants_node_port(obj)]
    if not found:
        raise NotApplicable("no peer uses node ports")
    for obj in found:
        lacking = [
            name
            for name, there in (
                (f"label {CLUSTER}", labels(obj).get(CLUSTER)),
                (f"annotation {SERVICE_ACCOUNT}", annotated(obj).get(SERVICE_ACCOUNT)),
                (f"a node port in listener {XDS_LISTENER}", xds_port(obj["spec"]) not in {None, XDS_PORT}),
            )
            if not there
        ]
        if lacking:
            yield Finding(
                f"peer {shown(obj)} uses node ports, but lacks {', '.join(lacking)}",
                {"peer": shown(obj), "lacks": lacking},
                _link(scene, facts, obj),
            )


def _wants_node_port(obj: Object) -> bool:
    return annotated(obj).get(PREFERRED_SERVICE_TYPE, "").lower() == NODE_PORT


def one_way_of_linking(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """S16: verify that peers come either from mesh or from istiod, and that each network has one.

    istiod uses neither of two peers for the same network.
    """
    found = of_class(facts, REMOTE_CLASS)
    automatic = true(environment(istiod(facts)).get(AUTOMATIC, ""))
    by_mesh = [obj for obj in found if labels(obj).get(MESH_LABEL) == scene.mesh.name]
    if automatic and by_mesh:
        yield Finding(
            f"istiod creates peers itself ({AUTOMATIC}=true), but {len(by_mesh)} peers are managed by mesh",
            {"peers": [shown(obj) for obj in by_mesh]},
            chart_key(facts.name, "istiod"),
        )
    by_network: dict[str, list[str]] = {}
    for obj in found:
        by_network.setdefault(labels(obj).get(NETWORK, ""), []).append(shown(obj))
    for network, names in sorted(by_network.items()):
        if len(names) > 1:
            yield Finding(
                f"{' and '.join(names)} are peers for the same network, {network}: istiod uses neither",
                {"network": network, "peers": names},
            )
