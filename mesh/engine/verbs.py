"""The straight line: load, decode, expand, observe, decide, order, preview, apply, verify, record.

One function per verb; nothing else composes stages.
"""

from __future__ import annotations

from mesh.engine import plan as planning
from mesh.engine.in_use import refuse_enrolled
from mesh.engine.post_run import verify
from mesh.engine.remember import adopted
from mesh.engine.result import RunResult, end_of
from mesh.engine.run import Run
from mesh.engine.run_options import RunOptions
from mesh.engine.session import Decided, Planned, Session
from mesh.engine.task import tasks_of
from mesh.istio.addresses import CRDS
from mesh.model import Key
from mesh.planner.downgrade import allowed
from mesh.planner.expand import expand
from mesh.planner.from_record import refuse_as_recorded
from mesh.planner.inputs import PlanOptions
from mesh.planner.ownership import check_file, check_words
from mesh.planner.record_charts import with_new_objects
from mesh.state.publish import is_settled


def plan(
    session: Session,
    *,
    taken: frozenset[Key] = frozenset(),
    left: frozenset[Key] = frozenset(),
    downgrade: bool = False,
    new_objects: frozenset[Key] = frozenset(),
) -> Planned:
    """Plan the way from the live mesh to the file; back to an older version only if allowed.

    Of other owners' objects, `taken` are taken over, and `left` stay with them, like those the file leaves.
    The charts in the records of the releases `new_objects` may create what the clusters do not have.
    """
    resources = expand(session.mesh, session.kinds)
    check_file(session.mesh.leave, resources)
    check_words(taken, left | session.mesh.leave.keys(), resources)
    options = PlanOptions(take=taken, leave=left, new_objects=new_objects)
    wanted = with_new_objects(resources, new_objects)
    return planning.plan(session, allowed(wanted) if downgrade else wanted, options)


def plan_destroy(
    session: Session,
    *,
    ignore_enrolled: bool = False,
    crds: bool = False,
    include_adopted: bool = False,
    new_objects: frozenset[Key] = frozenset(),
) -> Planned:
    """Plan the removal of everything that mesh created; refuse while the mesh is in use.

    What was adopted is given back, unless it is included.
    """
    with_new_objects({}, new_objects)
    removable = frozenset({CRDS} if crds else ())
    options = PlanOptions(
        destroy=True, removable=removable, include_adopted=include_adopted, new_objects=new_objects
    )
    planned = planning.plan(session, {}, options)
    refuse_as_recorded(planned.plan)
    if not ignore_enrolled:
        refuse_enrolled(planned.observation.snapshots, planned.inputs.state)
    return planned


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
