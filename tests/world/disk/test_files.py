"""Files on a real file system: atomic, secret, locked, torn."""

import errno
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mesh.errors import MeshError, StateError
from mesh.world.disk.files import (
    _temporary,
    create_secret_file,
    disk_error,
    git_would_take,
    inside_git,
    naming,
    private_folder,
    read_secret_file,
    replace_file,
    sweep_temporary,
)

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


def test_a_secret_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "root.key"
    create_secret_file(path, b"key")
    if not os.geteuid():
        os.chown(path, 1, -1)
    owner = path.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    with pytest.raises(MeshError, match="belongs to another user"):
        read_secret_file(path)


def test_a_private_folder_and_its_parents_are_closed_from_the_first_moment(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = private_folder(tmp_path / ".mesh" / "run" / "helm")
    finally:
        os.umask(before)
    assert [mode_of(each) for each in (made, *made.parents)][:3] == [0o700] * 3


def test_a_wider_folder_is_narrowed_and_a_link_is_refused(tmp_path: Path) -> None:
    wide = tmp_path / "wide"
    wide.mkdir()
    wide.chmod(0o755)
    assert mode_of(private_folder(wide)) == 0o700
    link = tmp_path / "link"
    link.symlink_to(wide)
    with pytest.raises(StateError, match="is a link"):
        private_folder(link)
    assert private_folder(link, linked=True) == link
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="is not a folder"):
        private_folder(tmp_path / "file")


KILLED = """
import os, sys
from pathlib import Path
from mesh.world.disk.files import create_secret_file, replace_file

def kill(event, args):
    if event == "{event}" and str(args[0]).count(".root.key."):
        os.kill(os.getpid(), 9)

sys.addaudithook(kill)
{write}(Path(sys.argv[1]), b"key")
"""


@pytest.mark.parametrize(
    ("write", "event"),
    [("create_secret_file", "os.link"), ("create_secret_file", "os.remove"), ("replace_file", "os.rename")],
)
def test_what_a_killed_process_left_of_a_key_is_swept_at_the_next_write(
    tmp_path: Path, write: str, event: str
) -> None:
    tmp_path.chmod(0o700)
    path = tmp_path / "root.key"
    code = KILLED.replace("{event}", event).replace("{write}", write)
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -9
    assert len([each for each in tmp_path.iterdir() if each.name.endswith(".tmp")]) == 1
    if path.exists():
        with pytest.raises(FileExistsError):
            create_secret_file(path, b"another")
    else:
        create_secret_file(path, b"key")
    assert [each.name for each in tmp_path.iterdir()] == ["root.key"]
    assert path.read_bytes() == b"key"


def test_the_temporary_file_of_a_living_process_stays(tmp_path: Path) -> None:
    path = tmp_path / "mesh.lock"
    with _temporary(path, b"x", 0o600) as temp:
        sweep_temporary(path)
        assert temp.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EIO])
def test_an_error_of_the_disk_names_the_file_and_the_next_move(tmp_path: Path, number: int) -> None:
    path = tmp_path / "x"
    with pytest.raises(StateError) as caught, naming(path):
        raise OSError(number, os.strerror(number))
    assert caught.value.message == f"{path} could not be read or written: {os.strerror(number)}"
    assert caught.value.hint
    unnamed = disk_error(OSError(number, os.strerror(number)))
    assert unnamed.message == f"a file could not be written: {os.strerror(number)}"
