"""Between two clusters of a rollout: wait until the changed ones are healthy, or end the run there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mesh.engine.waiter import Waiter
from mesh.errors import MeshError
from mesh.model import Action, Key, Step
from mesh.model.graph import with_users

MidFlightChecks = Callable[[tuple[str, ...], frozenset[Key], frozenset[Key]], str]
"""Return what the checks find wrong in some clusters; "" if nothing is wrong.

Findings about the second argument do not count: the run has yet to change them. Findings about the third
count wherever they are.
"""

SECONDS_BETWEEN = 2.0


def no_checks(_clusters: tuple[str, ...], _pending: frozenset[Key], _users: frozenset[Key]) -> str:
    """For runs whose plan has no gate."""
    return ""


def to_come(left: Mapping[Key, Step]) -> frozenset[Key]:
    """Return the remaining steps that change something, and all that wait for one of them."""
    # A link that is down because of the cluster it leads to works only after that cluster's turn. To count it
    # against the cluster before would be a deadlock: the gate would wait for the step that waits at the gate.
    changes = (key for key, step in left.items() if step.action is not Action.READ)
    return frozenset(with_users(changes, {key: step.needs for key, step in left.items()}))


def passed(
    clusters: tuple[str, ...],
    ask: Callable[[tuple[str, ...]], str],
    waiter: Waiter,
    *,
    about: str,
    settle: float = 0.0,
    consequence: str = "so the next cluster is left alone",
) -> str:
    """Return "" when the checks of some clusters pass, or what they say when the run is to stop.

    They pass when they did so for `settle` seconds: readiness flaps while a control plane starts, and an
    istiod that has just started has not judged its peers yet. Raise MeshError if they do not pass in time. A
    run that fails here has changed only the clusters before, which is what a gate is for: a bad version never
    reaches the rest of the mesh.
    """
    names, clock = ", ".join(clusters), waiter.world.clock
    deadline, since = clock.monotonic() + waiter.timeout, None
    while True:
        wrong, now = ask(clusters), clock.monotonic()
        since = None if wrong else now if since is None else since
        if since is not None and now - since >= settle:
            return ""
        if waiter.stopping():
            return wrong
        if since is not None:
            # What fails after it passed has the whole time again: something has happened since.
            deadline = now + waiter.timeout
        elif now >= deadline:
            raise MeshError(
                f"the checks of {names} do not pass, {consequence}: {wrong}",
                hint="`mesh check --phase mid` tells how to fix it; then run apply again, "
                "or go on without a check by `--skip-check ID`",
            )
        waiter.world.say(
            about,
            f"waiting for the checks of {names}: {wrong}"
            if wrong
            else f"the checks of {names} pass; watching whether they still do after {settle:.0f} s",
        )
        clock.sleep(SECONDS_BETWEEN)
