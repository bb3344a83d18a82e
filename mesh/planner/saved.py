"""What differs between a plan that was reviewed and the same plan made again; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mesh.errors import StalePlanError
from mesh.model import ABSENT, Action, Field, Key, Plan, Review, Step
from mesh.model.diff import dotted

MOST = 20
"""Differences that a message lists."""

NONE = "none"


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that a plan rests on: what it was at the review, and what it is now."""

    what: str
    reviewed: str
    now: str

    def __str__(self) -> str:
        return f"{self.what}: reviewed {self.reviewed}, now {self.now}"


def differences(reviewed: Plan, now: Plan) -> tuple[Difference, ...]:
    """Return what matters and is no longer the same; steps that only wait do not matter."""
    return (*facts(reviewed, now), *_steps(reviewed, now), *_left(reviewed, now))


def facts(reviewed: Plan, now: Plan) -> tuple[Difference, ...]:
    """Return the differences in what both plans rest on: mesh, file, state, clusters, programs."""
    found = [
        _texts("mesh", reviewed.mesh, now.mesh),
        _texts("configuration", reviewed.config, now.config),
        _texts("lockfile serial", str(reviewed.serial), str(now.serial)),
    ]
    if reviewed.serial or now.serial:  # a state that was never written has a new lineage each time
        found.append(_texts("lockfile lineage", reviewed.lineage, now.lineage))
    return (
        *(each for each in found if each),
        *clusters(reviewed.clusters, now.clusters),
        *_mapped("version of ", reviewed.tools, now.tools),
    )


def clusters(reviewed: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    """Yield the clusters that are other ones now; one that does not answer is not another one."""
    for name in sorted(reviewed.keys() & now.keys()):
        if reviewed[name] and now[name] and reviewed[name] != now[name]:
            yield Difference(f"cluster {name}: UID of kube-system", reviewed[name], now[name])
    yield from _mapped("cluster ", dict.fromkeys(reviewed, "in the mesh"), dict.fromkeys(now, "in the mesh"))


def refuse(found: tuple[Difference, ...], *, same_key: bool = True) -> None:
    """Raise StalePlanError with every difference, if there is one."""
    if not found:
        return
    lines = [f"  {each}" for each in found[:MOST]]
    lines += [f"  and {len(found) - MOST} more differences"] if len(found) > MOST else []
    hint = "plan again, review it, and apply the new plan"
    if not same_key:
        hint = (
            "the plan was made with another key for hidden values, so that their digests differ in any case: "
            "set MESH_PLAN_KEY to the same secret where plans are made and applied, and plan again"
        )
    text = "\n".join(["the saved plan no longer holds, nothing was changed:", *lines])
    raise StalePlanError(text, hint=hint)


def _steps(reviewed: Plan, now: Plan) -> Iterator[Difference]:
    before, after = _doing(reviewed), _doing(now)
    put_off = {each.key: each.why for each in now.deferred}
    for key in sorted(before.keys() | after.keys()):
        one, other = before.get(key), after.get(key)
        if one is None or other is None:
            instead = f"deferred: {put_off[key]}" if key in put_off else NONE
            yield Difference(f"{key}: step", _action(one) or NONE, _action(other) or instead)
        else:
            yield from _step(key, one, other)


def _doing(plan: Plan) -> dict[Key, Step]:
    return {step.key: step for step in plan.steps if step.action is not Action.READ}


def _action(step: Step | None) -> str:
    return step.action.name.lower() if step else ""


def _step(key: Key, one: Step, other: Step) -> Iterator[Difference]:
    if one.action is not other.action:
        yield Difference(f"{key}: step", _action(one), _action(other))
    before = {dotted(each.path): _change(each) for each in one.fields}
    after = {dotted(each.path): _change(each) for each in other.fields}
    yield from _mapped(f"{key}: ", before, after)
    yield from _reviews(key, one.review, other.review)


def _reviews(key: Key, one: Review, other: Review) -> Iterator[Difference]:
    texts = (
        _texts(f"{key}: live object, its uid", one.uid, other.uid),
        _texts(f"{key}: live object, the fields that mesh sets", one.token, other.token),
    )
    yield from (each for each in texts if each)
    yield from _mapped(f"{key}: bytes of chart ", one.charts, other.charts)
    yield from _mapped(f"{key}: hidden value ", one.hidden, other.hidden)
    yield from _mapped(f"{key}: manifest ", one.objects, other.objects)
    yield from _mapped(f"{key}: value read from ", one.reads, other.reads)


def _left(reviewed: Plan, now: Plan) -> Iterator[Difference]:
    before, after = (
        {str(each.key): f"left to {each.owner} at {each.where}" for each in plan.left}
        for plan in (reviewed, now)
    )
    yield from _mapped("", before, after)


def _mapped(what: str, one: Mapping[str, str], other: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted(one.keys() | other.keys()):
        if found := _texts(f"{what}{name}", one.get(name, NONE), other.get(name, NONE)):
            yield found


def _texts(what: str, one: str, other: str) -> Difference | None:
    return Difference(what, one or NONE, other or NONE) if one != other else None


def _change(each: Field) -> str:
    return f"{_value(each.before)} -> {_value(each.after)}"


def _value(value: Any) -> str:
    return NONE if value is ABSENT else repr(value) if isinstance(value, str) else str(value)
