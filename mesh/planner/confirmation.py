"""Which clusters a person must name before the plan runs, and why; pure."""

from __future__ import annotations

from collections.abc import Iterable

from mesh.model import Action, Step
from mesh.sdk import ask
from mesh.sdk.contract import Registry


def to_confirm(steps: Iterable[Step], kinds: Registry) -> tuple[str, ...]:
    """Return the clusters with a step that a person confirms by name, in the order of the steps."""
    names = [
        step.key.cluster
        for step in steps
        if step.action is Action.UPDATE
        and {each.path for each in step.fields} & ask.confirmed(kinds[step.key.kind])
    ]
    return tuple(dict.fromkeys(names))


def confirmation(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the warning that says so, if there is anything to confirm."""
    if not names:
        return ()
    return (
        f"the root of trust of {', '.join(names)} changes: istiod, ztunnel and east-west gateways "
        "restart there and every identity is issued again; apply asks for "
        "the name of each such cluster (--confirm NAME)",
    )
