"""What an identity may not do of a plan, by cluster, before the first write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from mesh.engine.session import Session
from mesh.errors import KubeError
from mesh.model import Action, Key, Place, Unread
from mesh.queries.access.denied import denied, unknown_rights, warned
from mesh.sdk.capabilities import Permitted
from mesh.sdk.rights import Right, applied
from mesh.world import Object, World
from mesh.world.resources import CONFIG_MAP
from tests.engine import toy
from tests.engine.toy import ToyProvider


@dataclass
class Guarded(toy.Kube):
    """An API server that lets an identity do some things; it may not answer the question."""

    allows: frozenset[str] = frozenset()
    mute: bool = False
    asked: list[str] = field(default_factory=list)

    def create(self, obj: Object, **_how: Any) -> Object:
        if self.mute:
            raise KubeError("it does not answer")
        about = obj["spec"]["resourceAttributes"]
        self.asked.append(f"{about['verb']} {about['resource']}")
        return {"status": {"allowed": self.asked[-1] in self.allows}}


class PermittedToy(ToyProvider, Permitted):
    """A foreign kind that says its rights."""

    def rights(self, action: Action, key: Key, place: Place) -> Iterable[Right]:
        return applied(CONFIG_MAP, action, "toys")


def session(folder: Path, kube: Guarded, kind: ToyProvider) -> Session:
    here = toy.open_session(folder)
    kubes = {**here.world.kubes, "cluster1": kube}
    world = World(kubes, here.world.helms, here.world.clock, here.world.env, folder)
    return replace(here, world=world, kinds={"toy": kind})


def test_a_missing_right_is_named_with_its_verbs(tmp_path: Path) -> None:
    kube = Guarded("cluster1", allows=frozenset({"create configmaps"}))
    here = session(tmp_path, kube, PermittedToy())
    found = denied(here, toy.plan(here, toy.toy("one")))
    assert isinstance(found["cluster1"], tuple)
    assert "patch configmaps in toys" in found["cluster1"]
    assert "create configmaps in toys" not in found["cluster1"]


def test_an_identity_that_may_do_everything_is_asked_once(tmp_path: Path) -> None:
    kube = Guarded("cluster1", allows=frozenset({"* *"}))
    here = session(tmp_path, kube, PermittedToy())
    planned = toy.plan(here, toy.toy("one"))
    assert denied(here, planned) == {"cluster1": ()}
    assert kube.asked == ["* *"]
    assert warned(here, planned).warnings == planned.plan.warnings


def test_a_cluster_to_which_the_plan_writes_nothing_is_not_asked(tmp_path: Path) -> None:
    kube = Guarded("cluster1")
    here = session(tmp_path, kube, PermittedToy())
    assert denied(here, toy.plan(here)) == {}
    assert kube.asked == []


def test_a_server_that_does_not_say_is_not_taken_for_a_denial(tmp_path: Path) -> None:
    here = session(tmp_path, Guarded("cluster1", mute=True), PermittedToy())
    planned = toy.plan(here, toy.toy("one"))
    assert denied(here, planned) == {"cluster1": Unread("it does not answer")}
    assert warned(here, planned).warnings == planned.plan.warnings


def test_the_plan_says_how_many_rights_are_missing(tmp_path: Path) -> None:
    here = session(tmp_path, Guarded("cluster1"), PermittedToy())
    (said,) = warned(here, toy.plan(here, toy.toy("one"))).warnings
    assert said.startswith("cluster cluster1: this identity may not apply it")


@pytest.mark.parametrize(
    ("kind", "expected"), [(PermittedToy(), {}), (ToyProvider(), {"cluster1": ("toy",)})]
)
def test_a_kind_that_does_not_say_its_rights_is_named(
    tmp_path: Path, kind: ToyProvider, expected: dict[str, tuple[str]]
) -> None:
    here = session(tmp_path, Guarded("cluster1"), kind)
    assert unknown_rights(here, toy.plan(here, toy.toy("one"))) == expected
