"""Private files of this process, and what killed ones left."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mesh.world.disk import scratch as module
from mesh.world.disk.scratch import PREFIX, scratch, scratch_until_exit, secret_path, sweep_scratch

DATA = b"private"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_private_and_gone_afterwards(temporary: Path) -> None:
    with scratch() as folder:
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(temporary.iterdir()) == []


def test_a_secret_is_read_at_a_path_and_on_no_disk(temporary: Path) -> None:
    with secret_path(DATA) as path:
        assert [path.read_bytes(), path.read_bytes()] == [DATA, DATA]
        if sys.platform == "linux":
            assert list(temporary.iterdir()) == []


def test_without_memory_files_a_secret_is_in_a_private_folder(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_in_memory", lambda _data: 0)
    with secret_path(DATA) as path:
        assert path.read_bytes() == DATA
        assert path.stat().st_mode & 0o777 == 0o600
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_uses_stays(temporary: Path) -> None:
    code = (
        "import sys, tempfile; from mesh.world.disk.scratch import scratch\n"
        f"tempfile.tempdir = {str(temporary)!r}\n"
        "with scratch() as folder:\n"
        "    (folder / 'key').write_text('k'); print(folder, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        folder = Path(holder.stdout.readline().strip())
        sweep_scratch()
        assert (folder / "key").exists()
        holder.kill()
    sweep_scratch()
    assert not folder.exists()


def test_a_link_and_a_folder_of_another_program_are_left(temporary: Path) -> None:
    other = temporary / "other"
    other.mkdir()
    (other / ".lock").touch()
    (temporary / f"{PREFIX}link").symlink_to(other)
    (temporary / f"{PREFIX}bare").mkdir()
    sweep_scratch()
    assert sorted(each.name for each in temporary.iterdir()) == [f"{PREFIX}bare", f"{PREFIX}link", "other"]


def test_a_folder_until_the_end_of_the_process_is_gone_after_it(temporary: Path) -> None:
    code = (
        "import tempfile; from mesh.world.disk.scratch import scratch_until_exit\n"
        f"tempfile.tempdir = {str(temporary)!r}\n"
        "print(scratch_until_exit())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(temporary / PREFIX))
    assert list(temporary.iterdir()) == []
    assert callable(scratch_until_exit)
