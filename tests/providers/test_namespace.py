"""A namespace that is being deleted does not count as the one that is wanted."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mesh.model import Key, Live, Place
from mesh.providers.namespace import NamespaceProvider
from mesh.sdk.kube_object import Manifest
from mesh.world import World
from mesh.world.clock import SystemClock
from mesh.world.resources import NAMESPACE
from mesh.world.snapshot import Snapshot
from tests.engine.toy import Kube

KIND = NamespaceProvider()
KEY, PLACE = Key("namespace", "one", "edge"), Place("", "edge")
SPEC = Manifest("demo", {"metadata": {"name": "edge"}})


@pytest.mark.parametrize("going", [False, True])
def test_a_namespace_with_a_deletion_time_is_going(going: bool) -> None:
    kube = Kube("one")
    meta = {"name": "edge", "uid": "u"}
    if going:
        meta["deletionTimestamp"] = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    kube.objects[NAMESPACE.plural, "", "edge"] = {
        "metadata": meta,
        "status": {"phase": "Terminating" if going else "Active"},
    }
    found = KIND.observe({KEY: PLACE}, Snapshot("one", World({"one": kube}, {}, SystemClock(), {}, Path())))[
        KEY
    ]
    assert isinstance(found, Live)
    assert found.going is going
    assert bool(KIND.ready(SPEC, found)) is not going
