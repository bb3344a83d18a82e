"""Disruptive changes go cluster by cluster; what is new does not wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mesh.engine.gate import to_come
from mesh.engine.post_run import users
from mesh.engine.registry import all_kinds
from mesh.engine.run_options import RunOptions
from mesh.engine.verbs import apply
from mesh.engine.worker import NOT_BEGUN
from mesh.model import Action, Key, Step
from mesh.model.spec import Rollout
from mesh.planner.rollout import CHANGES, cluster_by_cluster, gate_of, waves
from mesh.walk import Stop
from mesh.world.clock import SystemClock
from tests.engine.toy import carry_out, key, open_session, plan, toy, toys

KINDS = all_kinds()
ZTUNNEL = {name: Key("chart", name, "ztunnel") for name in "abc"}
ISTIOD = {name: Key("chart", name, "istiod") for name in "abc"}


def ordered(steps: list[Step], rollout: Rollout) -> dict[Key, Step]:
    by_key = {step.key: step for step in steps}
    return cluster_by_cluster(by_key, KINDS, waves("abc", rollout, {"a", "z", "-"}), rollout)


def test_clusters_named_first_come_first() -> None:
    assert waves("abc", Rollout(first=("c",))) == (("c",), ("a",), ("b",))
    assert waves("abc", Rollout(clusters=2)) == (("a", "b"), ("c",))


def test_clusters_that_left_the_mesh_come_last() -> None:
    assert waves("ab", Rollout(), {"z", "y", "a", "-"}) == (("a",), ("b",), ("y",), ("z",))
    gone = Key("chart", "z", "istiod")
    steps = [Step(Action.UPDATE, ISTIOD["a"]), Step(Action.DELETE, gone)]
    assert ordered(steps, Rollout())[gone].needs == {ISTIOD["a"]}


def test_a_mesh_that_goes_is_deleted_everywhere_at_once() -> None:
    steps = {key: Step(Action.DELETE, key) for key in ISTIOD.values()}
    found = cluster_by_cluster(steps, KINDS, waves("abc", Rollout()), Rollout(), CHANGES)
    assert all(step.needs == frozenset() for step in found.values())


def test_an_update_waits_for_those_of_the_cluster_before() -> None:
    steps = [Step(Action.UPDATE, key) for key in (*ISTIOD.values(), *ZTUNNEL.values())]
    found = ordered(steps, Rollout())
    assert found[ISTIOD["a"]].needs == frozenset()
    assert found[ISTIOD["b"]].needs == {ISTIOD["a"], ZTUNNEL["a"]}
    assert found[ZTUNNEL["c"]].needs == {ISTIOD["b"], ZTUNNEL["b"]}


def test_a_cluster_without_changes_passes_the_order_on() -> None:
    steps = [Step(Action.UPDATE, ISTIOD["a"]), Step(Action.UPDATE, ISTIOD["c"])]
    assert ordered(steps, Rollout())[ISTIOD["c"]].needs == {ISTIOD["a"]}


def test_nobody_is_disturbed_while_the_cluster_before_is_not_ready() -> None:
    steps = [Step(Action.READ, ZTUNNEL["a"]), Step(Action.UPDATE, ZTUNNEL["b"])]
    assert ordered(steps, Rollout())[ZTUNNEL["b"]].needs == {ZTUNNEL["a"]}


def test_what_is_new_does_not_wait() -> None:
    steps = [Step(Action.UPDATE, ISTIOD["a"]), Step(Action.CREATE, ISTIOD["b"])]
    assert ordered(steps, Rollout())[ISTIOD["b"]].needs == frozenset()


def test_a_gate_is_before_the_first_step_of_a_cluster_and_names_those_before() -> None:
    b = [Step(Action.UPDATE, ISTIOD["b"]), Step(Action.UPDATE, ZTUNNEL["b"], needs=frozenset({ISTIOD["b"]}))]
    found = ordered([Step(Action.UPDATE, ISTIOD["a"]), *b], Rollout(gate="check"))
    assert (found[ISTIOD["a"]].gate, found[ISTIOD["b"]].gate, found[ZTUNNEL["b"]].gate) == ((), ("a",), ())
    assert "passes its checks" in found[ISTIOD["b"]].notes[0]


def test_the_pause_is_before_the_first_step_of_a_cluster_only() -> None:
    b = [Step(Action.UPDATE, ISTIOD["b"]), Step(Action.UPDATE, ZTUNNEL["b"], needs=frozenset({ISTIOD["b"]}))]
    found = ordered([Step(Action.UPDATE, ISTIOD["a"]), *b], Rollout(pause=timedelta(minutes=2)))
    assert (found[ISTIOD["a"]].pause, found[ISTIOD["b"]].pause, found[ZTUNNEL["b"]].pause) == (0, 120, 0)


def test_there_is_no_gate_while_clusters_move_to_another_root() -> None:
    gated = Rollout(clusters=2, gate="check")
    assert gate_of(gated, ("a",), destroy=False) == Rollout(clusters=2, gate="ready")
    assert gate_of(gated, (), destroy=False) == gated


def test_there_is_no_gate_while_the_mesh_goes() -> None:
    assert gate_of(Rollout(), (), destroy=True) == Rollout(gate="ready")


def test_what_waits_for_the_next_cluster_is_to_come_with_it() -> None:
    """A link that is down for the sake of its target holds nobody up; one that nothing mends does."""
    link, far, other = Key("link", "a", "b"), Key("gateway", "b", "east"), Key("link", "a", "c")
    left = [
        Step(Action.UPDATE, ISTIOD["b"]),
        Step(Action.READ, far, needs=frozenset({ISTIOD["b"]})),
        Step(Action.READ, link, needs=frozenset({far})),
        Step(Action.READ, other, needs=frozenset({ISTIOD["a"]})),
    ]
    assert to_come({step.key: step for step in left}) == {ISTIOD["b"], far, link}


def test_of_what_was_not_touched_all_that_needs_what_was_changed_is_looked_at_again() -> None:
    link, back, east = Key("link", "a", "b"), Key("link", "b", "a"), Key("gateway", "b", "east")
    needs = {
        ISTIOD["b"]: frozenset[Key](),
        ISTIOD["a"]: frozenset[Key](),
        east: frozenset({ISTIOD["b"]}),
        link: frozenset({east}),
        back: frozenset({ISTIOD["a"]}),
    }
    assert users({ISTIOD["b"]}, needs, [link, back, ISTIOD["a"]]) == {link}


class Interrupted(SystemClock):
    """A clock in whose longer sleeps somebody asks the run to stop, which ends them."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop.wait)
        self.stop = stop

    def sleep(self, seconds: float) -> None:
        self.stop.ask()
        super().sleep(seconds)


