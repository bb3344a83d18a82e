"""A real `World` on the lab for tests of kinds: a home folder of the test's own, a clock that can be set."""

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from mesh.lab import Lab
from mesh.model import Found, Key, Live, Place
from mesh.sdk.contract import Last, Provider
from mesh.sdk.recorded_snapshot import RecordedSnapshot
from mesh.world import Kube, World
from mesh.world.clock import SystemClock
from mesh.world.fingerprint_keys import FingerprintKeys
from mesh.world.kube.client import connect
from mesh.world.resources import NAMESPACE


class ShiftedClock(SystemClock):
    """The real clock, so much ahead."""

    def __init__(self, ahead: timedelta) -> None:
        super().__init__()
        self._ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


def world_on(lab: Lab, home: Path) -> World:
    """The clusters of the lab, and a home and folder where the test may write."""
    env = {"HOME": str(home), "KUBECONFIG": str(lab.kubeconfig), "PATH": os.environ["PATH"]}
    kubes: Mapping[str, Kube] = connect([(name, name, "") for name in lab.contexts], env)
    keys = FingerprintKeys("prod", dict.fromkeys(lab.contexts, "istio-system"), lambda: b"a key of this test")
    return World(kubes, {}, SystemClock(), env, home, keys=keys)


def world_without_clusters(home: Path) -> World:
    env = {"HOME": str(home), "PATH": os.environ["PATH"]}
    return World({}, {}, SystemClock(), env, home)


def without_rights(world: World) -> World:
    """The same clusters, as somebody who may read nothing."""
    config = yaml.safe_load(Path(world.env["KUBECONFIG"]).read_text())
    for user in config["users"]:
        user["user"] |= {"as": "nobody"}
    path = world.folder / "nobody.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    env = {**world.env, "KUBECONFIG": str(path)}
    kubes: Mapping[str, Kube] = connect([(name, name, "") for name in world.kubes], env)
    return replace(world, kubes=kubes, env=env)


def ahead(world: World, by: timedelta) -> World:
    return replace(world, clock=ShiftedClock(by))


@contextmanager
def fresh_namespace(world: World, *clusters: str) -> Iterator[str]:
    """A namespace of this test's own in each cluster, gone afterwards."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    for cluster in clusters:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        world.kube(cluster).create(body, manager="test")
    try:
        yield name
    finally:
        for cluster in clusters:
            world.kube(cluster).delete(NAMESPACE, "", name)


def look(
    kind: Provider[Any], key: Key, place: Place, world: World, last: Mapping[Key, Last] | None = None
) -> Found:
    """Observe one resource in a snapshot of its own."""
    return kind.observe({key: place}, RecordedSnapshot(key.cluster, world, last=last or {}))[key]


def look_live(kind: Provider[Any], key: Key, place: Place, world: World) -> Live:
    found = look(kind, key, place, world)
    assert isinstance(found, Live), found
    return found
