"""istiod reads another remote secret only if it sees that the one before is gone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesh.model import Action, Live, Place
from mesh.providers.remote import INTERRUPTED, RemoteProvider
from mesh.world import Object, World
from mesh.world.resources import SECRET, ResourceType
from tests.engine.toy import Kube, Ticking
from tests.providers.remote.test_preview import KEY, SPEC, TOKEN, world


class Writes(Kube):
    """An API server that notes when it was told what."""

    def note(self, what: str) -> None:
        self.writes.append(f"{self.clock.at:.0f} {what}")

    clock = Ticking()

    def apply(self, obj: Object, **how: Any) -> Object:
        self.note("applied by force" if how.get("force") else "applied")
        return super().apply(obj, **how)

    def delete(self, resource: ResourceType, namespace: str, name: str, *, uid: str = "") -> bool:
        self.note(f"deleted {uid}")
        return super().delete(resource, namespace, name, uid=uid)


def live(**other: str) -> Live:
    wanted = RemoteProvider().wanted(SPEC, None, None)
    return Live({**wanted, **other}, "uid-1:1", uid="uid-1", owner="demo")


def updated(found: Live, folder: Path) -> tuple[str, ...]:
    kube = Writes("a")
    kube.clock = Ticking()
    there: World = replace(world(kube, folder, TOKEN), clock=kube.clock)
    RemoteProvider().update(SPEC, KEY, found, None, there)
    assert kube.get(SECRET, SPEC.namespace, SPEC.name) is not None
    return tuple(kube.writes)


@pytest.mark.parametrize("name", ["cluster", "server", "ca", "token"])
def test_what_istiod_reads_is_deleted_first_and_created_a_moment_later(tmp_path: Path, name: str) -> None:
    assert updated(live(**{name: "another"}), tmp_path) == ("0 deleted uid-1", "2 applied")


def test_a_token_that_is_refused_is_replaced_whatever_its_digest(tmp_path: Path) -> None:
    found = replace(live(), status={"refused": "its token is no longer accepted"})
    assert updated(found, tmp_path) == ("0 deleted uid-1", "2 applied")


def test_labels_and_annotations_are_changed_in_place(tmp_path: Path) -> None:
    found = live()
    found = replace(found, attrs={**found.attrs, "metadata": {"labels": {}, "annotations": {}}})
    assert updated(found, tmp_path) == ("0 applied by force",)


def test_the_plan_says_that_requests_fail_meanwhile(tmp_path: Path) -> None:
    there = world(Kube("a"), tmp_path, TOKEN)
    assert RemoteProvider().preview(SPEC, KEY, live(server="https://old"), there).notes == (INTERRUPTED,)
    assert RemoteProvider().preview(SPEC, KEY, live(), there).notes == ()


def test_an_update_needs_the_right_to_delete() -> None:
    rights = RemoteProvider().rights(Action.UPDATE, KEY, Place("istio-system", SPEC.name))
    assert {each.verb for each in rights} == {"create", "patch", "delete"}