@pytest.mark.parametrize("how", [{"pause": 3600.0}, {"gate": ("cluster1",)}])
def test_a_run_that_is_stopped_between_two_clusters_leaves_the_next_one_alone(
    tmp_path: Path, how: dict[str, object]
) -> None:
    here, stop = open_session(tmp_path), Stop.new()
    carry_out(here, plan(here, toy("a", out=1), toy("b", "cluster2", out=1)))
    planned = plan(here, toy("a", out=2), toy("b", "cluster2", out=2))
    then = replace(planned.plan.steps[1], needs=frozenset({key("a")}), **how)  # type: ignore[arg-type]  # any field
    planned = replace(planned, plan=replace(planned.plan, steps=(planned.plan.steps[0], then)))

    def mended(_clusters: tuple[str, ...], _pending: frozenset[Key], _users: frozenset[Key]) -> str:
        """The checks pass the very moment that somebody asks the run to stop."""
        stop.ask()
        return ""

    late = replace(here, world=replace(here.world, clock=Interrupted(stop)))
    result = apply(late, planned, RunOptions(stopping=stop, timeout=5, parallelism=2, checks=mended))
    assert toys(here.world, "cluster1").toys["a"]["values"] == {"out": 2}
    assert toys(here.world, "cluster2").toys["b"]["values"] == {"out": 1}
    assert result.outcomes[key("b", "cluster2")].stopped == NOT_BEGUN
    assert not carry_out(here, plan(here, toy("a", out=2), toy("b", "cluster2", out=2))).failed
    assert toys(here.world, "cluster2").toys["b"]["values"] == {"out": 2}
