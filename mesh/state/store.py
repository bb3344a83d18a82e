"""The state on disk: `mesh.lock`, the journal beside it, and who may write them.

::

    mesh.lock               committed; see `mesh.state.lockfile`
    .mesh/                  0700, ignores itself in git
      lock                  target of the file lock; its body names the holder
      id                    a random word that identifies this folder
      journal.jsonl         intents and results of the run under way
      backups/              the last ten lockfiles
      run/                  values files and locks of helm children
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from mesh.errors import StateError
from mesh.state.journal import lineage_of, with_intents
from mesh.state.lockfile import State, fresh, from_text, to_text
from mesh.world import trace
from mesh.world.disk.file_lock import FileLock
from mesh.world.disk.files import (
    naming,
    private_folder,
    replace_file,
    sweep_temporary,
)
from mesh.world.disk.input_file import read_input
from mesh.world.disk.json_lines import read_lines
from mesh.world.disk.scratch import sweep_scratch
from mesh.world.helm.children import sweep as sweep_values

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKUPS = 10
LARGEST = 64 * 1024 * 1024
"""Bytes of a lockfile: far more than a mesh of a hundred clusters has."""

IGNORE_ALL = b"*\n"


@dataclass(frozen=True, slots=True)
class Store:
    """The state files of one mesh, beside its desired-state file."""

    path: Path

    @property
    def folder(self) -> Path:
        """The folder of files that are not committed."""
        return self.path.parent / ".mesh"

    @property
    def run_folder(self) -> Path:
        """The folder of the values files and locks of helm children."""
        return self.folder / "run"

    @property
    def journal_path(self) -> Path:
        """The journal of the run under way, or of a killed one."""
        return self.folder / "journal.jsonl"

    def read(self, mesh: str) -> State:
        """Return the recorded state, a fresh one without a file; open intents are entries marked open."""
        try:
            text = read_input(self.path, limit=LARGEST).decode("utf-8")
        except FileNotFoundError:
            state = fresh(mesh)
        except (OSError, UnicodeDecodeError) as error:
            why = (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8 text"
            raise StateError(
                f"{self.path.name} cannot be read: {why}", hint="restore it from version control"
            ) from None
        else:
            state = from_text(text, self.path.name)
        if state.mesh != mesh:
            raise StateError(
                f"{self.path.name} belongs to mesh {state.mesh!r}, the configuration to mesh {mesh!r}",
                hint="keep each mesh in a folder of its own, or give the mesh its old name back",
            )
        lines = read_lines(self.journal_path)
        trace.event(
            trace.STATE,
            "state_read",
            path=self.path,
            serial=state.serial,
            lineage=state.lineage,
            resources=len(state.entries),
            journal_lines=len(lines),
        )
        try:
            if not state.serial and (lineage := lineage_of(lines)):
                state = replace(state, lineage=lineage)
            return with_intents(state, lines)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise StateError(
                f"{self.journal_path}: an entry is not one that mesh writes",
                hint="restore the file from a backup, or delete it: the next run then reads the clusters",
            ) from None

    def write(self, state: State) -> None:
        """Write the lockfile, whole or not at all."""
        replace_file(self.path, to_text(state).encode())

    def backup(self, serial: int) -> None:
        """Copy the lockfile before a run, valid or not; remove the oldest copies."""
        folder = self.folder / "backups"
        with naming(folder):
            if not self.path.exists():
                return
            private_folder(folder)
            replace_file(folder / f"{self.path.name}.{serial:06d}", self.path.read_bytes())
            for old in sorted(folder.glob(f"{self.path.name}.*"))[:-BACKUPS]:
                old.unlink()

    def rewrite(self, state: State) -> None:
        """Write a state made from what `read` returned, and remove the journal."""
        self.backup(state.serial)
        self.write(state)
        # In this order: the open intents are entries of the new lockfile now. The other way round, a crash
        # in between would lose them.
        with naming(self.journal_path):
            self.journal_path.unlink(missing_ok=True)

    @property
    def interrupted(self) -> bool:
        """Whether a run began and did not end; ask only while no run can be writing."""
        return self.journal_path.exists()

    @contextmanager
    def held(self, doing: str, now: datetime) -> Iterator[None]:
        """Hold the file lock of this folder; raise LockedError that names the other holder."""
        self.prepare()
        with FileLock(self.folder / "lock").acquire(doing, since=now):
            self._sweep()
            yield
            self._sweep()

    def _sweep(self) -> None:
        """Remove what killed runs left: temporary files, and the values files of helms that have ended."""
        # The values of a chart can hold secrets, and the next run may start no helm at all.
        for name in (self.path, self.folder / ".gitignore", self.folder / "id"):
            sweep_temporary(name)
        sweep_temporary(self.folder / "backups" / self.path.name, also=".*")
        with suppress(OSError, StateError):
            sweep_values(self.run_folder)
        sweep_scratch()

    def place(self) -> str:
        """Return a name of this folder that no copy of it has; call it with the file lock held.

        It is a random word, made once and kept in the folder, and the inode of the locked file: a copy of
        the folder has the word and another inode, another machine may have the inode and not the word.
        """
        word = self.folder / "id"
        with naming(word):
            if not word.exists():
                replace_file(word, uuid4().hex.encode(), mode=0o600)
            return f"{word.read_text(encoding='ascii')[:32]}:{(self.folder / 'lock').stat().st_ino}"

    def prepare(self) -> None:
        """Create the folders, which only their owner may enter and which git ignores."""
        prepare_folder(self.folder)
        private_folder(self.run_folder)


def prepare_folder(folder: Path) -> None:
    """Create a folder `.mesh`, private and ignored by git."""
    private_folder(folder)
    ignore = folder / ".gitignore"
    with naming(ignore):
        # By content: a run that was killed at its first write may have left an empty one.
        if not ignore.is_file() or ignore.read_bytes() != IGNORE_ALL:
            replace_file(ignore, IGNORE_ALL)
