"""A cluster that left the mesh file is not taken down under workloads, nor where they cannot be read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.engine.in_use import refuse_leaving
from mesh.engine.session import Session
from mesh.errors import RefusedError
from mesh.model import Action, Key, Plan, Step
from mesh.world.resources import ResourceType
from mesh.world.snapshot import Snapshot
from tests.engine.toy import Kube
from tests.state.test_identity import FORBIDDEN, named

GONE = Plan("demo", (Step(Action.DELETE, Key("toy", "gone", "a")),), 1, "lineage", {"gone": "uid"})


class Users(Kube):
    """An API server of a cluster whose pods use the mesh, or may not be read."""

    readable = True

    def list(
        self, resource: ResourceType, *, namespace: str = "", **_query: object
    ) -> list[dict[str, object]]:
        if resource.plural != "pods":
            return []
        if not self.readable:
            raise FORBIDDEN
        return [named("cart", "shop")]


def snapshots(here: Session, *, readable: bool) -> dict[str, Snapshot]:
    kube = Users("gone")
    kube.readable = readable
    return {"gone": Snapshot("gone", replace(here.world, kubes={"gone": kube}))}


@pytest.mark.parametrize("writes", [True, False])
def test_workloads_of_a_cluster_that_left_the_file_are_named(here: Session, writes: bool) -> None:
    with pytest.raises(RefusedError) as error:
        refuse_leaving(snapshots(here, readable=True), here.mesh, GONE, writes=writes)
    assert "gone left the mesh file while the mesh is in use there" in error.value.message
    assert "Pod shop/cart is enrolled" in error.value.message


def test_what_cannot_be_read_is_a_warning_of_a_plan_and_stops_an_apply(here: Session) -> None:
    unread = snapshots(here, readable=False)
    (warning,) = refuse_leaving(unread, here.mesh, GONE, writes=False)
    assert warning.startswith("cluster gone: who uses the mesh cannot be read")
    assert warning.endswith("an apply refuses to remove the mesh there without --ignore-enrolled")
    with pytest.raises(RefusedError, match="who uses the mesh cannot be read"):
        refuse_leaving(unread, here.mesh, GONE, writes=True)


def test_a_cluster_that_is_in_the_file_is_not_asked(here: Session) -> None:
    stays = replace(GONE, steps=(Step(Action.DELETE, Key("toy", "cluster1", "a")),))
    for writes in (True, False):
        assert refuse_leaving(snapshots(here, readable=False), here.mesh, stays, writes=writes) == ()
