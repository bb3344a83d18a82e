"""Fold the steps of a fleet: show once what is the same on several clusters.

Two steps are the same if they differ only in names that follow from their clusters: its name, its network,
its trust domain, the addresses of its gateways, digests. A fold keeps its steps, so unfolding loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

from mesh.model import NO_CLUSTER, Action, Field, Key, ManifestChange, Step, Unknown
from mesh.model.spec import Mesh
from mesh.planner.rollout import WAITS

Names = Mapping[str, Mapping[str, str]]
"""For each cluster: the role of a name, and the name, such as `network` and `net1`."""

EACH = "*"
"""Stands for the cluster in the address of a fold."""

MAX_READINGS = 16
"""The most readings of one text with names in it: a bound on hostile names, which no real fleet reaches."""

_NAME_TEXT = 2
"""The position of the name of the resource among the texts of a step: after its kind and its cluster."""

_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}|[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7}|([a-z0-9-]+\.){2,}[a-z]{2,}")
_DIGEST = re.compile(r"(sha256:|hmac:[0-9a-f]+:)?[0-9a-f]{12,64}")

Readings = tuple[str, ...]
"""What a text can mean; the first is the text itself until another cluster contradicts it."""

Text = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Fold:
    """Steps that are the same but for names of their clusters.

    `template` is one step for all of them: a name that follows from the cluster reads `<network>`, in the
    address `*`. `like` is the position of the larger fold of the same resource in other clusters, which this
    one differs from; None for the largest. `in_turn`: one cluster waits for another, which each step notes.
    """

    template: Step
    steps: tuple[Step, ...]
    like: int | None = None
    in_turn: bool = False

    @property
    def clusters(self) -> tuple[str, ...]:
        """The clusters of its steps, in the order of the plan, each once."""
        return tuple(dict.fromkeys(step.key.cluster for step in self.steps))


def names(mesh: Mesh) -> Names:
    """Return the names that follow from each cluster of a mesh file."""
    return {
        each.name: {
            "cluster": each.name,
            "context": each.context,
            "cluster name": each.cluster_name,
            "network": each.network,
            "trust domain": each.trust_domain,
        }
        for each in mesh.clusters
    }


def fold(steps: Iterable[Step], names: Names) -> tuple[Fold, ...]:
    """Return the folds of some steps, in the order of their first steps."""
    reader = _Reader(names)
    groups: dict[tuple[object, ...], list[int]] = {}
    every: list[_Group] = []
    for step in steps:
        readings = reader.readings(_without_turn(step))
        # Steps that are the same share a reading of the resource's name, so only groups with one of these
        # names are compared: a plan of thousands of different resources takes no time for each pair.
        alike = [
            (step.key.kind, step.action, step.reason, len(readings), name) for name in readings[_NAME_TEXT]
        ]
        positions = sorted({position for each in alike for position in groups.get(each, ())})
        if not any(every[position].takes(step, readings) for position in positions):
            for each in alike:
                groups.setdefault(each, []).append(len(every))
            every.append(_Group([step], readings))
    folds = tuple(group.fold() for group in every)
    largest = _largest(folds)
    return tuple(
        replace(each, like=_like(n, largest[_resource(each)], folds)) for n, each in enumerate(folds)
    )


class _Reader:
    """Finds what the texts of a step can mean.

    Most texts mention no cluster at all; those are looked at once for the whole fleet, not once for each of
    its thousands of links.
    """

    __slots__ = ("_fleet", "_names", "_plain")

    def __init__(self, names: Names) -> None:
        self._names = names
        self._fleet = _pattern_of(frozenset(text for each in names.values() for text in each.values()))
        self._plain: dict[str, Readings | None] = {}

    def readings(self, step: Step) -> list[Readings]:
        """Return the readings of every text of a step, in the order of `_mapped`."""
        known = self._known(step.key)
        pattern = _pattern_of(frozenset(word for _, word in known))
        return [self._plainly(text) or _readings(text, known, pattern) for text in _texts(step)]

    def _plainly(self, text: str) -> Readings | None:
        """Return the readings of a text without names, None for a text with names."""
        if text not in self._plain:
            self._plain[text] = None if self._fleet.search(text) else (text, *_generated(text))
        return self._plain[text]

    def _known(self, key: Key) -> tuple[tuple[str, str], ...]:
        """Return the names that a step can mention, with their roles: its cluster's, and its peer's."""
        own = [(f"<{role}>", text) for role, text in self._names.get(key.cluster, {}).items()]
        peer = [(f"<{role} of the peer>", text) for role, text in self._names.get(key.name, {}).items()]
        return tuple((role, text) for role, text in (*own, *peer) if text)


class _Group:
    """Steps that are the same so far, and what each of their texts can mean."""

    __slots__ = ("readings", "steps")

    def __init__(self, steps: list[Step], readings: list[Readings]) -> None:
        self.steps = steps
        self.readings = readings

    def takes(self, step: Step, readings: Sequence[Readings]) -> bool:
        """Add a step if every text has a reading that holds for all steps."""
        # A text can be a name by accident: the network `prod` in a cluster that is called `prod`. So a text
        # keeps every reading until a step contradicts it; what is left at the end is true of all steps.
        common = []
        for mine, other in zip(self.readings, readings, strict=True):
            both = mine if mine == other else tuple(each for each in mine if each in other)
            if not both:
                return False
            common.append(both)
        self.readings = common
        self.steps.append(step)
        return True

    def fold(self) -> Fold:
        """Return the fold of these steps."""
        if len(self.steps) == 1:
            return Fold(self.steps[0], tuple(self.steps))
        chosen = iter([each[0] for each in self.readings])
        template = _mapped(_without_turn(self.steps[0]), lambda _: next(chosen))
        in_turn = any(_without_turn(step) != step for step in self.steps)
        return Fold(template, tuple(self.steps), in_turn=in_turn)


def _without_turn(step: Step) -> Step:
    """Return a step without the note that it waits for other clusters: only the first ones have none."""
    notes = tuple(each for each in step.notes if not each.startswith(WAITS))
    return step if notes == step.notes else replace(step, notes=notes)


def _largest(folds: Sequence[Fold]) -> dict[tuple[str, Action, str, bool], int]:
    """Return the position of the largest fold of each resource, the first of equal ones."""
    found: dict[tuple[str, Action, str, bool], int] = {}
    for position, each in enumerate(folds):
        before = found.setdefault(_resource(each), position)
        if len(each.steps) > len(folds[before].steps):
            found[_resource(each)] = position
    return found


def _like(position: int, largest: int, folds: Sequence[Fold]) -> int | None:
    """Return the position of the largest fold of the same resource, None if this is the largest."""
    return None if largest == position or len(folds[largest].steps) == 1 else largest


def _resource(fold: Fold) -> tuple[str, Action, str, bool]:
    step = fold.steps[0]
    several = step.key.name in {each.key.cluster for each in fold.steps}
    return step.key.kind, step.action, EACH if several else step.key.name, step.key.cluster == NO_CLUSTER


def _readings(text: str, known: tuple[tuple[str, str], ...], pattern: re.Pattern[str]) -> Readings:
    """Return what a text can mean: itself, with names replaced by their roles, an address, a digest."""
    parts = pattern.split(text)
    present = sorted(set(parts[1::2]))
    choices = [[role for role, word in known if word == each] for each in present]
    found = [text]
    for roles in islice(product(*choices), MAX_READINGS):
        chosen = dict(zip(present, roles, strict=True))
        found.append("".join(chosen[part] if n % 2 else part for n, part in enumerate(parts)))
    return tuple(dict.fromkeys((*found, *_generated(text))))


def _generated(text: str) -> Iterator[str]:
    """Yield what a text is that a cluster or a hash function made."""
    if _DIGEST.fullmatch(text):
        yield "<digest>"
    elif _ADDRESS.fullmatch(text):
        yield "<address>"


def _pattern_of(words: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern of whole names; the longest first, since one name can begin another."""
    longest = "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)) if word)
    return re.compile(f"(?<![A-Za-z0-9])({longest or '(?!)'})(?![A-Za-z0-9])")


