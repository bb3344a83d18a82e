"""A mesh of two clusters that was applied, in memory, behind the door through which real answers come."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mesh.config.decode import load_mesh
from mesh.engine.registry import all_kinds
from mesh.engine.run_options import RunOptions
from mesh.engine.session import Planned, Session
from mesh.engine.verbs import apply, plan
from mesh.model.spec import GatewayAPI
from mesh.state.store import Store
from mesh.world import Object, World
from mesh.world.kube.answers import typed_as
from mesh.world.kube.errors import Call
from mesh.world.resources import NAMESPACE, ResourceType
from tests.engine.every_kind import _bundle
from tests.engine.toy import EXAMPLE, Ticking
from tests.support.memory import Memory, MemoryHelm

HOSTILE, SANE = "cluster1", "cluster2"


class Doored(Memory):
    """A server in memory; what it says is typed as the answers of a real one are."""

    def list(self, resource: ResourceType, **how: Any) -> list[Object]:
        call = Call(self.cluster, self.cluster, "list", resource.plural)
        every = [obj for (plural, _, _), obj in self.objects.items() if plural == resource.plural]
        for obj in every:
            typed_as(call, obj, resource)
        return [
            {**typed_as(call, obj, resource), "apiVersion": resource.api_version, "kind": resource.kind}
            for obj in super().list(resource, **how)
        ]

    def get(self, resource: ResourceType, namespace: str, name: str) -> Object | None:
        found = super().get(resource, namespace, name)
        call = Call(self.cluster, self.cluster, "get", resource.plural, namespace, name)
        return None if found is None else typed_as(call, found, resource)


@dataclass(frozen=True)
class Applied:
    """The session of a mesh that is in sync."""

    session: Session

    @cached_property
    def recorded(self) -> list[tuple[str, str, str]]:
        """The objects of the hostile cluster."""
        return sorted(self.kube(HOSTILE).objects)

    def kube(self, name: str) -> Doored:
        found = self.session.world.kubes[name]
        assert isinstance(found, Doored)
        return found

    def fresh(self) -> Session:
        return self.session

    def planned(self) -> Planned:
        return plan(self.session)

    @contextmanager
    def with_object(self, where: tuple[str, str, str], obj: Any) -> Iterator[None]:
        """Let the hostile cluster hold another object there."""
        objects = self.kube(HOSTILE).objects
        before = objects[where]
        objects[where] = obj
        try:
            yield
        finally:
            objects[where] = before


def applied(folder: Path) -> Applied:
    """Apply the example of two clusters in memory."""
    kubes = {name: Doored(name) for name in (HOSTILE, SANE)}
    for kube in kubes.values():
        kube.put(NAMESPACE, {"metadata": {"name": "default"}})
    _bundle(folder / "crds.yaml", "v1.5.1")
    mesh = load_mesh(EXAMPLE)
    mesh = replace(mesh, gateway_api=GatewayAPI("v1.5.1", str(folder / "crds.yaml")))
    env = {"HOME": str(folder), "GLOO_MESH_LICENSE_KEY": "a-licence", "PATH": os.devnull}
    helms = {name: MemoryHelm(kube) for name, kube in kubes.items()}
    store = Store(folder / "mesh.lock")
    store.prepare()
    world = World(kubes, helms, Ticking(), env, folder)
    session = Session(mesh, world, all_kinds(), store).with_licence()
    result = apply(session, plan(session), RunOptions(timeout=30, parallelism=2))
    assert not result.failed, [result.outcomes[key].error for key in result.failed]
    return Applied(session)
