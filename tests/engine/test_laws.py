"""What is decided, and the laws of deciding and doing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.engine.session import Session
from mesh.errors import InputError, RefusedError, UsageError
from mesh.model import ABSENT, Action, Key, Left, Live, Origin, Place, Reason, Resource, Touch, Unknown
from mesh.model.refs import Ref
from mesh.planner.ownership import check_file, check_words
from mesh.planner.step import step_for
from mesh.sdk.contract import Last, Preview
from mesh.world import World
from tests.engine.toy import Toy, ToyProvider, carry_out, key, open_session, plan, toy, toys

A, B, C = key("a"), key("b"), key("c")
KIND = ToyProvider()


@pytest.fixture
def here(tmp_path: Path) -> Session:
    return open_session(tmp_path)


@st.composite
def wishes(draw: st.DrawFn, names: str = "abcdefg") -> tuple[Resource[Toy], ...]:
    """Toys in two clusters, each needing or referring to some before it."""
    made: list[Resource[Toy]] = []
    for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=6)):
        cluster = draw(st.sampled_from(["cluster1", "cluster2"]))
        before = [each.key for each in made]
        needs = frozenset(draw(st.sets(st.sampled_from(before), max_size=2))) if before else frozenset()
        values: dict[str, Any] = {"out": draw(st.integers(0, 2))}
        if before and draw(st.booleans()):
            values["in"] = Ref(draw(st.sampled_from(before)), "out")
        made.append(toy(name, cluster, needs, **values))
    return tuple(made)


@pytest.fixture(scope="module")
def folders() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def fresh(folders: Path) -> Session:
    return open_session(Path(tempfile.mkdtemp(dir=folders)))


LAW = settings(max_examples=15, deadline=None)


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


def test_a_value_that_an_earlier_step_produces_is_unknown_until_then(here: Session) -> None:
    wanted = (toy("a", out=1), toy("b", **{"in": Ref(A, "out")}))
    steps = {step.key: step for step in plan(here, *wanted).plan.steps}
    assert [(each.path, each.after) for each in steps[B].fields] == [(("values", "in"), Unknown(A))]
    assert steps[B].needs == {A}
    carry_out(here, plan(here, *wanted))
    assert toys(here.world, "cluster1").toys["b"]["values"] == {"in": 1}


def test_a_change_that_moves_an_output_makes_what_refers_to_it_follow(here: Session) -> None:
    refers = toy("b", **{"in": Ref(A, "out")})
    carry_out(here, plan(here, toy("a", out=1), refers))
    steps = {step.key: step for step in plan(here, toy("a", out=2), refers).plan.steps}
    assert (steps[A].reason, steps[B].reason) == (Reason.CONFIG, Reason.FOLLOWS)
    carry_out(here, plan(here, toy("a", out=2), refers))
    assert toys(here.world, "cluster1").toys["b"]["values"] == {"in": 2}


def test_a_change_that_moves_no_output_leaves_what_refers_to_it_alone(here: Session) -> None:
    refers = toy("b", **{"in": Ref(A, "out")})
    carry_out(here, plan(here, toy("a", out=1, size=1), refers))
    assert [step.key for step in plan(here, toy("a", out=1, size=2), refers).plan.steps] == [A]


def test_what_needs_something_unread_is_deferred_and_nothing_else(here: Session) -> None:
    far = key("far", "cluster2")
    toys(here.world, "cluster2").down = True
    wanted = (toy("far", "cluster2", out=1), toy("b", needs=frozenset({far})), toy("c"))
    planned = plan(here, *wanted)
    assert [step.key for step in planned.plan.steps] == [C]
    assert [each.key for each in planned.plan.deferred] == [B, far]
    assert planned.plan.deferred[0].why == f"needs {far}, which is deferred"
    carry_out(here, planned)
    toys(here.world, "cluster2").down = False
    carry_out(here, plan(here, *wanted))
    assert plan(here, *wanted).plan.empty


def test_what_cannot_be_read_is_never_taken_for_gone(here: Session) -> None:
    wanted = (toy("a", out=1), toy("far", "cluster2", frozenset({A}), out=1))
    carry_out(here, plan(here, *wanted))
    toys(here.world, "cluster2").down = True
    planned = plan(here)
    assert planned.plan.steps == ()
    assert [each.why for each in planned.plan.deferred] == [
        f"still used by {key('far', 'cluster2')}, which is deferred",
        "does not answer",
    ]
    carry_out(here, planned)
    assert set(here.store.read("demo").entries) == {A, key("far", "cluster2")}


class Doubtful(ToyProvider):
    """Toys of which nobody can tell beforehand whether `a` may be made."""

    def preview(self, spec: Toy, key: Key, live: Live | None, world: World) -> Preview:
        return Preview(unknown="nobody can tell" if key == A else "")


def test_what_nobody_can_tell_beforehand_is_deferred_with_all_that_needs_it(here: Session) -> None:
    wanted = (toy("a"), toy("b", needs=frozenset({A})), toy("c", needs=frozenset({B})), toy("d"))
    planned = plan(replace(here, kinds={"toy": Doubtful()}), *wanted)
    assert [step.key for step in planned.plan.steps] == [key("d")]
    assert {each.key: each.why for each in planned.plan.deferred} == {
        A: "nobody can tell",
        B: f"needs {A}, which is deferred",
        C: f"needs {B}, which is deferred",
    }


def test_a_removal_says_whether_it_left_the_file_or_the_mesh_goes(here: Session) -> None:
    carry_out(here, plan(here, toy("a"), toy("b")))
    assert [step.reason for step in plan(here, toy("a")).plan.steps] == [Reason.REMOVED]
    assert [step.reason for step in plan(here).plan.steps] == [Reason.DESTROY] * 2


def test_removals_go_backwards_along_the_recorded_needs(here: Session) -> None:
    carry_out(here, plan(here, toy("a"), toy("b", needs=frozenset({A})), toy("c", needs=frozenset({B}))))
    planned = plan(here)
    assert [(step.action, step.key) for step in planned.plan.steps] == [
        (Action.DELETE, C),
        (Action.DELETE, B),
        (Action.DELETE, A),
    ]
    carry_out(here, planned)
    assert [each for each in toys(here.world, "cluster1").writes if each.startswith("-")] == [
        "-c",
        "-b",
        "-a",
    ]


def test_needs_that_turned_round_are_recorded_though_nothing_else_changes(here: Session) -> None:
    carry_out(here, plan(here, toy("a"), toy("b", needs=frozenset({key("a")}))))
    turned = [toy("a", needs=frozenset({key("b")})), toy("b")]
    carry_out(here, plan(here, *turned))
    removal = plan(here)
    assert [step.key for step in removal.plan.steps] == [key("a"), key("b")]
    assert not carry_out(here, removal).failed


def test_a_step_waits_for_those_before_it_past_what_is_as_wanted(here: Session) -> None:
    def chain(value: int) -> list[Resource[Toy]]:
        middle = toy("b", needs=frozenset({key("a")}))
        return [toy("a", x=value), middle, toy("c", needs=frozenset({key("b")}), x=value)]

    carry_out(here, plan(here, *chain(1)))
    needs = {step.key: step.needs for step in plan(here, *chain(2)).plan.steps}
    assert needs == {key("a"): frozenset(), key("c"): frozenset({key("a")})}


def test_what_was_there_before_is_forgotten_and_stays(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    kube.put("a", {"out": 1}, owner="somebody")
    carry_out(here, plan(here, toy("a", out=1)))
    (step,) = plan(here).plan.steps
    assert (step.action, step.why) == (Action.FORGET, "it existed before mesh and stays")
    carry_out(here, plan(here))
    assert "a" in kube.toys
    assert here.store.read("demo").entries == {}


def test_what_others_had_set_before_is_remembered_as_theirs(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    kube.put("a", {"x": 1}, owner="somebody")
    adopted = replace(toy("a", x=1, y=2), adopt=True)
    kube.broken.add("a")
    assert carry_out(here, plan(here, adopted)).failed == (A,)
    kube.broken.clear()
    for _ in range(2):
        carry_out(here, plan(here, adopted))
        last = here.store.read("demo").entries[A].last
        assert (last.created, last.status, last.theirs) == (False, "ok", {"values.x"})


def test_what_somebody_else_made_differently_is_refused_with_the_way_to_take_it(here: Session) -> None:
    toys(here.world, "cluster1").put("a", {"out": 7}, owner="field manager kubectl")
    with pytest.raises(RefusedError) as refused:
        plan(here, toy("a", out=1))
    for text in ("toy/cluster1/a exists", "field manager kubectl", "values.out", "--take toy/cluster1/a"):
        assert text in refused.value.message


def test_what_changed_since_the_plan_is_not_overwritten(here: Session) -> None:
    carry_out(here, plan(here, toy("a", out=1)))
    planned = plan(here, toy("a", out=2))
    toys(here.world, "cluster1").put("a", {"out": 2, "theirs": 1})
    result = carry_out(here, planned)
    assert result.failed == (A,)
    error = result.outcomes[A].error
    assert error is not None
    assert error.exit_code == 3
    assert "changed since the plan was made" in error.message


def test_what_was_replaced_since_the_plan_is_not_deleted(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    carry_out(here, plan(here, toy("a", out=1)))
    planned = plan(here)
    del kube.toys["a"]
    kube.put("a", {"out": 1}, owner="somebody")
    result = carry_out(here, planned)
    assert result.failed == (A,)
    assert "a" in kube.toys


def test_equal_plans_have_equal_digests_and_others_have_others(here: Session) -> None:
    one, same, other = (plan(here, toy("a", out=number)).plan.digest for number in (1, 1, 2))
    assert one == same != other


def test_a_plan_that_leaves_something_to_others_has_another_digest(here: Session) -> None:
    """Nothing is to be done either way: but what is not left is recorded, and ours to remove from then on."""
    toys(here.world, "cluster1").put("a", {"out": 1}, owner="somebody")
    ours, theirs, again = (
        plan(one, toy("a", out=1)).plan for one in (here, left(here, "a"), left(here, "a"))
    )
    assert ours.steps == theirs.steps == ()
    assert ours.digest != theirs.digest == again.digest


def live(*touches: Touch, **values: Any) -> Live:
    return Live({"values": values}, "uid:1", "uid", touches=touches, owner="demo")


def decided(found: Live | None, last: Last | None = None, **values: Any) -> Any:
    return step_for(KIND, Toy(values), A, found, last, datetime(2026, 1, 1, tzinfo=UTC))


def last(status: str = "ok", **fields: str) -> Last:
    return Last(Place("", "a"), fields, status=status)


def test_nothing_is_decided_for_what_is_as_wanted() -> None:
    assert decided(live(out=1), out=1) is None


def test_what_is_gone_since_the_last_apply_was_deleted_by_somebody() -> None:
    assert (decided(None, out=1).reason, decided(None, last(), out=1).reason) == (Reason.NEW, Reason.DRIFT)
    assert "deleted outside mesh" in decided(None, last(), out=1).why
    assert decided(None, last("open"), out=1).reason is Reason.NEW


@pytest.mark.parametrize(
    ("path", "manager"),
    [
        (("values", "list"), "kubectl-edit"),
        (("values", "list", "[0]"), "kubectl-edit"),
        (("values",), "kubectl-edit"),
        (("other",), ""),
    ],
)
def test_a_field_is_told_with_who_wrote_it_or_the_list_around_it(path: tuple[str, ...], manager: str) -> None:
    found = live(Touch((), "last-writer", "t2"), Touch(path, "kubectl-edit", "t1"), list=["x"])
    (field,) = decided(found, last(), list=["y"]).fields
    assert (field.before, field.after) == ("x", "y")
    assert (field.touch.manager if field.touch else "") == (
        manager or ("kubectl-edit" if path == ("values",) else "")
    )


def test_a_field_that_is_gone_is_told_with_the_last_writer() -> None:
    (field,) = decided(live(Touch((), "kubectl-patch", "t")), last(), out=1).fields
    assert (field.before, field.touch) == (ABSENT, Touch((), "kubectl-patch", "t"))


def left(here: Session, *names: str) -> Session:
    """The same context with a file that leaves these toys to others."""
    return replace(
        here, mesh=replace(here.mesh, leave=dict.fromkeys(map(key, names), Origin("mesh.yaml", 7, 10)))
    )


def test_a_refused_object_of_others_names_all_three_ways(here: Session) -> None:
    toys(here.world, "cluster1").put("a", {"out": 7}, owner="somebody")
    with pytest.raises(RefusedError) as refused:
        plan(here, toy("a", out=1))
    message = refused.value.message
    assert "take it over with `--take toy/cluster1/a`, " in message
    assert "leave it as it is with `--leave toy/cluster1/a`, or change the file" in message


def test_what_is_left_stays_and_is_used_and_neither_counted_nor_recorded(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    kube.put("a", {"out": 7}, owner="somebody")
    wanted = toy("a", out=1), toy("b", x=Ref(A, "out"))
    planned = plan(left(here, "a"), *wanted)
    assert [step.key for step in planned.plan.steps] == [B]
    assert planned.plan.left == (Left(A, "somebody", "a"),)
    carry_out(left(here, "a"), planned)
    assert kube.toys["a"]["values"] == {"out": 7}
    assert kube.toys["b"]["values"] == {"x": 7}
    assert set(here.store.read("demo").entries) == {B}
    again = plan(left(here, "a"), *wanted).plan
    assert again.empty
    assert (again.unchanged, len(again.left)) == (1, 1)
    carry_out(here, plan(here))
    assert set(kube.toys) == {"a"}


def test_what_was_recorded_before_it_is_left_is_forgotten(here: Session) -> None:
    toys(here.world, "cluster1").put("a", {"out": 1}, owner="somebody")
    carry_out(here, plan(here, toy("a", out=1)))
    assert set(here.store.read("demo").entries) == {A}
    carry_out(left(here, "a"), plan(left(here, "a"), toy("a", out=2)))
    assert here.store.read("demo").entries == {}


def test_what_is_left_and_goes_away_is_made_and_kept_as_ours(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    kube.put("a", {"out": 7}, owner="somebody")
    mine, wish = left(here, "a"), toy("a", out=1)
    assert plan(mine, wish).plan.empty
    del kube.toys["a"]
    planned = plan(mine, wish)
    assert [step.action for step in planned.plan.steps] == [Action.CREATE]
    carry_out(mine, planned)
    settled = plan(mine, wish).plan
    assert (settled.empty, settled.left) == (True, ())
    assert settled.warnings == ("toy/cluster1/a was made by this mesh: there is nothing to leave to others",)


def test_what_others_put_in_the_place_of_ours_can_be_left_to_them(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    carry_out(here, plan(here, toy("a", out=1)))
    del kube.toys["a"]
    kube.put("a", {"out": 7}, owner="somebody")
    planned = plan(left(here, "a"), toy("a", out=1))
    assert planned.plan.empty
    carry_out(left(here, "a"), planned)
    carry_out(here, plan(here))
    assert set(kube.toys) == {"a"}


def test_an_address_of_nothing_cannot_be_left_and_none_is_both_taken_and_left(here: Session) -> None:
    with pytest.raises(UsageError, match="toy/cluster1/a is to be left to others and is no resource"):
        check_words((), [A], {})
    with pytest.raises(UsageError, match="toy/cluster1/a is to be taken and to be left"):
        check_words([A], [A], {A: None})


def test_an_address_of_nothing_cannot_be_taken_and_the_nearest_are_named(here: Session) -> None:
    with pytest.raises(UsageError, match="toy/cluster1/b is to be taken over and is no resource") as refused:
        plan(here, toy("a"), toy("c"), taken=frozenset({key("b")}))
    assert refused.value.hint in {
        f"did you mean toy/cluster1/{one}?" for one in ("a or toy/cluster1/c", "c or toy/cluster1/a")
    }
    carry_out(here, plan(here, toy("b")))
    assert not plan(here, toy("a"), taken=frozenset({key("b")})).plan.empty


def test_addresses_of_nothing_in_the_file_are_told_all_at_once_with_their_places(here: Session) -> None:
    leave = {
        key("b"): Origin("mesh.yaml", 9, 5),
        key("z"): Origin("mesh.yaml", 8, 5),
        A: Origin("mesh.yaml", 7, 5),
    }
    with pytest.raises(InputError) as refused:
        check_file(leave, {A: None})
    first, second = str(refused.value).splitlines()
    said = "is to be left to others and is no resource of this mesh: did you mean toy/cluster1/a?"
    assert first == f"mesh.yaml:8:5: spec.leave: toy/cluster1/z {said}"
    assert second == f"mesh.yaml:9:5: spec.leave: toy/cluster1/b {said}"
