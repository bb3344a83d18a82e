"""What the clusters are to remember of a run that is over; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from mesh.engine.run import Outcome, done
from mesh.model import Key, Plan
from mesh.state.history import End, PastRun, PastStep
from mesh.state.lease_holder import Holder
from mesh.state.lockfile import State


def past_run(
    plan: Plan,
    outcomes: Mapping[Key, Outcome],
    state: State,
    by: Holder,
    ended: datetime,
    *,
    unstarted: frozenset[Key],
) -> PastRun:
    """Say who carried out which plan, and what came of its steps; `unstarted` are those never begun."""
    signs = {step.key: done(step, outcomes[step.key]).value for step in plan.steps if step.key in outcomes}
    return PastRun(
        run=state.run,
        serial=state.serial,
        verb=by.verb,
        who=by.who,
        host=by.host,
        began=by.since,
        ended=ended.isoformat(timespec="seconds"),
        digest=plan.digest,
        end=_end(plan, outcomes, unstarted),
        deeds=tuple(
            PastStep(signs[key].strip(), str(key), done=not (each.error or each.stopped))
            for key, each in sorted(outcomes.items())
            if key in signs
        ),
    )


def _end(plan: Plan, outcomes: Mapping[Key, Outcome], unstarted: frozenset[Key]) -> End:
    if unstarted or any(each.stopped for each in outcomes.values()):
        return "interrupted"
    if plan.deferred or any(each.error for each in outcomes.values()):
        return "incomplete"
    return "complete"
