"""What of a plan this identity may not do, cluster by cluster, told before it is tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mesh.engine.session import Planned, Session
from mesh.errors import KubeError
from mesh.model import Plan, Unread
from mesh.planner.inputs import places
from mesh.queries.access import rights as permissions

Denied = Mapping[str, tuple[str, ...] | Unread]
"""By cluster, what we may not do, in words."""


def denied(session: Session, planned: Planned) -> Denied:
    """What of the planned writes we may not do, by cluster; nothing is asked if nothing is planned."""
    steps = permissions.needed(planned.plan.steps, places(planned.inputs.resources, planned.state))
    spaces = {cluster.name: cluster.namespace for cluster in session.mesh.clusters}
    wanted = {
        name: some | (permissions.of_run(spaces[name]) if name in spaces else frozenset())
        for name, some in steps.items()
    }
    return {
        cluster: Unread(found.message) if isinstance(found, KubeError) else permissions.words(found)
        for cluster, found in permissions.missing(wanted, session.world).items()
    }


def warned(session: Session, planned: Planned) -> Plan:
    """The plan, with a warning for each cluster in which we may not do all of it."""
    said = [
        f"cluster {cluster}: this identity may not apply it, rights on {len(found)} resources are missing "
        "(`mesh check --only P04` lists them)"
        for cluster, found in denied(session, planned).items()
        if found and not isinstance(found, Unread)
    ]
    return replace(planned.plan, warnings=(*planned.plan.warnings, *said))
