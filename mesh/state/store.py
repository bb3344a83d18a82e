"""The state on disk: `mesh.lock`, the journal beside it, and who may write them.

::

    mesh.lock               committed; see `mesh.lock`
    .mesh/                  0700, ignores itself in git
      lock                  flock target; its body says who holds it
      id                    a word that tells this folder from every other
      journal.jsonl         intents and results of the run under way
      backups/              the last ten lockfiles
      run/                  values files and locks of helm children
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from mesh.errors import StateError
from mesh.state.journal import with_intents
from mesh.state.lockfile import State, fresh, from_text, to_text
from mesh.world import trace
from mesh.world.disk.file_lock import FileLock
from mesh.world.disk.files import replace_file
from mesh.world.disk.json_lines import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKUPS = 10


@dataclass(frozen=True, slots=True)
class Store:
    """The state files of one mesh, beside its desired-state file."""

    path: Path

    @property
    def folder(self) -> Path:
        """The folder of what is not committed."""
        return self.path.parent / ".mesh"

    @property
    def run_folder(self) -> Path:
        """Where helm children find their values and leave their locks."""
        return self.folder / "run"

    @property
    def journal_path(self) -> Path:
        """The journal of the run under way, or of one that died."""
        return self.folder / "journal.jsonl"

    def read(self, mesh: str) -> State:
        """Return the recorded lock, a fresh one if there is no file; open intents are in it, marked so."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            state = fresh(mesh)
        except (OSError, UnicodeDecodeError) as error:
            raise StateError(
                f"{self.path.name} cannot be read: {error}", hint="restore it from version control"
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
        return with_intents(state, lines)

    def write(self, state: State) -> None:
        """Put the lock on disk, whole or not at all."""
        replace_file(self.path, to_text(state).encode())

    def backup(self, serial: int) -> None:
        """Keep a copy of the lockfile as it is, whole or not, before a run; drop the oldest."""
        if not self.path.exists():
            return
        folder = self.folder / "backups"
        folder.mkdir(exist_ok=True)
        replace_file(folder / f"{self.path.name}.{serial:06d}", self.path.read_bytes())
        for old in sorted(folder.glob(f"{self.path.name}.*"))[:-BACKUPS]:
            old.unlink()

    def rewrite(self, state: State) -> None:
        """Put on disk a lock made of what `read` gave: open intents are in it, so the journal may go."""
        self.backup(state.serial)
        self.write(state)
        self.journal_path.unlink(missing_ok=True)

    @property
    def interrupted(self) -> bool:
        """Whether a run began and did not end; nobody may be writing now."""
        return self.journal_path.exists()

    @contextmanager
    def held(self, doing: str, now: datetime) -> Iterator[None]:
        """Be the only writer on this machine; raise LockedError that names the other one."""
        self.prepare()
        with FileLock(self.folder / "lock").acquire(doing, since=now):
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove what a run that was killed had not yet put in place of the lockfile or a backup."""
        for folder in (self.path.parent, self.folder / "backups"):
            for left in folder.glob(f".{self.path.name}.*.tmp"):
                left.unlink(missing_ok=True)

    def place(self) -> str:
        """A name for this very folder, which no copy of it has; only its holder may ask.

        A word made once, kept in the folder, and the inode of the file that is locked.
        """
        word = self.folder / "id"
        if not word.exists():
            replace_file(word, uuid4().hex.encode(), mode=0o600)
        return f"{word.read_text(encoding='ascii')[:32]}:{(self.folder / 'lock').stat().st_ino}"

    def prepare(self) -> None:
        """Make the folders."""
        for folder in (self.folder, self.run_folder):
            folder.mkdir(mode=0o700, exist_ok=True)
        ignore = self.folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
