"""Who may write: one process a folder, one person a cluster."""

from __future__ import annotations

import json
from pathlib import Path

from tests.crash.conftest import Place, second
from tests.crash.holding import held, started

LOCKED = 4


def test_of_two_runs_in_one_folder_one_wins_and_the_other_names_it(place: Place) -> None:
    runs = [started(place, {}) for _ in range(2)]
    said = [run.communicate(timeout=120)[0] for run in runs]

    codes = [run.returncode for run in runs]
    assert sorted(codes) == [0, LOCKED], said
    loser, winner = codes.index(LOCKED), runs[codes.index(0)]
    assert f"process {winner.pid}: apply, since" in said[loser]
    place.left_clean()


def test_while_one_runs_another_checkout_is_refused_at_once(place: Place, tmp_path: Path) -> None:
    other = second(place, tmp_path / "other")
    with held(place, tmp_path) as run:
        answer = other("apply", "--yes")
        assert answer.code == LOCKED, answer
        assert f"process {run.apply.pid}: apply, since" in answer
        assert "hint: wait for it to end" in answer
        assert run.apply.poll() is None
        assert not (other.folder / "mesh.lock").exists()
        watched = other("plan")  # needs no lease, and cannot tell what a half-made release will be
        assert watched.code == LOCKED
        run.let_go()
        said, _ = run.apply.communicate(timeout=140)
        assert run.apply.returncode == 0, said
    place.left_clean()


def test_the_lease_of_a_killed_run_is_for_its_own_folder_to_take(place: Place, tmp_path: Path) -> None:
    other = second(place, tmp_path / "other")
    place.killed("record", "chart/*/base")

    refused = other("apply", "--yes")
    assert refused.code == LOCKED, refused
    shown = json.loads(other("state", "show", "--json").out)
    run = next(row["locked"] for row in shown if row["locked"]).partition("(id ")[2].partition(")")[0]

    wrong = other("state", "unlock", "--cluster", place.cluster, "--id", "another")
    assert wrong.code == LOCKED, wrong
    place.resumed()  # no unlock was needed here

    place.mesh.edit(lambda spec: spec["istio"].update(license={"env": "OTHER_LICENCE"}))
    place.killed("record", "-", env={"OTHER_LICENCE": "another"})
    run = next(r["locked"] for r in json.loads(other("state", "show", "--json").out) if r["locked"])
    freed = other(
        "state", "unlock", "--cluster", place.cluster, "--id", run.partition("(id ")[2].partition(")")[0]
    )
    assert freed.code == 0, freed
    assert other("apply", "--yes").code == 0
