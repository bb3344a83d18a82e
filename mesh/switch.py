"""From links made one by one to automatic ones: ours go first, and the gap between is announced; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mesh.model import Action, Key, Step

SWITCHES = frozenset({"istiod", "gloo-platform"})
"""The charts whose upgrade begins automatic linking: from then on, peers of the same names appear."""


def manual_first(steps: Mapping[Key, Step]) -> dict[Key, Step]:
    """Return the steps; what begins automatic linking, or waits for it, needs every manual link gone."""
    gone = _manual_links(steps)
    return {
        key: replace(step, needs=step.needs | gone) if gone and _begins(step) else step
        for key, step in steps.items()
    }


def gap(steps: Mapping[Key, Step]) -> list[str]:
    """Say which calls fail between the last manual link and the first automatic one."""
    pairs = ", ".join(f"{key.cluster} to {key.name}" for key in sorted(_manual_links(steps)))
    return (
        [
            "the links made by mesh are removed before automatic linking is switched on: calls from "
            f"{pairs} fail from then until the management plane has distributed its peers"
        ]
        if pairs
        else []
    )


def _manual_links(steps: Mapping[Key, Step]) -> frozenset[Key]:
    return frozenset(
        key for key, step in steps.items() if key.kind == "link" and step.action is Action.DELETE
    )


def _begins(step: Step) -> bool:
    return step.key.kind == "peer" or (step.key.kind == "chart" and step.key.name in SWITCHES)
