"""A plan in sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.istio.plan_summary import plan_summary
from mesh.model import ABSENT, Action, Field, Key, Plan, Reason, Step, Touch

FLEET = {name: {"cluster": name} for name in ("a", "b", "c", "d", "e")}
PLAN = Plan("demo", (), 1, "l", dict.fromkeys(FLEET, "uid"), fleet=FLEET)
EDIT = Touch(("x",), "kubectl-edit", "2026-01-02T12:00:00Z")


def told(*steps: Step, **more: bool) -> tuple[str, ...]:
    return plan_summary(replace(PLAN, steps=steps, destroying=bool(more.get("destroying"))))


def version(cluster: str, name: str, before: object, after: object) -> Step:
    action = Action.CREATE if before is ABSENT else Action.UPDATE
    return Step(action, Key("chart", cluster, name), fields=(Field(("version",), before, after),))


def test_versions_are_told_once_with_components_and_clusters() -> None:
    steps = [version(each, name, "1.30.2", "1.30.3") for each in ("a", "b") for name in ("istiod", "ztunnel")]
    assert told(*steps) == ("Istio 1.30.2 -> 1.30.3 in a, b, one after another: istiod, ztunnel",)
    assert told(version("a", "base", ABSENT, "1.30.3")) == ("Install Istio 1.30.3 in a: base",)


def test_all_clusters_and_many_of_them_are_counted() -> None:
    assert told(*(version(each, "cni", "1", "2") for each in FLEET))[0].startswith(
        "Istio 1 -> 2 in all 5 clusters"
    )


@pytest.mark.parametrize(
    ("action", "word"), [(Action.CREATE, "added"), (Action.DELETE, "removed"), (Action.UPDATE, "changed")]
)
def test_links_are_counted(action: Action, word: str) -> None:
    steps = (
        Step(action, Key("link", "a", "b"), Reason.CONFIG),
        Step(action, Key("remote", "b", "a"), Reason.CONFIG),
    )
    assert told(*steps) == (f"2 links {word}",)


def test_what_stays_without_mesh_is_told() -> None:
    assert told(*(Step(Action.FORGET, Key("link", "a", name)) for name in ("b", "c"))) == (
        "2 resources in a will no longer be managed, but not be destroyed",
    )
    assert told(
        Step(Action.FORGET, Key("cert", "-", "root")), Step(Action.FORGET, Key("link", "a", "b"))
    ) == ("2 resources in a will no longer be managed, but not be destroyed",)
    assert told(Step(Action.FORGET, Key("cert", "-", "root"))) == (
        "1 resource will no longer be managed, but not be destroyed",
    )


def test_drift_names_who_made_it_and_what_comes_back() -> None:
    edited = Step(
        Action.UPDATE,
        Key("label", "a", "x"),
        Reason.DRIFT,
        (Field(("x",), "y", "z", EDIT), Field(("w",), 1, 2)),
    )
    deleted = Step(Action.CREATE, Key("gateway", "b", "x"), Reason.DRIFT)
    assert told(edited, deleted) == (
        "1 resource created again in b: deleted outside mesh",
        "2 fields changed outside mesh by kubectl-edit put back in a",
    )


def test_what_expires_is_destroyed_or_replaced_is_told() -> None:
    assert told(Step(Action.UPDATE, Key("cert", "a", "cacerts"), Reason.EXPIRING)) == (
        "1 certificate or token renewed in a",
    )
    assert told(Step(Action.DELETE, Key("label", "a", "x"), Reason.REMOVED)) == ("1 resource destroyed in a",)
    assert told(Step(Action.REPLACE, Key("cert", "a", "x"), Reason.REPLACE)) == (
        "1 resource destroyed and created again in a",
    )
    gone = Step(Action.DELETE, Key("label", "a", "x"), Reason.DESTROY)
    assert told(gone, destroying=True) == ("The mesh is removed in a",)


def test_the_effect_on_traffic_is_told_once_for_all_clusters() -> None:
    note = "ztunnel restarts on 14 nodes, one after another: long-lived connections there are reset"
    steps = [replace(version(each, "ztunnel", "1", "2"), notes=(note, "takes x")) for each in ("a", "b")]
    assert told(*steps)[1:] == (note,)
    other = replace(steps[0], fields=())
    assert told(other) == (f"{note} (in a)",)
    assert told(*steps[:1], replace(steps[1], fields=()))[1:] == (f"{note} (in a, b)",)


def test_what_waits_or_is_in_sync_changes_nothing() -> None:
    assert told(Step(Action.READ, Key("gateway", "a", "x"), Reason.UNHEALTHY)) == ()
    assert told(Step(Action.NOOP, Key("chart", "a", "base"), Reason.ADOPT)) == ()
