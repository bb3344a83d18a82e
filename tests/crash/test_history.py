"""One history a mesh: a lockfile that is older, newer, forked, foreign or damaged is told apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mesh.state.lockfile import from_text, to_text
from tests.crash.conftest import Place, Stage, second, witnessed
from tests.e2e.hands import NO_CHANGES

pytestmark = pytest.mark.long

REFUSED = 5


@pytest.fixture(scope="module")
def applied(stage: Stage) -> Iterator[Place]:
    """A mesh that is there; a test changes files only, and puts them back."""
    one = stage.enter()
    one.mesh.applied()
    yield one
    stage.leave(one)


@pytest.fixture
def there(applied: Place) -> Iterator[Place]:
    path = applied.mesh.folder / "mesh.lock"
    text = path.read_bytes()
    yield applied
    path.write_bytes(text)


def test_another_checkout_reads_the_state_from_the_clusters(there: Place, tmp_path: Path) -> None:
    other = second(there, tmp_path / "other")
    serial = there.mesh.lock()["serial"]
    answer = other("plan", "--detailed-exitcode")
    assert answer.code == 0, answer
    assert f"mesh.lock is at serial 0, the clusters are at {serial}: their state is used" in answer
    assert NO_CHANGES in answer
    assert other("state", "rebuild").code == 0
    assert witnessed(other.lock()) == {**there.mesh.lock(), "digest": ""}


def test_a_fork_is_refused_and_a_rebuild_ends_it(there: Place) -> None:
    path = there.mesh.folder / "mesh.lock"
    lock = from_text(path.read_text(), "mesh.lock")
    path.write_text(to_text(replace(lock, run="another run")))
    for verb in (("plan",), ("apply", "--yes"), ("destroy", "--yes")):
        answer = there.mesh(*verb)
        assert answer.code == REFUSED, answer
        assert f"two runs wrote serial {lock.serial}" in answer
    assert there.mesh("state", "rebuild").code == 0
    there.mesh.settled()


def test_another_lineage_is_refused(there: Place) -> None:
    path = there.mesh.folder / "mesh.lock"
    lock = from_text(path.read_text(), "mesh.lock")
    path.write_text(to_text(replace(lock, lineage="another lineage")))
    answer = there.mesh("plan")
    assert answer.code == REFUSED, answer
    assert "holds the state of another lineage" in answer
    assert there.mesh("state", "rebuild").code == REFUSED
    assert there.mesh("state", "rebuild", "--force").code == 0
    there.mesh.settled()


def test_a_lockfile_newer_than_the_clusters_is_kept(there: Place) -> None:
    path = there.mesh.folder / "mesh.lock"
    lock = from_text(path.read_text(), "mesh.lock")
    path.write_text(to_text(replace(lock, serial=lock.serial + 1, run="a later run")))
    answer = there.mesh("state", "rebuild")
    assert answer.code == REFUSED, answer
    assert "is newer than the clusters' state" in answer


@pytest.mark.parametrize("damage", [b"", b"{", b"<<<<<<< ours\n", b'{"format": 99}'])
def test_a_damaged_lockfile_is_never_an_empty_one(there: Place, damage: bytes) -> None:
    path = there.mesh.folder / "mesh.lock"
    whole = there.mesh.lock()
    path.write_bytes(damage)
    for verb in (("plan",), ("apply", "--yes"), ("destroy", "--yes")):
        answer = there.mesh(*verb)
        assert answer.code == 1, answer
        assert "mesh.lock" in answer.err
        assert path.read_bytes() == damage
    assert there.mesh("state", "rebuild").code == 0
    assert witnessed(there.mesh.lock()) == {**whole, "digest": ""}
