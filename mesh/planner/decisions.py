"""The decision about each resource, and all of them as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mesh.model import Deferral, Key, Left, Step

Steps = Mapping[Key, Step]
"""The steps of a plan by address. Removals come first, each after its users; see `planner.prune`."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """In sync and ready: nothing to do."""


@dataclass(frozen=True, slots=True)
class Do:
    """One step brings it in sync, or waits until it is ready."""

    step: Step


@dataclass(frozen=True, slots=True)
class Deferred:
    """It cannot be decided now."""

    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It must not be done; the whole plan is refused."""

    why: str


@dataclass(frozen=True, slots=True)
class LeftToOwner:
    """Another owner keeps it; `then` is a step that waits until it is ready, or nothing."""

    left: Left
    then: Do | Deferred | Unchanged


Decision = Unchanged | Do | Deferred | Refused | LeftToOwner


def next_step(decision: Decision | None) -> Step | None:
    """Return the step that a decision leads to, if any."""
    match decision:
        case Do(step) | LeftToOwner(_, Do(step)):
            return step
    return None


def is_deferred(decision: Decision | None) -> bool:
    """Whether a decision is put off to a later plan."""
    match decision:
        case Deferred() | LeftToOwner(_, Deferred()):
            return True
    return False


@dataclass(frozen=True, slots=True)
class Decisions:
    """All decisions, by key.

    `specs` holds each wanted spec with its refs filled in. `from_state` are the resources decided by
    their state entry, since they could not be read; `aside` those that are not in sync and not selected.
    """

    steps: Steps = field(default_factory=dict)
    deferred: Mapping[Key, Deferral] = field(default_factory=dict)
    refusals: Mapping[Key, str] = field(default_factory=dict)
    unchanged: tuple[Key, ...] = ()
    left: Mapping[Key, Left] = field(default_factory=dict)
    specs: Mapping[Key, Any] = field(default_factory=dict)
    from_state: frozenset[Key] = frozenset()
    aside: frozenset[Key] = frozenset()

    @classmethod
    def of(
        cls, made: Mapping[Key, Decision], specs: Mapping[Key, Any], from_state: frozenset[Key] = frozenset()
    ) -> Decisions:
        """Sort decisions by what they lead to."""
        steps = {key: next_step(each) for key, each in made.items()}
        return cls(
            steps={key: step for key, step in steps.items() if step},
            deferred={key: Deferral(key, _why(each)) for key, each in made.items() if is_deferred(each)},
            refusals={key: each.why for key, each in made.items() if isinstance(each, Refused)},
            unchanged=tuple(key for key, each in made.items() if isinstance(each, Unchanged)),
            left={key: each.left for key, each in made.items() if isinstance(each, LeftToOwner)},
            specs=specs,
            from_state=from_state,
        )

    def with_steps(self, steps: Steps) -> Decisions:
        """Return the same decisions with other steps."""
        return replace(self, steps=steps)


def _why(decision: Decision) -> str:
    match decision:
        case Deferred(why) | LeftToOwner(_, Deferred(why)):
            return why
    raise AssertionError("asked of deferred decisions only")
