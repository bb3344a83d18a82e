"""Atomic replacement of files, secret files, and whether git would add a file.

Locks and journals are in `mesh.world.disk.file_lock` and `mesh.world.disk.json_lines`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from mesh.errors import MeshError, RefusedError, StateError
from mesh.model.printable import quoted
from mesh.world import trace
from mesh.world.child_env import child_env
from mesh.world.disk.input_file import outside, read_input
from mesh.world.untrusted import is_untrusted

_GIT_DEADLINE = 10.0

SPACE = "free space on its disk, or fix the permissions of its folder, and run the command again"


def replace_file(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace the file with `data`, whole or not at all; it is on disk when this returns.

    Raises StateError if the target is a link, not a regular file, or another user's, and if any byte
    could not be written.
    """
    _refuse_odd_target(path)
    began = time.monotonic()
    # The order makes it atomic: the data is on disk before the rename, or a crash could leave the new name
    # on an empty file; the folder is synced after it, or a crash could bring the old file back after a
    # step had gone on. A failed fsync is never tried again: the kernel may have dropped the dirty page, so
    # a second one could succeed without the data.
    with naming(path):
        sweep_temporary(path)
        with _temporary(path, data, mode) as temp:
            temp.replace(path)
        sync_folder(path.parent)
    trace.event(trace.STATE, "file_written", path=path, bytes=len(data), ms=trace.milliseconds(began))


def _refuse_odd_target(path: Path) -> None:
    """Raise StateError for a link, which may lead out of the repository, and for another user's file."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found.st_mode):
        raise StateError(f"{path} is not a regular file", hint="remove it or name another file")
    if found.st_uid != os.geteuid():
        raise StateError(
            f"{path} belongs to another user", hint=f"chown it to yourself: chown $USER {quoted(str(path))}"
        )


@contextmanager
def naming(path: Path, *, hint: str = "") -> Iterator[None]:
    """Turn an error of the disk into a StateError that names the file."""
    # An error at the write to an open file does not name it.
    try:
        yield
    except OSError as error:
        raise disk_error(error, path, hint=hint) from error


def disk_error(error: OSError, path: Path | None = None, *, hint: str = "") -> StateError:
    """Return the error for a file that could not be read or written, with its name if it is known."""
    name = path or error.filename
    why = error.strerror or type(error).__name__
    return StateError(
        f"{name} could not be read or written: {why}" if name else f"a file could not be written: {why}",
        hint=hint or SPACE,
    )


@contextmanager
def _temporary(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    """Yield a new file with the data (0600 until it is complete) in the folder of `path`; remove it."""
    # In the same folder, hence on the same file system: a rename across two is a copy, and not atomic. The
    # lock is held as long as this process lives: a file without one was left by a killed process.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temp = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            with suppress(OSError):  # some network file systems have no locks: nothing is swept there
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
            if os.fstat(file.fileno()).st_size != len(data):
                raise OSError(errno.EIO, "the file is shorter than what was written")
            yield temp
    finally:
        temp.unlink(missing_ok=True)


def sweep_temporary(path: Path, *, also: str = "") -> None:
    """Remove the temporary files for `path` that killed processes left: they may hold a private key.

    With `also`, those for every file whose name goes on with that pattern.
    """
    for left in path.parent.glob(f".{escape(path.name)}{also}.*.tmp"):
        with suppress(OSError):
            handle = os.open(left, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
            finally:
                os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make a rename or a new name in the folder survive a power failure."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def create_secret_file(path: Path, data: bytes) -> None:
    """Create a file that only its owner may read, from its first byte on; raise FileExistsError.

    Missing folders are created with mode 0700.
    """
    try:
        _make_private_folder(path.parent)
        sweep_temporary(path)
        with _temporary(path, data, 0o600) as temp:
            # A link, not a rename: it fails if the name exists, so of two processes that make a key at the
            # same time one keeps it and the other learns of it; and no reader ever sees half a key.
            os.link(temp, path)
        sync_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise disk_error(error, path) from error


def private_folder(folder: Path, *, linked: bool = False) -> Path:
    """Create a folder that only its owner may enter, with its missing parents; narrow one that is wider.

    Raises StateError for another user's folder and, unless `linked`, for a link: it may lead anywhere.
    """
    with naming(folder):
        _make(folder)
    found = folder.stat() if linked else folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        what = "a link" if stat.S_ISLNK(found.st_mode) else "not a folder"
        raise StateError(f"{folder} is {what}", hint=f"remove it: rm {quoted(str(folder))}")
    if found.st_uid != os.geteuid():
        raise StateError(f"{folder} belongs to another user", hint="run mesh in a folder of your own")
    if found.st_mode & 0o077:
        with suppress(OSError):
            folder.chmod(0o700)
    return folder


def _make(folder: Path) -> None:
    """Create a folder and its missing parents with mode 0700 from the start."""
    # One by one: `mkdir(parents=True)` gives its mode to the last folder only.
    missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    for each in reversed(missing):
        with suppress(FileExistsError):
            each.mkdir(mode=0o700)


def _make_private_folder(folder: Path) -> None:
    _make(folder)
    if folder.stat().st_mode & 0o022:
        raise MeshError(
            f"{folder} is writable by other users and cannot hold a key",
            hint=f"chmod 700 {quoted(str(folder))}",
        )


def read_secret_file(path: Path) -> bytes:
    """Read a file that holds a secret; raise MeshError if other users own it, or may read or write it."""

    def check(found: os.stat_result) -> None:
        name = quoted(str(path))
        if found.st_mode & 0o077:
            raise MeshError(
                f"{path} holds a secret and is open to other users (mode {found.st_mode & 0o777:04o})",
                hint=f"chmod 600 {name}",
            )
        if found.st_uid not in (os.geteuid(), 0):
            raise MeshError(
                f"{path} holds a secret and belongs to another user (uid {found.st_uid})",
                hint=f"after a check of its content: chown {os.geteuid()} {name}",
            )

    try:
        return read_input(path, check=check)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise MeshError(f"{path} cannot be read: {error.strerror or error}") from error


def inside_git(path: Path) -> bool:
    """Whether the file is, or would be, inside a git work tree."""
    folder = path.parent.resolve()
    return any((each / ".git").exists() for each in (folder, *folder.parents))


def git_would_take(path: Path) -> bool:
    """Whether `git add` would add the file: it is in a work tree and not known to be ignored."""
    if not inside_git(path):
        return False
    git = shutil.which("git")
    if git is None:
        return True
    folder = path.parent.resolve()
    start = next(each for each in (folder, *folder.parents) if each.is_dir())
    # A branch can bring a folder that looks like a bare repository, with programs in its configuration.
    safe = ["-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false"]
    argv = [git, *safe, "-C", str(start), "check-ignore", "--quiet", "--", str(folder / path.name)]
    env = child_env(os.environ)
    try:
        done = subprocess.run(argv, env=env, capture_output=True, timeout=_GIT_DEADLINE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return True
    return done.returncode != 0


def user_path(text: str, env: Mapping[str, str], folder: Path) -> Path:
    """Return the path that a user wrote: `~` is the home folder, a relative one is below `folder`."""
    home = text == "~" or text.startswith("~/")
    path = Path(env.get("HOME") or Path.home()) / text[2:] if home else folder / text
    # Paths of the mesh file were checked when it was read; here those that a lockfile or a slice records.
    if is_untrusted(env) and outside(path, folder):
        raise RefusedError(
            f"{path} is outside the folder of the mesh file, and the mesh file is not trusted",
            hint="run without --untrusted after a review",
        )
    return path
