"""What a plan says beside its steps: what did not answer, was not compared, or is ignored."""

from __future__ import annotations

from mesh.engine.session import Decided, Session
from mesh.istio import remarks
from mesh.model import Live
from mesh.planner.from_record import warning
from mesh.planner.link_switch import gap, gap_back
from mesh.planner.ownership import kept
from mesh.sdk import ask


def plan_warnings(session: Session, here: Decided) -> tuple[str, ...]:
    """Return the warnings of a plan, those about what was read first."""
    return (*_warnings(session, here), *_gaps(session, here))


def _consequence(here: Decided, why: str) -> str:
    """Return what follows for a cluster that did not answer, and the reason if no deferral has it."""
    if why in {each.why for each in here.decisions.deferred.values()}:
        return "everything in it is deferred"
    stays = "; what mesh created in it is not known, and stays" if here.inputs.options.destroy else ""
    return f"{why}{stays}"


def _not_compared(here: Decided) -> list[str]:
    """Return what the kinds could not compare, once for each cluster."""
    found = sorted(here.inputs.found.items())
    lines = [
        f"cluster {key.cluster}: {remark}"
        for key, live in found
        if isinstance(live, Live)
        for remark in live.remarks
    ]
    return list(dict.fromkeys(lines))


def _ignored(session: Session, here: Decided) -> list[str]:
    """Return what differs and the mesh file ignores."""
    return [
        f"{key}: {text}"
        for key in sorted(here.decisions.specs)
        if isinstance(live := here.inputs.found.get(key), Live)
        for text in ask.ignored(session.kinds[key.kind], here.decisions.specs[key], live)
    ]


def _gaps(session: Session, here: Decided) -> list[str]:
    """Return the warnings about calls that fail while the links are switched."""
    switched_on = session.mesh.automatic and not here.inputs.options.destroy
    steps = here.decisions.steps
    return gap(steps) if switched_on else gap_back(steps)


def _warnings(session: Session, here: Decided) -> list[str]:
    decisions, state = here.decisions, here.inputs.state
    said = [
        f"cluster {name} did not answer: {_consequence(here, why)}"
        for name, why in sorted(here.observation.unreachable.items())
    ]
    said += here.said
    said += warning(tuple(sorted(decisions.from_state)))
    said += _not_compared(here)
    said += _ignored(session, here)
    said += remarks(session.mesh)
    said += kept(here.inputs.found, here.inputs.options.leave, decisions.left)
    if state.serial > here.recorded.serial:
        said.append(
            f"{session.store.path.name} is at serial {here.recorded.serial}, the clusters are at "
            f"{state.serial}: their state is used; `mesh state rebuild` writes it to the file"
        )
    return said
