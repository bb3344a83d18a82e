"""SIGKILL at exact points of an apply: the next one converges, and makes nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.conftest import ONCE, Place
from tests.crash.holding import heard, held, is_alive, started, wait_for

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("point", "address"),
    [
        ("intent", "chart/*/istiod"),
        ("record", "cert/*/cacerts"),
        ("rename", "chart/*/base"),
    ],
)
def test_a_killed_apply_is_resumed_by_the_next(place: Place, point: str, address: str) -> None:
    place.killed(point, address, "--parallelism", "1")
    made = place.uids()

    place.resumed()

    now = place.uids()
    assert {name: now.get(name) for name in made} == made
    assert place.revisions() == ONCE
    place.rebuilt()


def test_a_helm_that_outlived_its_apply_is_waited_for(place: Place, tmp_path: Path) -> None:
    with held(place, tmp_path) as run:
        run.kill_apply()
        assert is_alive(run.helm)

        again = started(place, run.env)
        heard(again, "still at work on it")
        assert place.revisions()["istiod"] == [("1", "pending-install")]
        run.let_go()

        said, _ = again.communicate(timeout=140)
        assert again.returncode == 0, said
    place.mesh.settled()
    place.left_clean()
    assert place.revisions() == ONCE
    place.rebuilt()


def test_a_helm_that_outlived_its_apply_is_waited_for_where_the_release_was_adopted_too(
    place: Place, tmp_path: Path
) -> None:
    place.mesh.applied()
    values = {"istiod": {"pilot": {"env": {"TRY": "one"}}}}
    place.mesh.edit(lambda spec: spec.update(defaults={"adopt": True, "values": values}))
    with held(place, tmp_path) as run:
        run.kill_apply()
        assert is_alive(run.helm)

        again = started(place, run.env)
        heard(again, "still at work on it")
        assert place.revisions()["istiod"][-1] == ("2", "pending-upgrade")
        run.let_go()

        said, _ = again.communicate(timeout=140)
        assert again.returncode == 0, said
    place.mesh.settled()
    place.left_clean()
    assert place.revisions()["istiod"] == [("1", "superseded"), ("2", "deployed")]


def test_a_release_that_a_killed_helm_of_ours_left_pending_is_set_free(place: Place, tmp_path: Path) -> None:
    with held(place, tmp_path) as run:
        run.kill_apply()
        run.kill_helm()
        wait_for(lambda: not is_alive(run.helm))
    assert place.revisions()["istiod"] == [("1", "pending-install")]
    made = place.uids()

    place.resumed()

    assert place.revisions() == {**ONCE, "istiod": [("1", "superseded"), ("2", "deployed")]}
    now = place.uids()
    kept = {name: uid for name, uid in made.items() if not name.endswith("istiod.v1")}
    assert {name: now.get(name) for name in kept} == kept
    place.rebuilt()


def test_a_run_may_be_killed_again_and_again(place: Place) -> None:
    namespace, cacerts, base = "namespace/*/istio-system", "cert/*/cacerts", "chart/*/base"
    for point, address in (
        ("begin", "-"),
        ("intent", namespace),
        ("begin", "-"),  # the second crash before the first one's intents were looked into
        ("slice", "-"),
        ("record", cacerts),
        ("rename", base),
        ("begin", "-"),
        ("intent", "chart/*/istiod"),
        ("end", "-"),
    ):
        place.killed(point, address, "--parallelism", "1")
    place.resumed()
    assert place.revisions() == ONCE
    place.rebuilt()


def test_a_killed_apply_is_resumed_though_its_lockfile_is_lost(place: Place) -> None:
    """The journal alone knows what was begun; the clusters' copies know the rest."""
    place.mesh.applied()
    lineage, before = place.mesh.lock()["lineage"], place.uids()
    place.mesh.edit(lambda spec: spec.update(defaults={"values": {"istiod": {"env": {"TRY": "one"}}}}))
    place.killed("intent", "chart/*/istiod")
    (place.mesh.folder / "mesh.lock").unlink()
    place.resumed()
    assert place.mesh.lock()["lineage"] == lineage
    assert place.uids().items() >= before.items()
