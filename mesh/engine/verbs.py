"""The straight line: load, decode, expand, observe, decide, order, preview, apply, verify, record.

One function per verb; nothing else composes stages.
"""

from __future__ import annotations

from dataclasses import replace

from mesh.engine import plan as planning
from mesh.engine.in_use import refuse_enrolled, refuse_leaving
from mesh.engine.post_run import verify
from mesh.engine.remember import adopted
from mesh.engine.result import RunResult, end_of
from mesh.engine.run import Run
from mesh.engine.run_options import RunOptions
from mesh.engine.session import Decided, Planned, Session
from mesh.engine.task import tasks_of
from mesh.istio.addresses import CRDS
from mesh.model import NOTHING_ASKED, Asked, Key
from mesh.planner.downgrade import allowed
from mesh.planner.expand import expand
from mesh.planner.from_record import refuse_as_recorded
from mesh.planner.guards import check_protected, deletion_warning
from mesh.planner.inputs import PlanOptions
from mesh.planner.ownership import check_file, check_words
from mesh.planner.record_charts import with_new_objects
from mesh.planner.selection import Selection
from mesh.state.publish import is_settled


def plan(session: Session, asked: Asked = NOTHING_ASKED) -> Planned:
    """Plan the way from the live mesh to the file; back to an older version only if allowed.

    Of other owners' objects, those to take are taken over, and those to leave stay with them, like those
    that the file leaves. The charts in the records of some releases may create what the clusters do not have.
    """
    taken, left = (frozenset(map(Key.parse, each)) for each in (asked.take, asked.leave))
    resources = expand(session.mesh, session.kinds)
    check_file(session.mesh.leave, resources)
    check_words(taken, left | session.mesh.leave.keys(), resources)
    new_objects = frozenset(map(Key.parse, asked.new_objects))
    options = PlanOptions(
        take=taken,
        leave=left,
        new_objects=new_objects,
        selection=Selection(asked.targets, asked.excludes),
    )
    wanted = with_new_objects(resources, new_objects)
    planned = planning.plan(session, allowed(wanted) if asked.allow_downgrade else wanted, options)
    check_protected(session.mesh.prevent_destroy, resources.keys() | planned.inputs.state.entries.keys())
    said = deletion_warning(planned.plan, asked.allow_deletes)
    if not asked.ignore_enrolled:
        snapshots = planned.observation.snapshots
        said = (*said, *refuse_leaving(snapshots, session.mesh, planned.plan, writes=False))
    made = replace(planned.plan, asked=asked, warnings=(*said, *planned.plan.warnings))
    return replace(planned, plan=made)


def plan_destroy(
    session: Session,
    asked: Asked = NOTHING_ASKED,
    *,
    crds: bool = False,
    include_adopted: bool = False,
) -> Planned:
    """Plan the removal of everything that mesh created; refuse while the mesh is in use.

    What was adopted is given back, unless it is included.
    """
    new_objects = frozenset(map(Key.parse, asked.new_objects))
    with_new_objects({}, new_objects)
    removable = frozenset({CRDS} if crds else ())
    options = PlanOptions(
        destroy=True,
        removable=removable,
        include_adopted=include_adopted,
        new_objects=new_objects,
        selection=Selection(asked.targets, asked.excludes),
    )
    planned = planning.plan(session, {}, options)
    refuse_as_recorded(planned.plan)
    if not asked.ignore_enrolled:
        refuse_enrolled(planned.observation.snapshots, planned.inputs.state)
    return replace(planned, plan=replace(planned.plan, asked=asked))


def decided(session: Session) -> Decided:
    """Read and decide as a plan does, and stop there: nothing is ordered, tried or refused."""
    resources = expand(session.mesh, session.kinds)
    return planning.decided(session, resources, PlanOptions())


def apply(session: Session, planned: Planned, options: RunOptions) -> RunResult:
    """Carry a plan out and record it; the caller holds the store. Never raises for a failed step.

    Raises LockedError and StalePlanError before anything is written.
    """
    tasks = tasks_of(session, planned)
    state = adopted(planned.decisions, tasks, planned.inputs.found, planned.state)
    steps = {step.key: tasks[step.key] for step in planned.plan.steps}
    # Where no cluster was read there is nothing to record: a state that is written all the same would have a
    # lineage of its own, if the lockfile is lost, and the next run would refuse the copies in the clusters.
    if not steps and not planned.observation.uids:
        return RunResult(planned, end=end_of(planned.plan, {}, stopped=options.stopping()))
    if not steps and is_settled(session.store, state, session.store.read(session.mesh.name), planned.held):
        if options.leases:
            options.leases.clear()
        return RunResult(planned, end=end_of(planned.plan, {}, stopped=options.stopping()))
    with Run.open(session, planned, steps, state, options) as run:
        unstarted = run.walk()
        verify(session, planned, run)
        return run.close(unstarted)
