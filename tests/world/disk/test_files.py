"""Files on a real file system: atomic, secret, locked, torn."""

import json
import os
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mesh.errors import LockedError, MeshError, StateError
from mesh.world.clock import SystemClock
from mesh.world.disk.file_lock import FileLock
from mesh.world.disk.files import (
    create_secret_file,
    git_would_take,
    inside_git,
    read_secret_file,
    replace_file,
)
from mesh.world.disk.json_lines import append_line, open_lines, read_lines

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_replaced_file_has_the_new_bytes_and_mode_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "mesh.lock"
    replace_file(target, b"one")
    replace_file(target, b"two", mode=0o600)
    assert (target.read_bytes(), mode_of(target), names_in(tmp_path)) == (b"two", 0o600, ["mesh.lock"])


def test_a_link_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "mesh.lock"
    (tmp_path / "elsewhere").write_text("kept")
    target.symlink_to("elsewhere")
    with pytest.raises(StateError, match="not a regular file"):
        replace_file(target, b"new")
    assert (tmp_path / "elsewhere").read_text() == "kept"


def test_a_missing_folder_is_an_error_with_a_next_move(tmp_path: Path) -> None:
    with pytest.raises(StateError) as caught:
        replace_file(tmp_path / "none" / "mesh.lock", b"")
    assert caught.value.hint


def test_a_secret_file_is_private_and_never_overwritten(tmp_path: Path) -> None:
    key = tmp_path / "a" / "b" / "root.key"
    create_secret_file(key, b"secret")
    assert (mode_of(key), mode_of(key.parent), mode_of(tmp_path / "a")) == (0o600, 0o700, 0o700)
    with pytest.raises(FileExistsError):
        create_secret_file(key, b"other")
    assert (read_secret_file(key), names_in(key.parent)) == (b"secret", ["root.key"])


def test_a_secret_does_not_follow_a_dangling_link(tmp_path: Path) -> None:
    key = tmp_path / "root.key"
    key.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        create_secret_file(key, b"secret")
    assert not (tmp_path / "elsewhere").exists()


def test_a_secret_does_not_go_where_others_may_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(MeshError, match="is writable by other users"):
        create_secret_file(tmp_path / "root.key", b"secret")


def test_a_secret_that_others_may_read_is_refused_with_the_command_to_run(tmp_path: Path) -> None:
    key = tmp_path / "root.key"
    key.write_bytes(b"secret")
    key.chmod(0o640)
    with pytest.raises(MeshError) as caught:
        read_secret_file(key)
    assert caught.value.hint == f"chmod 600 {key}"


def test_git_takes_what_is_in_a_work_tree_and_not_ignored(tmp_path: Path) -> None:
    key = tmp_path / "not-yet" / "root.key"
    assert (inside_git(key), git_would_take(key)) == (False, False)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert (inside_git(key), git_would_take(key)) == (True, True)
    (tmp_path / ".gitignore").write_text("*.key\n")
    assert (inside_git(key), git_would_take(key)) == (True, False)


def test_without_git_a_work_tree_is_believed_to_take_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", "")
    assert git_would_take(tmp_path / "root.key")


def test_the_second_holder_is_told_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with FileLock(path).acquire("mesh apply", since=NOW), pytest.raises(LockedError) as caught:
        FileLock(path).acquire("mesh apply", since=NOW)
    assert f"process {os.getpid()}: mesh apply, since 2026-01-02T03:04:05+00:00" in str(caught.value)
    with FileLock(path).acquire("mesh apply", since=NOW):
        pass


HOLD = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from mesh.world.disk.file_lock import FileLock
FileLock(Path(sys.argv[1])).acquire("mesh apply", since=datetime.now(UTC))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_killed_holder_leaves_the_lock_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout and child.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"process {child.pid}"):
            FileLock(path).acquire("mesh apply", since=NOW)
        child.kill()
    with FileLock(path).acquire("mesh apply", since=NOW):
        assert json.loads(path.read_text())["pid"] == os.getpid()


def write_lines(path: Path, *entries: dict[str, int]) -> None:
    handle = open_lines(path)
    for entry in entries:
        append_line(handle, entry)
    os.close(handle)


def test_lines_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert read_lines(path) == ()
    write_lines(path, {"n": 1}, {"n": 2})
    assert (read_lines(path), mode_of(path)) == (({"n": 1}, {"n": 2}), 0o600)


@pytest.mark.parametrize("cut", range(1, 50))
def test_a_line_torn_at_any_byte_is_as_if_never_written(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "journal.jsonl"
    write_lines(path, {"n": 1})
    first = path.stat().st_size
    write_lines(path, {"n": 2})
    os.truncate(path, min(path.stat().st_size - 1, first + cut))
    assert read_lines(path) == ({"n": 1},)
    write_lines(path, {"n": 3})
    assert read_lines(path) == ({"n": 1}, {"n": 3})


def test_a_damaged_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write_lines(path, {"n": 1}, {"n": 2})
    path.write_bytes(path.read_bytes().replace(b'"n":1', b'"n":7'))
    with pytest.raises(StateError, match=r"journal.jsonl:1"):
        read_lines(path)


def test_the_clock_is_in_utc_and_its_sleep_ends_when_asked_to_stop() -> None:
    stop = threading.Event()
    clock = SystemClock(stop.wait)
    assert clock.now().utcoffset() is not None
    sleeper = threading.Thread(target=clock.sleep, args=(3600,), daemon=True)
    sleeper.start()
    stop.set()
    sleeper.join(100)
    assert not sleeper.is_alive()
    assert clock.monotonic() <= clock.monotonic()
