"""The status of a mesh as text, in the tables of the guide, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from mesh.cli.views.colour import Paint, painter
from mesh.cli.views.escape import terminal
from mesh.cli.views.tables import table
from mesh.istio.addresses import is_connection
from mesh.queries.states import ResourceState
from mesh.queries.status.model import SECRETS, CertificateStatus, ClusterStatus, Status, Workload

FORMAT_VERSION = "1.2"

Json = dict[str, Any]

SHORT = len("sha256:") + 12
"""The length of a fingerprint in a table: enough to compare by eye."""


def status_text(status: Status, *, colour: bool) -> str:
    """Return the tables, what is not ready or not in sync, and the warnings; with a newline at the end."""
    paint = painter(colour=colour)
    parts = [_headline(status, paint), _section("Clusters", _clusters(status), paint)]
    for title, text in _details(status):
        if text.count("\n") > 1:
            parts.append(_section(title, text, paint))
    parts += _listed(
        "Not ready", status.troubles, [(each.name, each.troubles) for each in status.clusters], paint
    )
    parts += _listed(
        "Not in sync with the mesh file (see `mesh plan`)",
        status.out_of_sync,
        [(each.name, each.out_of_sync) for each in status.clusters],
        paint,
    )
    parts += ["".join(f"{paint('Warning:', 'yellow')} {terminal(each)}\n" for each in status.warnings)]
    return "\n".join(part for part in parts if part)


def _headline(status: Status, paint: Paint) -> str:
    number = len(status.clusters)
    ready = sum(not cluster.troubles for cluster in status.clusters)
    noun = "cluster" if number == 1 else "clusters"
    links = sum(1 for cluster in status.clusters for peer in cluster.peers if peer.link and not peer.why)
    shown = {peer.resource for cluster in status.clusters for peer in cluster.peers if peer.link}
    every = {
        str(each.key) for cluster in status.clusters for each in cluster.resources if is_connection(each.key)
    }
    unread = f", {len(every - shown)} not read" if every - shown else ""
    asked = len(every | shown)
    up = f"{links} of {asked} links up{unread}"
    text = f"Mesh {terminal(status.mesh)}: {ready} of {number} {noun} ready, {up}."
    return paint(text, "bold" if status.ready else "yellow") + "\n"


def _section(title: str, text: str, paint: Paint) -> str:
    return f"{paint(title, 'bold')}\n{text}"


def _details(status: Status) -> Iterator[tuple[str, str]]:
    yield "Pods", _workloads(status)
    if status.management:
        yield from _review(status)
    else:
        yield "East-west gateways", _gateways(status)
        yield "Peers", _peers(status)
    yield f"Intermediate certificates ({_same(status)})", _authorities(status)


def _same(status: Status) -> str:
    match status.same_root:
        case True:
            return "one root in all clusters"
        case False:
            return "ROOTS DIFFER"
    return "nothing to compare"


def _clusters(status: Status) -> str:
    headers = ("cluster", "context", "network", "licence", "state")
    return table(headers, ((each.name, each.context, *_state(each)) for each in status.clusters))


def _state(cluster: ClusterStatus) -> tuple[str, str, str]:
    if cluster.unreachable:
        return "?", "?", "unreachable"
    state = "not ready" if cluster.troubles else "ready"
    return cluster.network, _licence(cluster), state if cluster.was_read else "not read"


def _licence(cluster: ClusterStatus) -> str:
    if not cluster.licence:
        return "not needed"
    if SECRETS in cluster.unread:
        return "?"
    if cluster.has_licence:
        return "present"
    return "in clear text" if cluster.clear_licence else "absent"


def _workloads(status: Status) -> str:
    headers = ("cluster", "component", "namespace", "ready", "nodes", "tag", "chart", "release")
    rows = (
        (
            *(cluster.name, each.component, each.namespace, _ready(each)),
            *("" if each.nodes is None else each.nodes, each.tag, each.chart, each.keeper or each.release),
        )
        for cluster in status.clusters
        for each in cluster.workloads
    )
    return table(headers, rows)


def _ready(found: Workload) -> str:
    return f"{found.ready}/{found.desired}" if found.name else ""


def _gateways(status: Status) -> str:
    headers = ("cluster", "namespace", "name", "class", "address", "programmed", "owner")
    rows = (
        (
            *(cluster.name, each.namespace, each.name, each.class_name),
            *(each.address, each.programmed, each.owner),
        )
        for cluster in status.clusters
        for each in cluster.gateways
    )
    return table(headers, rows)


def _review(status: Status) -> Iterator[tuple[str, str]]:
    """Yield the guide's table of remote peer gateways for each cluster, the management cluster first."""
    for cluster in sorted(status.clusters, key=lambda each: each.name != status.management):
        role = " (management cluster)" if cluster.name == status.management else ""
        yield f"Gateways of {terminal(cluster.name)}{role}", _gateways_of(cluster)


