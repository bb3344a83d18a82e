"""A short series of disturbed runs on the lab, and what the series are made of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.lab import Lab
from tests.chaos.__main__ import recorded, summary
from tests.chaos.damage import journal_damage, lockfile_damage
from tests.chaos.driver import is_point, killed
from tests.chaos.runs import MISCHIEFS, Drawn, Ground, one_run
from tests.conftest import Tool
from tests.e2e.hands import swept

IN_CI = bool(os.environ.get("CI"))


def test_a_seed_gives_one_run_and_seeds_give_every_sort() -> None:
    assert Drawn.of(5) == Drawn.of(5)
    drawn = [Drawn.of(seed) for seed in range(200)]
    assert {each.mischief for each in drawn} == set(MISCHIEFS)
    assert len({each.operation for each in drawn}) == 5


def test_a_damaged_lockfile_is_never_read_as_another_state() -> None:
    tried, missed = lockfile_damage(step=5)
    assert (tried > 5000, missed) == (True, 0)


def test_a_damaged_journal_gives_no_entry_that_was_never_written() -> None:
    tried, missed = journal_damage()
    assert (tried > 2000, missed) == (True, 0)


def test_only_what_can_be_interrupted_counts() -> None:
    assert is_point("os.rename", ("a", "b"))
    assert is_point("open", ("a", "w", os.O_WRONLY))
    assert not is_point("open", ("a", "r", os.O_RDONLY))
    assert not is_point("import", ("json",))
    killed(3, with_helm=False)("import", ("json",))  # does nothing


def test_the_summary_counts_by_disturbance(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    assert recorded(path) == []
    path.write_text('{"mischief": "kill", "codes": [-9], "wrong": [], "date": "2026-11-26"}\n')
    assert "| kill | 1 | -9: 1 | 0 | 2026-11-26 |" in summary(recorded(path))


@pytest.fixture(scope="module")
def ground(lab: Lab, kubectl: Tool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    one = Ground.made(lab, tmp_path_factory.mktemp("chaos"))
    yield one
    assert one.mesh("destroy", "--yes").code == 0
    for cluster in lab.contexts:
        swept(kubectl, cluster)
        kubectl(cluster, "delete", "configmap", "users-map", "--ignore-not-found")


@pytest.mark.skipif(not IN_CI, reason="takes minutes; run in CI, or with CI=1")
@pytest.mark.parametrize(
    "drawn",
    [
        Drawn(1, "value", "kill", "60"),
        Drawn(2, "value", "kill-all", "90"),
        Drawn(3, "link", "proxy", "0.1 any"),
        Drawn(4, "value", "race", "two"),
        Drawn(5, "value", "helm", "dies-after"),
        Drawn(6, "destroy", "kill", "120"),
    ],
    ids=str,
)
def test_after_a_disturbed_run_one_more_is_enough(ground: Ground, drawn: Drawn) -> None:
    assert one_run(ground, drawn)["wrong"] == []
