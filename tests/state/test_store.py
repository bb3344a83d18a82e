"""The state files: the lock of the folder, backups, and what a killed run leaves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mesh.errors import LockedError, StateError
from mesh.model import Key, Place, RecordedLocator
from mesh.state.lockfile import State
from mesh.state.store import BACKUPS, Store
from mesh.world.disk.json_lines import append_line, open_lines
from mesh.world.helm.children import lock_path, locked

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = Key("label", "one", "istio-system")
PLACE = Place("", "istio-system", RecordedLocator("network"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    one = Store(tmp_path / "mesh.lock")
    one.prepare()
    return one


def test_a_folder_without_a_lockfile_is_a_mesh_that_was_never_applied(store: Store) -> None:
    assert store.read("demo").serial == 0


def test_a_lockfile_of_another_mesh_is_refused(store: Store) -> None:
    store.write(State("other", "line"))
    with pytest.raises(StateError, match="belongs to mesh 'other'"):
        store.read("demo")


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"{}"])
def test_a_damaged_lockfile_is_never_an_empty_one(store: Store, data: bytes) -> None:
    store.path.write_bytes(data)
    with pytest.raises(StateError):
        store.read("demo")


def test_the_last_ten_lockfiles_are_kept(store: Store) -> None:
    for serial in range(BACKUPS + 5):
        store.backup(serial)
        store.write(State("demo", "line", serial))
    kept = sorted((store.folder / "backups").iterdir())
    assert len(kept) == BACKUPS
    assert json.loads(kept[-1].read_text())["serial"] == BACKUPS + 3


def test_what_a_killed_run_left_beside_the_lockfile_is_swept(store: Store) -> None:
    half = store.path.with_name(".mesh.lock.abc.tmp")
    half.write_text("{")
    with store.held("apply", NOW):
        assert not half.exists()


def test_one_process_holds_the_folder_and_a_second_is_told_who(store: Store) -> None:
    code = "import sys; sys.stdin.read()"
    text = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from mesh.state.store import Store\n"
        f"with Store(Path({str(store.path)!r})).held('apply', datetime.now(UTC)): print(flush=True); {code}"
    )
    holder = subprocess.Popen([sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(LockedError, match=f"process {holder.pid}: apply, since"), store.held("plan", NOW):
            pass
        holder.kill()  # the lock ends with its process
    with store.held("apply", NOW):
        pass


def test_a_copied_folder_is_another_place(store: Store, tmp_path: Path) -> None:
    with store.held("apply", NOW):
        assert store.place() == store.place()
        copy = Store(tmp_path / "copy" / "mesh.lock")
        shutil.copytree(store.folder, tmp_path / "copy" / ".mesh")
        assert copy.place() != store.place()


def test_the_word_of_a_folder_is_nobody_elses_to_read(store: Store) -> None:
    with store.held("apply", NOW):
        store.place()
    assert (store.folder / "id").stat().st_mode & 0o777 == 0o600


def test_a_torn_gitignore_is_written_again_and_the_folders_are_private(tmp_path: Path) -> None:
    store = Store(tmp_path / "mesh.lock")
    store.folder.mkdir(mode=0o755)
    (store.folder / ".gitignore").write_text("")
    store.prepare()
    assert (store.folder / ".gitignore").read_text() == "*\n"
    modes = [each.stat().st_mode & 0o777 for each in (store.folder, store.run_folder)]
    assert modes == [0o700, 0o700]


@pytest.mark.parametrize("target", ["/dev/zero", "fifo"])
def test_a_lockfile_that_is_not_a_regular_file_is_refused_by_name(tmp_path: Path, target: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "mesh.lock").symlink_to(target)
    with pytest.raises(StateError, match=r"mesh\.lock cannot be read: is a (device|FIFO)"):
        Store(tmp_path / "mesh.lock").read("prod")


def test_what_killed_runs_left_in_the_folder_is_swept_before_and_after_a_run(store: Store) -> None:
    left = [
        store.path.with_name(".mesh.lock.abc.tmp"),
        store.folder / "backups" / ".mesh.lock.000007.abc.tmp",
        store.folder / ".id.abc.tmp",
        store.run_folder / "helm-one+istio-system+ztunnel.values.json",
    ]
    (store.folder / "backups").mkdir()
    for each in left:
        each.write_text("secret")
    with store.held("apply", NOW):
        assert not any(each.exists() for each in left)
        left[-1].write_text("of a helm that has ended since")
    assert not any(each.exists() for each in left)


def test_the_values_of_a_helm_at_work_stay(store: Store) -> None:
    lock = lock_path(store.run_folder, "one", "istio-system", "ztunnel")
    values = lock.with_suffix(".values.json")
    with locked(lock, ""):
        values.write_text("{}")
        with store.held("apply", NOW):
            pass
        assert values.exists()


FULL = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from mesh.errors import StateError
from mesh.state.store import Store

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    with Store(Path(sys.argv[1])).held("apply", datetime.now(UTC)):
        pass
except StateError as error:
    print(error.message)
"""


@pytest.mark.parametrize("prepared", [False, True])
def test_a_disk_without_room_is_named_and_leaves_no_empty_gitignore(tmp_path: Path, prepared: bool) -> None:
    """A limit of the size of files stands for a full disk: opening works, and writing does not."""
    store = Store(tmp_path / "mesh.lock")
    if prepared:
        store.prepare()
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(store.path)], capture_output=True, text=True, check=False
    )
    name = "lock" if prepared else ".gitignore"
    assert done.stdout.startswith(f"{store.folder / name} could not be "), done.stderr
    with store.held("apply", NOW):
        assert (store.folder / ".gitignore").read_text() == "*\n"


def test_a_folder_that_cannot_be_written_is_named() -> None:
    store = Store(Path("/sys/mesh.lock"))
    with (
        pytest.raises(StateError, match=r"/sys/.mesh could not be read"),
        store.held("apply", NOW),
    ):
        pass


def test_an_entry_of_the_journal_with_an_address_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    store = Store(tmp_path / "mesh.lock")
    store.prepare()
    handle = open_lines(store.journal_path)
    append_line(
        handle, {"event": "intent", "address": 5, "action": "CREATE", "place": ["a", "b"], "needs": []}
    )
    with pytest.raises(StateError, match="an entry is not one that mesh writes"):
        store.read("demo")
