"""The file of a saved plan: which names it may have, and what is read of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mesh.cli import saved_plan
from mesh.cli.saved_plan import is_plan, load, refuse_text, save
from mesh.errors import MeshError, UsageError
from tests.cli.views.plans import FULL, NOTHING


def test_a_plan_is_saved_whole_for_its_owner_and_read_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(FULL, tmp_path / "my plan.json")
    assert capsys.readouterr().err.endswith(f"  mesh apply '{tmp_path}/my plan.json'\n")
    assert (tmp_path / "my plan.json").stat().st_mode & 0o777 == 0o600
    assert load(tmp_path / "my plan.json").digest == FULL.digest
    save(NOTHING, tmp_path / "my plan.json")
    assert load(tmp_path / "my plan.json").empty
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["plan.md", "plan.TXT", "plan.html"])
def test_the_name_of_a_text_is_refused_with_the_way_to_write_one(name: str) -> None:
    refuse_text(Path("plan.json"))
    refuse_text(Path("tfplan"))
    with pytest.raises(UsageError, match="not the printed text") as error:
        refuse_text(Path(name))
    assert f"| tee {name}" in error.value.hint


def test_a_folder_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the folder does not exist"):
        save(FULL, tmp_path / "missing" / "plan.json")


def test_only_a_regular_file_of_some_size_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    monkeypatch.setattr(saved_plan, "LARGEST", 10)
    (tmp_path / "large").write_text("x" * 11)
    for name, told in (
        ("fifo", "FIFO|regular file"),
        ("bytes", "not text"),
        ("large", "larger than"),
        ("missing", "cannot be read|does not exist"),
        ("/dev/zero", "device|regular file"),
    ):
        with pytest.raises(MeshError, match=told):
            load(tmp_path / name)


def test_a_file_or_the_name_of_one_is_told_from_an_address(tmp_path: Path) -> None:
    (tmp_path / "tfplan").write_text("")
    assert is_plan("plan.json")
    assert is_plan(str(tmp_path / "tfplan"))
    assert not is_plan("chart/cluster1/istiod")
