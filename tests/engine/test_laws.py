"""The laws of planning and applying, for any wish."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mesh.engine.session import Session
from mesh.model import Resource
from tests.engine.toy import Toy, carry_out, key, plan, toy, toys
from tests.engine.wishes import LAW, fresh, wishes


@LAW
@given(first=wishes(), second=wishes())
def test_after_an_apply_the_plan_is_empty_whatever_was_wanted_before(
    folders: Path, first: tuple[Resource[Toy], ...], second: tuple[Resource[Toy], ...]
) -> None:
    here = fresh(folders)
    for wanted in (first, second, ()):
        result = carry_out(here, plan(here, *wanted))
        assert not result.failed
        assert plan(here, *wanted).plan.empty
        there = {
            key(name, cluster) for cluster in here.world.kubes for name in toys(here.world, cluster).toys
        }
        assert there == {each.key for each in wanted}


@LAW
@given(first=wishes(), second=wishes())
def test_the_order_of_the_steps_respects_their_needs(
    folders: Path, first: tuple[Resource[Toy], ...], second: tuple[Resource[Toy], ...]
) -> None:
    here = fresh(folders)
    for wanted in (first, second):
        planned = plan(here, *wanted)
        keys = [step.key for step in planned.plan.steps]
        for place, step in enumerate(planned.plan.steps):
            assert step.needs <= set(keys[:place])
        carry_out(here, planned)


@LAW
@given(wanted=wishes(), workers=st.sampled_from([1, 8]))
def test_one_worker_and_many_give_the_same_result(
    folders: Path, wanted: tuple[Resource[Toy], ...], workers: int
) -> None:
    here, there = fresh(folders), fresh(folders)
    carry_out(here, plan(here, *wanted), workers)
    carry_out(there, plan(there, *wanted), 3)

    def values(one: Session) -> dict[str, Any]:
        kubes = (toys(one.world, cluster) for cluster in one.world.kubes)
        return {f"{kube.cluster}/{name}": toy["values"] for kube in kubes for name, toy in kube.toys.items()}

    assert values(here) == values(there)


@LAW
@given(wanted=wishes(), data=st.data())
def test_a_failure_skips_only_what_needs_it_and_the_next_apply_finishes(
    folders: Path, wanted: tuple[Resource[Toy], ...], data: st.DataObject
) -> None:
    here = fresh(folders)
    if not wanted:
        return
    broken = data.draw(st.sampled_from(sorted(each.key for each in wanted)))
    toys(here.world, broken.cluster).broken.add(broken.name)
    planned = plan(here, *wanted)
    doomed = {broken}
    for step in planned.plan.steps:
        if step.needs & doomed:
            doomed.add(step.key)
    result = carry_out(here, planned)
    assert result.failed == (broken,)
    assert set(result.because) == doomed - {broken}
    assert set(result.outcomes) == {each.key for each in wanted} - doomed | {broken}
    toys(here.world, broken.cluster).broken.clear()
    assert not carry_out(here, plan(here, *wanted)).failed
    assert plan(here, *wanted).plan.empty


def test_a_plan_without_changes_writes_nothing(here: Session) -> None:
    carry_out(here, plan(here, toy("a", out=1)))
    before = (here.store.path.read_bytes(), list(toys(here.world, "cluster1").writes))
    carry_out(here, plan(here, toy("a", out=1)))
    assert (here.store.path.read_bytes(), toys(here.world, "cluster1").writes) == before


def test_an_apply_without_steps_is_incomplete_if_a_cluster_does_not_answer(here: Session) -> None:
    wanted = (toy("a"), toy("far", "cluster2"))
    assert carry_out(here, plan(here, *wanted)).end == "complete"
    toys(here.world, "cluster2").down = True
    planned = plan(here, *wanted)
    assert (planned.plan.steps, [each.key for each in planned.plan.deferred]) == (
        (),
        [key("far", "cluster2")],
    )
    assert carry_out(here, planned).end == "incomplete"
