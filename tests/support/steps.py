"""Plans as text, so that a test reads like the plan it is about."""

from __future__ import annotations

from collections.abc import Iterable

from mesh.model import Action, Key, Step
from mesh.planner.decisions import Steps


def step(text: str, *needs: str) -> Step:
    """`~ chart/a/istiod` and the addresses that it waits for."""
    sign, _, address = text.rpartition(" ")
    action = next(each for each in Action if each.value.strip() == sign.strip())
    return Step(action, Key.parse(address), needs=frozenset(map(Key.parse, needs)))


def steps(*some: Step) -> Steps:
    return {each.key: each for each in some}


def drawn(some: Iterable[Step]) -> list[str]:
    """One line per step: `~ chart/b/istiod < chart/a/istiod`."""
    return [
        f"{each.action.value.strip()} {each.key}"
        + (f" < {' '.join(sorted(map(str, each.needs)))}" if each.needs else "")
        for each in some
    ]
