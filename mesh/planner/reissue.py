"""What is taken over and gives other identities from then on: shown, and confirmed by name; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mesh.model import Action, Key, Live, Step
from mesh.planner.decide import Draft, Known
from mesh.sdk import ask
from mesh.sdk.contract import Registry


def reissued(known: Known, draft: Draft, kinds: Registry) -> dict[Key, str]:
    """Say of what is taken over how its identities change; what is recorded had them from us."""
    return dict(_found(known, draft, kinds))


def _found(known: Known, draft: Draft, kinds: Registry) -> Iterator[tuple[Key, str]]:
    for key, step in draft.steps.items():
        live = known.found.get(key)
        if step.action is not Action.UPDATE or known.state.last(key) or not isinstance(live, Live):
            continue
        if why := ask.reissues(kinds[key.kind], draft.bound[key], live):
            yield key, why


def disclosed(steps: tuple[Step, ...], whys: Mapping[Key, str]) -> tuple[Step, ...]:
    """The steps, with a note on those that change identities."""
    return tuple(
        replace(step, notes=(f"disruptive: {whys[step.key]}", *step.notes)) if step.key in whys else step
        for step in steps
    )


def asked_for(whys: Mapping[Key, str]) -> tuple[str, ...]:
    """The words that say so of the whole plan."""
    return tuple(
        f"in {key.cluster} {why}: every identity is issued again, and policies that name the old ones no "
        "longer hold; apply asks for the name of the cluster (--confirm NAME)"
        for key, why in whys.items()
    )
