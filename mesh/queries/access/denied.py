"""The rights that this identity lacks for a plan, by cluster, reported before the first write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mesh.engine.session import Planned, Session
from mesh.errors import KubeError
from mesh.model import Plan, Unread
from mesh.planner.inputs import places
from mesh.queries.access import rights as permissions

Denied = Mapping[str, tuple[str, ...] | Unread]
"""The missing rights in words, by cluster."""


def denied(session: Session, planned: Planned) -> Denied:
    """Return the missing rights by cluster; ask no cluster to which the plan writes nothing."""
    where = places(planned.inputs.resources, planned.state)
    steps = permissions.needed(planned.plan.steps, where, session.kinds)
    spaces = {cluster.name: cluster.namespace for cluster in session.mesh.clusters}
    wanted = {
        name: some | (permissions.of_run(spaces[name]) if name in spaces else frozenset())
        for name, some in steps.items()
    }
    return {
        cluster: Unread(found.message) if isinstance(found, KubeError) else permissions.words(found)
        for cluster, found in permissions.missing(wanted, session.world).items()
    }


def unknown_rights(session: Session, planned: Planned) -> Mapping[str, tuple[str, ...]]:
    """Return the kinds in the plan that do not say which rights they need, by cluster."""
    where = places(planned.inputs.resources, planned.state)
    return permissions.unknown(planned.plan.steps, where, session.kinds)


def warned(session: Session, planned: Planned) -> Plan:
    """Return the plan with a warning for each cluster in which rights are missing."""
    said = [
        f"cluster {cluster}: this identity may not apply it, rights on {len(found)} resources are missing "
        "(`mesh check --only P04` lists them)"
        for cluster, found in denied(session, planned).items()
        if found and not isinstance(found, Unread)
    ]
    return replace(planned.plan, warnings=(*planned.plan.warnings, *said))
