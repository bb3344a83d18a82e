"""Ask those who will carry the writes out what they would do: dry runs and renderings."""

from __future__ import annotations

from dataclasses import replace

from mesh.errors import MeshError
from mesh.model import ABSENT, Action, Deferral, Key, Live, Step
from mesh.model.diff import dotted
from mesh.planner.decide import Draft, Known
from mesh.sdk import ask as question
from mesh.sdk.chart_diff import HANDS
from mesh.sdk.contract import Preview, Registry
from mesh.walk import fan
from mesh.world import World

ASKED = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE})
ASKERS = 8


LATER = "checked by the API server at apply, when what stands there now is gone"


def preview(
    draft: Draft, known: Known, kinds: Registry, world: World, later: frozenset[Key] = frozenset()
) -> None:
    """Add to each changing step what its kind's preview says; collect refusals.

    Only what differs is asked about, so a plan without changes asks nothing. What nobody wants any more
    and is only changed is given back. What comes `later`, in the
    place of something of others, cannot be tried yet; what is known by its record alone cannot be either.
    """
    unseen = frozenset(draft.recorded)
    asked = {key for key, step in draft.steps.items() if step.action in ASKED} - unseen
    keys = [key for key in draft.steps if key in asked]

    def ask(key: Key) -> Preview | MeshError:
        found = known.found.get(key)
        live = found if isinstance(found, Live) else None
        if key in later:
            return Preview(notes=(LATER,))
        try:
            if key in draft.bound:
                return kinds[key.kind].preview(draft.bound[key], key, live, world)
            last = known.state.last(key)
            return (
                question.preview_back(kinds[key.kind], key, live, last, world) if live and last else Preview()
            )
        except MeshError as error:
            return error

    for key, answer in fan(ask, keys, ASKERS).items():
        if isinstance(answer, MeshError):
            raise answer
        if answer.unknown:
            _defer(draft, key, answer.unknown)
        elif key in draft.steps:
            _add(draft, known, key, answer)


def _defer(draft: Draft, key: Key, why: str) -> None:
    """Leave a step out, and every step that needs it."""
    del draft.steps[key]
    draft.deferred[key] = Deferral(key, why)
    for user in [user for user, step in draft.steps.items() if key in step.needs]:
        if user in draft.steps:
            _defer(draft, user, f"needs {key}, which is deferred")


def _add(draft: Draft, known: Known, key: Key, answer: Preview) -> None:
    step = draft.steps[key]
    if answer.refusals:
        draft.refusals[key] = f"{key}: {'; '.join(answer.refusals)}"
    elif (theirs := (*answer.held, *_never_ours(step, known))) and key not in known.taken:
        held = "; ".join(theirs)
        draft.refusals[key] = f"{key}: {held}; take it over with `--take {key}`, or change the file"
    draft.steps[key] = replace(step, notes=step.notes + answer.notes, manifests=answer.manifests)


def _never_ours(step: Step, known: Known) -> tuple[str, ...]:
    """What a person set in a thing of ours at a place of which we have no record: theirs, not drift."""
    entry = known.state.entries.get(step.key)
    if step.action is not Action.UPDATE or entry is None or not entry.last.fields:
        return ()
    return tuple(
        f"{each.dotted} was set by {each.touch.manager} and never by mesh"
        for each in step.fields
        if each.touch
        and each.touch.manager.startswith(HANDS)
        and ABSENT not in (each.before, each.after)
        and dotted(each.path) not in entry.last.fields
    )
