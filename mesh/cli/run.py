"""The pipeline of apply and destroy: plan, then what comes before the first write, then run and report."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack

from mesh.cli.before_run import BEFORE
from mesh.cli.confirm import refuse_unknown
from mesh.cli.process import Process
from mesh.cli.progress_feed import ProgressFeed
from mesh.cli.run_report import report
from mesh.cli.run_request import RunRequest
from mesh.cli.session import open_session, reading
from mesh.cli.signals import Grace, stopping
from mesh.cli.streams import SteadyStream, Stream, output_error, watched
from mesh.cli.terminal import busy, look, observer
from mesh.cli.views.progress import JsonProgress, Observer
from mesh.engine import verbs as engine
from mesh.engine.gate import MidFlightChecks
from mesh.engine.result import RunResult
from mesh.engine.result import check as check_result
from mesh.engine.run_options import RunOptions
from mesh.engine.session import Planned, Session
from mesh.errors import InterruptedRunError, MeshError
from mesh.model import Key
from mesh.state.lease import Leases
from mesh.state.lease_holder import Holder, refuse_held
from mesh.world.clock import SystemClock

UNCHANGED = "nothing was changed; free space on its disk, or give it a reader that reads to the end"
WENT_ON = "the run went on without it to its end; `mesh history --steps` shows what it did"

Planner = Callable[[Session], Planned]


def carry_out(request: RunRequest, plan: Planner) -> int:
    """Run the pipeline under the file lock; return the exit code."""
    process = Process()
    with ExitStack() as held:
        out, err = SteadyStream("stdout", sys.stdout), SteadyStream("stderr", sys.stderr)
        try:
            session, planned, stale = _ready(request, process, plan, held)
        except MeshError as error:
            if request.as_json:
                JsonProgress(out, SystemClock()).refused(error)
            raise
        result = _run(request, session, planned, process, stale, out=out, err=err)
    if result.end == "interrupted" or process.stop():
        raise InterruptedRunError("interrupted, finished steps are recorded", hint=_resumed(request))
    check_result(result)
    for stream in (out, err):
        if stream.lost:
            raise output_error(stream.name, stream.lost, hint=WENT_ON)
    return 0


def _ready(
    request: RunRequest, process: Process, plan: Planner, held: ExitStack
) -> tuple[Session, Planned, frozenset[str]]:
    """Return the session, the plan and the stale leases once nothing is left to ask before the first write.

    `held` gets the file lock and the handlers of signals.
    """
    session = _open(request, process)
    refuse_unknown(request.confirmed, tuple(each.name for each in session.mesh.clusters))
    held.enter_context(session.store.held(request.verb, session.world.clock.now()))
    held.enter_context(stopping(process.stop, process.notices.say, process.children.stop))
    planned, stale = _planned(request, session, process, plan)
    with watched(UNCHANGED):
        for each in BEFORE:
            each(request, session, planned)
            _refuse_stopped(process)
    return session, planned, stale


def _resumed(request: RunRequest) -> str:
    """Return the hint with the command that goes on: the text of the result has it already."""
    return f"resume with: {request.resume()}" if request.as_json else ""


def _refuse_stopped(process: Process) -> None:
    """Raise InterruptedRunError once a signal came: a question is not asked after it, nor answered."""
    if process.stop():
        raise InterruptedRunError("interrupted, nothing was changed")


def _open(request: RunRequest, process: Process) -> Session:
    """Open the session; what is only removed needs no licence."""
    session = open_session(request.path, request.contexts, process=process, stop_at=request.stop_at)
    return session if request.destroy else session.with_licence()


def _planned(
    request: RunRequest, session: Session, process: Process, plan: Planner
) -> tuple[Planned, frozenset[str]]:
    """Return the plan, and the clusters that a killed run of this folder left locked.

    Raises LockedError while another run holds a lease: a question about a plan that cannot run is a waste.
    """
    stale = refuse_held(session.mesh.name, session.world.kubes, _holder(request, session))
    screen = look(os.environ, sys.stdin, sys.stdout, sys.stderr)
    with busy(screen, reading(session)):
        planned = plan(session)
    _refuse_stopped(process)
    return planned, stale


def _run(
    request: RunRequest,
    session: Session,
    planned: Planned,
    process: Process,
    stale: frozenset[str] = frozenset(),
    *,
    out: Stream,
    err: Stream,
) -> RunResult:
    watching = _observer(request, session, out, err)
    times = session.world.clock.monotonic
    feed = ProgressFeed(watching, process.waits, times, notices=process.notices.taken)
    grace = Grace(process.stop, process.children, session.world.clock.monotonic)
    options = RunOptions(
        hooks=feed.hooks(grace.tick),
        stopping=grace.stop,
        timeout=request.timeout,
        parallelism=request.parallelism,
        leases=Leases(
            session.mesh.name,
            _holder(request, session, planned.state.lineage),
            session.world.clock,
            session.world.kubes,
            feed.warned,
            grace.stop,
            stale,
        ),
        checks=_checks(session, planned),
    )
    process.notices.drawing = True
    try:
        result = _applied(session, planned, options, watching)
        feed.deferred(planned.plan.deferred)
        feed.tick()
    finally:
        process.notices.drawing = False
        feed.observer.close()
    report(request, session, result, feed, out, err)
    return result


def _applied(session: Session, planned: Planned, options: RunOptions, watching: Observer) -> RunResult:
    """Run the steps; an error that ends the run without a result is an event, too."""
    try:
        return engine.apply(session, planned, options)
    except MeshError as error:
        if isinstance(watching, JsonProgress):
            watching.refused(error)
        raise


def _observer(request: RunRequest, session: Session, out: Stream, err: Stream) -> Observer:
    if request.as_json:
        return JsonProgress(out, session.world.clock)
    screen = look(os.environ, sys.stdin, out, err)
    return observer(screen, session.world.clock, sorted(session.world.kubes))


def _holder(request: RunRequest, session: Session, lineage: str = "") -> Holder:
    return Holder.here(request.verb, lineage, session.store.place(), session.world.clock.now())


def _checks(session: Session, planned: Planned) -> MidFlightChecks:
    """Return a function that runs the mid-flight checks, without the checks that the plan skips."""

    def checks(clusters: tuple[str, ...], pending: frozenset[Key], users: frozenset[Key]) -> str:
        from mesh.queries.check import between

        return between(session, clusters, pending, users, skipped=planned.plan.skipped_checks)

    return checks
