"""Put the status of a mesh together: what a plan decided, and from the same snapshots the rest of the tables.

It starts no helm and needs neither the value of the licence nor the root key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

from mesh.engine.session import Session
from mesh.errors import MeshError
from mesh.istio.addresses import cacerts_key, label_key, licence_key
from mesh.istio.names import NETWORK
from mesh.istio.solo import licence_secret
from mesh.model import Key, Live, Unread, UnreadSecret
from mesh.providers.chart import views_in
from mesh.providers.chart.values import CLEAR, LICENCE
from mesh.queries.current import Current, current
from mesh.queries.status import judge, objects
from mesh.queries.status.model import (
    GATEWAYS,
    LABEL,
    PODS,
    REMOTES,
    SECRETS,
    CertificateStatus,
    ClusterStatus,
    Status,
    ordered,
)
from mesh.queries.status.objects import ClusterView
from mesh.queries.status.pods import workloads
from mesh.walk import fan
from mesh.world.guarded import guarded
from mesh.world.kube.errors import Unauthorized, Unreachable
from mesh.world.resources import NAMESPACE

Row = TypeVar("Row")


def read_status(session: Session) -> Status:
    """Read the clusters and return the status of each; one that fails hides no other."""
    return status_of(session, current(session))


def status_of(session: Session, seen: Current) -> Status:
    """Return the status of what was read and decided; it reads a few more objects from the same snapshots."""
    mesh = session.mesh
    views = {each.name: ClusterView(session, each, seen) for each in mesh.clusters}
    clusters = tuple(fan(lambda name: _cluster(views[name]), views).values())
    # Without the state, a root of trust that is not on this machine may exist all the same.
    others = (state for key, state in seen.states.items() if key.cluster not in views and not seen.note)
    management = mesh.automatic.management if mesh.automatic else ""
    return Status(mesh.name, clusters, _roots(clusters), management, tuple(others), seen.note, seen.said)


def _cluster(view: ClusterView) -> ClusterStatus:
    """Return the status of a cluster; nothing more is asked of one that does not answer."""
    cluster = view.cluster
    licence = None if view.is_upstream else licence_secret(view.session.mesh, cluster)
    blank = ClusterStatus(
        cluster.name,
        cluster.context,
        cluster.network,
        f"{licence.namespace}/{licence.name}" if licence else "",
        unreachable=_unreachable(view),
        resources=view.current.of(cluster.name),
    )
    if blank.unreachable:
        return blank
    found = guarded(f"cluster {cluster.name}: what it holds", partial(_read, view, blank))
    return replace(blank, unreachable=found.why) if isinstance(found, Unread) else found


def _read(view: ClusterView, blank: ClusterStatus) -> ClusterStatus:
    found = _with_rows(view, blank)
    return found if view.is_upstream else _with_licence(view, found)


def _unreachable(view: ClusterView) -> str:
    """Return why the cluster does not answer; one that forbids a read does answer."""
    try:
        view.snapshot.list(NAMESPACE)
    except (Unreachable, Unauthorized) as error:
        return error.message
    except MeshError:
        return ""
    return ""


def _with_rows(view: ClusterView, blank: ClusterStatus) -> ClusterStatus:
    unread: dict[str, str] = {}
    pods = _part(unread, PODS, lambda: workloads(view.cluster, view.snapshot))
    gateways = _part(unread, GATEWAYS, lambda: objects.other_gateways(view))
    part = REMOTES if view.is_upstream else GATEWAYS
    links = _part(unread, part, lambda: objects.other_links(view))
    label = view.state(label_key(view.cluster.name, view.cluster.namespace))
    unread |= {LABEL: label.unread} if label.unread else {}
    unread |= {SECRETS: why} if (why := _hidden(view)) else {}
    return replace(
        blank,
        unread={name: unread[name] for name in (LABEL, PODS, SECRETS, GATEWAYS, REMOTES) if name in unread},
        network=str(label.live.attrs["metadata"]["labels"].get(NETWORK, "")) if label.live else "",
        workloads=pods,
        gateways=() if GATEWAYS in unread else (objects.gateway(view), *gateways),
        peers=() if part in unread else ordered((*objects.links(view), *links)),
        authority=_authority(view),
    )


def _part(unread: dict[str, str], name: str, read: Callable[[], Iterable[Row]]) -> tuple[Row, ...]:
    """Return what was read; nothing, and a note of why, if it could not be."""
    found = guarded(f"the {name}", lambda: tuple(read()))
    if isinstance(found, Unread):
        unread[name] = found.why
        return ()
    return found


def _hidden(view: ClusterView) -> str:
    """Return why the certificate or the licence could not be read, "" if both were."""
    keys = [cacerts_key(view.cluster.name), *(() if view.is_upstream else (_licence(view),))]
    found = [view.state(key) for key in keys]
    by_state = (each.found.why for each in found if isinstance(each.found, UnreadSecret))
    # A Secret that is judged by the state names the right that is missing; a kind that then looks elsewhere
    # may report what it could not read there.
    return next(by_state, "") or next((each.unread for each in found if each.unread), "")


def _licence(view: ClusterView) -> Key:
    return licence_key(view.cluster.name, licence_secret(view.session.mesh, view.cluster).name)


def _with_licence(view: ClusterView, found: ClusterStatus) -> ClusterStatus:
    """Add the licence; one in the values of istiod works, although no Secret holds it."""
    state, clear = view.state(_licence(view)), _in_clear_text(view)
    if clear and state.found is None:
        told = replace(state, trouble="")
        found = replace(
            found, resources=tuple(told if each.key == state.key else each for each in found.resources)
        )
    licence = isinstance(state.found, Live) and bool(state.found.attrs.get("data"))
    return replace(found, has_licence=licence, clear_licence=clear)


def _in_clear_text(view: ClusterView) -> bool:
    """Return whether a licence is in the values of istiod's release, as helm alone would set it."""
    try:
        views = views_in(view.snapshot, view.cluster.namespace).values()
    except MeshError:
        return False
    found = [view.deployed.config.get(LICENCE) for view in views if view.deployed and view.is_of("istiod")]
    return any(isinstance(one, Mapping) and bool(one.get(CLEAR)) for one in found)


def _authority(view: ClusterView) -> CertificateStatus | None:
    state = view.state(cacerts_key(view.cluster.name))
    if state.live is None:
        return None if state.unread else CertificateStatus(why=state.trouble)
    early = view.session.mesh.root.intermediate.renew_before
    return judge.authority(state.live, state.trouble, early, view.session.world.clock.now())


def _roots(clusters: Iterable[ClusterStatus]) -> tuple[str, ...]:
    """Return a message for each cluster whose roots of trust are not those of the others."""
    shown = {each.name: frozenset(each.authority.roots) for each in clusters if each.authority}
    if len(shown) < 2:
        return ()
    from mesh.world import pki

    return pki.one_root(shown)
