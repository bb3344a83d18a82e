"""The history entry of a finished run; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from mesh.engine.outcome import Outcome, done
from mesh.model import Key, Plan
from mesh.state.history import End, PastRun, PastStep
from mesh.state.lease_holder import Holder
from mesh.state.lockfile import State


def history_entry(
    plan: Plan, outcomes: Mapping[Key, Outcome], state: State, by: Holder, ended: datetime, end: End
) -> PastRun:
    """Return who carried out which plan, and what became of its steps."""
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
        end=end,
        deeds=tuple(
            PastStep(signs[key].strip(), str(key), done=each.good)
            for key, each in sorted(outcomes.items())
            if key in signs
        ),
    )
