"""Between two clusters of a run: wait until those before are healthy, or end the run there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mesh.errors import MeshError
from mesh.model import Action, Key, Step
from mesh.model.graph import with_users
from mesh.world import World

Ask = Callable[[tuple[str, ...], frozenset[Key], frozenset[Key]], str]
"""What the checks find wrong in some clusters but not in what the run is yet to mend; "" for nothing.

What they find wrong in the last, wherever that is, counts as well.
"""

SECONDS_BETWEEN = 2.0


def nobody(_clusters: tuple[str, ...], _pending: frozenset[Key], _users: frozenset[Key]) -> str:
    """For runs whose plan has no gate."""
    return ""


def to_come(left: Mapping[Key, Step]) -> frozenset[Key]:
    """Of the steps that are left, those that change something, and those that wait for one that does.

    A link that is down because of the cluster it leads to works only when that cluster's turn has come.
    """
    changes = (key for key, step in left.items() if step.action is not Action.READ)
    return frozenset(with_users(changes, {key: step.needs for key, step in left.items()}))


def passed(
    clusters: tuple[str, ...],
    ask: Callable[[tuple[str, ...]], str],
    world: World,
    *,
    about: str,
    timeout: float,
    stopping: Callable[[], bool],
    looks: int = 1,
    so: str = "so the next cluster is left alone",
) -> str:
    """Return "" when the checks of some clusters pass, or what they say when the run is to stop.

    They have passed when they did so in that many `looks` in a row. Raise MeshError if they do not in
    time; `so` is what follows from that.
    """
    names, clock = ", ".join(clusters), world.clock
    deadline, good = clock.monotonic() + timeout, 0
    while (good := 0 if (wrong := ask(clusters)) else good + 1) < looks:
        if stopping():
            return wrong
        if wrong and clock.monotonic() >= deadline:
            raise MeshError(
                f"the checks of {names} do not pass, {so}: {wrong}",
                hint="`mesh check --phase mid` tells how to mend it; then run apply again, "
                "or go on without a check by `--skip-check ID`",
            )
        if wrong:
            world.say(about, f"waiting for the checks of {names}: {wrong}")
        clock.sleep(SECONDS_BETWEEN)
    return ""
