"""Disruptive changes go cluster by cluster; what is new does not wait."""

from __future__ import annotations

from datetime import timedelta

from mesh.kinds import all_kinds
from mesh.model import Action, Key, Step
from mesh.rollout import CHANGES, cluster_by_cluster, gate_of, waves
from mesh.spec import Rollout

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
    assert gate_of(gated, ("a",), goes=False) == Rollout(clusters=2, gate="ready")
    assert gate_of(gated, (), goes=False) == gated


def test_there_is_no_gate_while_the_mesh_goes() -> None:
    assert gate_of(Rollout(), (), goes=True) == Rollout(gate="ready")