def _gateways_of(cluster: ClusterStatus) -> str:
    headers = ("namespace", "name", "class", "address", "programmed", "connected", "succeeded", "owner")
    rows: list[tuple[object, ...]] = [
        (each.namespace, each.name, each.class_name, each.address, each.programmed, "", "", each.owner)
        for each in cluster.gateways
    ]
    for each in cluster.peers:
        proof = ("own", "own") if each.own else (each.connected, each.succeeded)
        rows.append(
            (each.namespace, each.name, each.class_name, each.address, each.programmed, *proof, each.owner)
        )
    return table(headers, rows)


def _peers(status: Status) -> str:
    headers = (
        *("cluster", "namespace", "name", "class", "target", "network"),
        *("address", "connected", "succeeded", "owner"),
    )
    rows = (
        (
            *(cluster.name, each.namespace, each.name, each.class_name, each.cluster, each.network),
            *(each.address, each.connected, each.succeeded, each.owner),
        )
        for cluster in status.clusters
        for each in cluster.peers
    )
    return table(headers, rows)


def _authorities(status: Status) -> str:
    headers = ("cluster", "subject", "issuer", "root", "expires", "days left")
    rows = (
        (cluster.name, *_authority(cluster.authority))
        for cluster in status.clusters
        if cluster.authority is not None
    )
    return table(headers, rows)


def _authority(found: CertificateStatus) -> tuple[object, ...]:
    if found.expires is None:
        return "", "", "", "", ""
    return found.subject, found.issuer, found.root[:SHORT], f"{found.expires:%Y-%m-%d}", found.days_left


def _listed(
    title: str, lines: Iterable[str], by_cluster: Iterable[tuple[str, Iterable[str]]], paint: Paint
) -> Iterator[str]:
    """Yield a section with a line for each, those of no cluster first; nothing if there is none."""
    text = [f"  {terminal(line)}\n" for line in lines]
    text += [f"  {terminal(name)}: {terminal(line)}\n" for name, some in by_cluster for line in some]
    if text:
        yield _section(title, "".join(text), paint)


def status_json(status: Status) -> Json:
    """Return the status as JSON data; the minor version grows when something is added."""
    return {
        "format_version": FORMAT_VERSION,
        "mesh": status.mesh,
        "ready": status.ready,
        "in_sync": status.in_sync,
        "same_root": status.same_root,
        "clusters": [_cluster(each) for each in status.clusters],
        "not_ready": list(status.troubles),
        "out_of_sync": list(status.out_of_sync),
        "resources": [_resource(each) for each in status.resources],
        "warnings": list(status.warnings),
    }


def _cluster(cluster: ClusterStatus) -> Json:
    return {
        "name": cluster.name,
        "context": cluster.context,
        "reachable": not cluster.unreachable,
        "error": cluster.unreachable,
        "unread": dict(cluster.unread),
        "ready": not cluster.troubles,
        "not_ready": list(cluster.troubles),
        "out_of_sync": list(cluster.out_of_sync),
        "network": {"label": cluster.network, "wanted": cluster.wanted_network},
        "licence": {
            "secret": cluster.licence,
            "present": None if SECRETS in cluster.unread else cluster.has_licence,
            "in_clear_text": None if SECRETS in cluster.unread else cluster.clear_licence,
        },
        "pods": [_workload(each) for each in cluster.workloads],
        "gateways": [_renamed(asdict(each)) for each in cluster.gateways],
        "peers": [_renamed(asdict(each)) for each in cluster.peers],
        "intermediate_ca": _certificate(cluster.authority),
        "resources": [_resource(each) for each in cluster.resources],
    }


def _resource(state: ResourceState) -> Json:
    """Return the state of a resource: the action and reason are those of a plan."""
    step = state.step
    return {
        "address": str(state.key),
        "kind": state.key.kind,
        "cluster": state.key.cluster,
        "name": state.key.name,
        "state": state.word,
        "text": state.text,
        "is_ready": state.works,
        "why": state.trouble or (f"could not be read: {state.unread}" if state.unread else ""),
        "in_sync": state.in_sync,
        "action": step.action.name.lower() if step else "",
        "action_reason": step.reason.name.lower() if step else "",
        "fields": [list(each.path) for each in step.fields] if step else [],
    }


def _workload(found: Workload) -> Json:
    return {**asdict(found), "is_ready": not found.why}


def _renamed(fields: Json) -> Json:
    """`class` is a reserved word in Python."""
    names = {"class_name": "class"}
    return {names.get(key, key): value for key, value in fields.items()} | {"is_ready": not fields["why"]}


def _certificate(found: CertificateStatus | None) -> Json | None:
    if found is None:
        return None
    return {**asdict(found), "expires": found.expires.isoformat() if found.expires else None}
