"""Ask the API servers and helm what the planned writes would do: dry runs and renderings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from mesh.engine.review import reviewed
from mesh.errors import MeshError
from mesh.model import ABSENT, Action, Deferral, Key, Live, Path, Step
from mesh.model.diff import dotted
from mesh.planner.decisions import Decisions
from mesh.planner.inputs import Inputs
from mesh.sdk import ask
from mesh.sdk.chart_diff import HANDS
from mesh.sdk.contract import AT_APPLY, Preview, Registry
from mesh.walk import fan
from mesh.world import World
from mesh.world.guarded import not_understood
from mesh.world.kube.errors import Malformed, Unreachable

WRITES = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE})
PARALLEL = 8

LATER = f"{AT_APPLY}, when what stands there now is gone"
"""Of what takes the place of another object, also of one that is being deleted."""


def preview(
    decisions: Decisions,
    inputs: Inputs,
    kinds: Registry,
    world: World,
    later: frozenset[Key] = frozenset(),
) -> Decisions:
    """Return the decisions with what each step's preview says: notes, refusals, deferrals.

    Only steps that write are asked about, so a plan without changes sends nothing. Two sorts of write
    cannot be tried yet: one that takes the place of another owner's object (`later`), and one decided by
    the state alone, since what it would replace is unknown.
    """
    keys = [
        key
        for key, step in decisions.steps.items()
        if step.action in WRITES and key not in decisions.from_state
    ]
    answers = fan(partial(_ask, decisions, inputs, kinds, world, later), keys, PARALLEL)
    for key, answer in answers.items():
        if isinstance(answer, MeshError):
            raise answer
        if answer.unknown:
            decisions = _defer(decisions, key, answer.unknown)
        elif key in decisions.steps:
            decisions = _with(decisions, inputs, kinds, key, answer)
    asked = {key: answer for key, answer in answers.items() if isinstance(answer, Preview)}
    return reviewed(decisions, inputs, kinds, asked, world.fingerprint)


def _ask(
    decisions: Decisions, inputs: Inputs, kinds: Registry, world: World, later: frozenset[Key], key: Key
) -> Preview | MeshError:
    """Return one preview. An error is returned, not raised: `preview` raises it in the order of the plan."""
    found = inputs.found.get(key)
    live = found if isinstance(found, Live) else None
    if key in later or (live and decisions.steps[key].action is Action.CREATE):
        return Preview(notes=(LATER,))
    try:
        if key in decisions.specs:
            return kinds[key.kind].preview(decisions.specs[key], key, live, world)
        # A write to what is no longer wanted can only be one that gives it back.
        last = inputs.state.last(key)
        return ask.preview_back(kinds[key.kind], key, live, last, world) if live and last else Preview()
    except (Unreachable, Malformed) as error:
        return Preview(unknown=error.message)  # this cluster does not answer; the others do
    except MeshError as error:
        return error
    except Exception as error:
        if live is None:
            raise
        return Preview(unknown=not_understood(f"cluster {key.cluster}: {key.kind} {key.name}", error))


def _defer(decisions: Decisions, key: Key, why: str) -> Decisions:
    """Turn a step into a deferral, and every step that needs it."""
    deferred = {key: Deferral(key, why)}
    _defer_users(decisions.steps, deferred, key)
    return replace(
        decisions,
        steps={each: step for each, step in decisions.steps.items() if each not in deferred},
        deferred={**decisions.deferred, **deferred},
    )


def _defer_users(steps: Mapping[Key, Step], deferred: dict[Key, Deferral], key: Key) -> None:
    for user, step in steps.items():
        if key in step.needs and user not in deferred:
            deferred[user] = Deferral(user, f"needs {key}, which is deferred")
            _defer_users(steps, deferred, user)


def _with(decisions: Decisions, inputs: Inputs, kinds: Registry, key: Key, answer: Preview) -> Decisions:
    step = decisions.steps[key]
    refusals = dict(decisions.refusals)
    if answer.refusals:
        refusals[key] = f"{key}: {'; '.join(answer.refusals)}"
    elif answer.beyond and key not in inputs.options.new_objects:
        refusals[key] = (
            f"{key}: the chart in the release's own record would create {'; '.join(answer.beyond)}: look who "
            f"wrote that record, or allow it with `--allow-new-objects {key}`"
        )
    elif (
        theirs := (*answer.held, *_set_by_hand(step, inputs, kinds[key.kind].rendered))
    ) and key not in inputs.options.take:
        held = "; ".join(theirs)
        refusals[key] = f"{key}: {held}; take it over with `--take {key}`, or change the file"
    new = tuple(f"the chart in its own record creates {each}" for each in answer.beyond)
    notes = step.notes + answer.notes + new
    told = replace(step, notes=notes, manifests=answer.manifests, usual=answer.usual)
    return replace(decisions, refusals=refusals, steps={**decisions.steps, key: told})


def _set_by_hand(step: Step, inputs: Inputs, rendered: frozenset[Path]) -> tuple[str, ...]:
    """Return the fields that a person set in an object of mesh, and mesh never did."""
    # A field that the state records and that differs is drift, which an apply reverts. One that it does not
    # record was never mesh's: reverting it would take away what a person wanted.
    entry = inputs.state.entries.get(step.key)
    if step.action is not Action.UPDATE or entry is None or not entry.last.fields:
        return ()
    return tuple(
        f"{each.dotted} was set by {each.touch.manager} and never by mesh"
        for each in step.fields
        if each.touch
        and each.touch.manager.startswith(HANDS)
        and ABSENT not in (each.before, each.after)
        and dotted(each.path) not in entry.last.fields
        and not any(each.path[: len(path)] == path for path in rendered)
    )