def _texts(step: Step) -> Iterator[str]:
    seen: list[str] = []

    def note(text: str) -> str:
        seen.append(text)
        return text

    _mapped(step, note)
    yield from seen


def _mapped(step: Step, text: Text) -> Step:
    """Return the step with every text mapped, always in the same order."""
    return replace(
        step,
        key=_key(step.key, text),
        fields=tuple(_field(each, text) for each in step.fields),
        notes=tuple(text(each) for each in step.notes),
        manifests=tuple(_manifest(each, text) for each in step.manifests),
        why=text(step.why),
    )


def _key(key: Key, text: Text) -> Key:
    parts = (text(key.kind), text(key.cluster), text(key.name))
    kind, cluster, name = (EACH if part.startswith("<cluster") else part for part in parts)
    return Key(kind, cluster, name)


def _field(field: Field, text: Text) -> Field:
    path = tuple(text(part) for part in field.path)
    touch = field.touch and replace(field.touch, manager=text(field.touch.manager), time="")
    return Field(path, _value(field.before, text), _value(field.after, text), touch)


def _manifest(change: ManifestChange, text: Text) -> ManifestChange:
    fields = tuple(_field(each, text) for each in change.fields)
    return ManifestChange(text(change.object), change.action, fields)


def _value(value: Any, text: Text) -> Any:
    match value:
        case str():
            return text(value)
        case Unknown():
            return Unknown(_key(value.after, text))
        case Mapping():
            return {text(str(name)): _value(item, text) for name, item in value.items()}
        case list() | tuple():
            return [_value(item, text) for item in value]
    text(repr(value))
    return value
