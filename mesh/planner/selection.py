"""Plan a part of a mesh: `--target` and `--exclude`, always with what must happen before; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase

from mesh.errors import UsageError
from mesh.model import Key
from mesh.model.graph import Edges, reversed_edges, with_users
from mesh.planner.decisions import Decisions


@dataclass(frozen=True, slots=True)
class Selection:
    """Patterns of what to plan and what to leave out; without any, everything is planned.

    A pattern is an address such as `chart/cluster1/istiod`, a kind, or a cluster, with `*`, `?` and `[]`.
    """

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.targets or self.excludes)


EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class Chosen:
    """The selected resources: `needed` were not named, `dropped` depend on an excluded one."""

    keys: frozenset[Key]
    needed: frozenset[Key] = frozenset()
    dropped: frozenset[Key] = frozenset()


def matches(pattern: str, key: Key) -> bool:
    """Return whether a pattern names a resource."""
    if "/" not in pattern:
        return fnmatchcase(key.kind, pattern) or fnmatchcase(key.cluster, pattern)
    parts = pattern.split("/")
    parts += ["*"] * (3 - len(parts))
    return len(parts) == 3 and all(map(fnmatchcase, (key.kind, key.cluster, key.name), parts))


def check_patterns(patterns: Iterable[str], option: str, keys: Collection[Key]) -> None:
    """Raise UsageError for a pattern that names no resource, with the nearest names."""
    for pattern in patterns:
        if not any(matches(pattern, key) for key in keys):
            raise UsageError(
                f"{option} {pattern}: no resource of this mesh matches", hint=near(pattern, keys)
            )


def near(pattern: str, keys: Collection[Key]) -> str:
    """Return a hint with the names that may have been meant."""
    if "/" in pattern:
        known = sorted(map(str, keys))
    else:
        known = sorted({name for key in keys for name in (key.kind, key.cluster)} - {"-"})
    close = get_close_matches(pattern, known, n=3)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return "name a kind, a cluster or an address, such as chart/*/istiod; `mesh show` lists the addresses"


def choose(selection: Selection, keys: Collection[Key], needs: Edges) -> Chosen:
    """Return what is selected; `needs` are the resources that must be done before each one.

    Targets bring what they need; excluded resources take with them what needs them.
    """
    named = _named(selection.targets, keys) if selection.targets else frozenset(keys)
    wanted = frozenset(with_users(named, reversed_edges(needs)))
    excluded = _named(selection.excludes, keys)
    out = frozenset(with_users(excluded, needs))
    return Chosen(wanted - out, wanted - named - out, (out - excluded) & wanted)


def narrowed(decisions: Decisions, keys: frozenset[Key]) -> Decisions:
    """Return the decisions about these resources; the others that are not in sync are set aside."""
    pending = {*decisions.steps, *decisions.deferred, *decisions.refusals}
    return replace(
        decisions,
        steps={key: each for key, each in decisions.steps.items() if key in keys},
        deferred={key: each for key, each in decisions.deferred.items() if key in keys},
        refusals={key: each for key, each in decisions.refusals.items() if key in keys},
        unchanged=tuple(key for key in decisions.unchanged if key in keys),
        left={key: each for key, each in decisions.left.items() if key in keys},
        from_state=decisions.from_state & keys,
        aside=frozenset(pending - keys),
    )


def warnings(
    selection: Selection, chosen: Chosen, steps: Collection[Key], aside: Collection[Key]
) -> list[str]:
    """Say that a plan is incomplete, and which steps the selection brought or took away."""
    if not selection:
        return []
    options = [f"--target {each}" for each in selection.targets]
    options += [f"--exclude {each}" for each in selection.excludes]
    left = "every step is in it" if not aside else f"{_count(aside)} left out: {_listed(aside)}"
    said = [
        f"the plan is incomplete ({' '.join(options)}): {left}; plan without these options afterwards, "
        "to verify that nothing remains"
    ]
    if needed := chosen.needed & {*steps}:
        said.append(f"--target brings what it needs: {_listed(needed)}")
    if dropped := chosen.dropped & {*aside}:
        said.append(f"--exclude takes with it what needs it: {_listed(dropped)}")
    return said


def _named(patterns: Collection[str], keys: Iterable[Key]) -> frozenset[Key]:
    return frozenset(key for key in keys if any(matches(pattern, key) for pattern in patterns))


def _count(keys: Collection[Key]) -> str:
    return f"{len(keys)} resource is" if len(keys) == 1 else f"{len(keys)} resources are"


def _listed(keys: Collection[Key], most: int = 10) -> str:
    names = sorted(map(str, keys))
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
