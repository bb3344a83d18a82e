"""Adoptions after which a resource gives other identities: shown, and confirmed by name; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mesh.model import Action, Key, Live, Step
from mesh.planner.decisions import Decisions
from mesh.planner.inputs import Inputs
from mesh.sdk import ask
from mesh.sdk.contract import Registry


def reissued(inputs: Inputs, decisions: Decisions, kinds: Registry) -> dict[Key, str]:
    """Return, for each adopted resource, how the identities it gives change."""
    # Only an adoption can change them: what the state holds has given identities of this mesh before.
    return dict(_found(inputs, decisions, kinds))


def _found(inputs: Inputs, decisions: Decisions, kinds: Registry) -> Iterator[tuple[Key, str]]:
    for key, step in decisions.steps.items():
        live = inputs.found.get(key)
        if step.action is not Action.UPDATE or inputs.state.last(key) or not isinstance(live, Live):
            continue
        if why := ask.reissues(kinds[key.kind], decisions.specs[key], live):
            yield key, why


def disclosed(steps: tuple[Step, ...], reasons: Mapping[Key, str]) -> tuple[Step, ...]:
    """Return the steps with a note on those that change identities."""
    return tuple(
        replace(step, notes=(f"disruptive: {reasons[step.key]}", *step.notes))
        if step.key in reasons
        else step
        for step in steps
    )


def asked_for(reasons: Mapping[Key, str]) -> tuple[str, ...]:
    """Return the warnings that say so of the whole plan."""
    return tuple(
        f"in {key.cluster} {why}: every identity is issued again, and policies that name the old ones no "
        "longer hold; apply asks for the name of the cluster (--confirm NAME)"
        for key, why in reasons.items()
    )
