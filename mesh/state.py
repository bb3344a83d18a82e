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

import os
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from mesh.errors import StateError
from mesh.lock import Entry, Lock, fresh, from_text, to_text
from mesh.model import Action, Key, Place
from mesh.provider import OPEN, Last
from mesh.world.file_lock import FileLock
from mesh.world.files import replace_file
from mesh.world.lines import append_line, open_lines, read_lines

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

    def read(self, mesh: str) -> Lock:
        """Return the recorded lock, a fresh one if there is no file; open intents are in it, marked so."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            lock = fresh(mesh)
        except (OSError, UnicodeDecodeError) as error:
            raise StateError(
                f"{self.path.name} cannot be read: {error}", hint="restore it from version control"
            ) from None
        else:
            lock = from_text(text, self.path.name)
        if lock.mesh != mesh:
            raise StateError(
                f"{self.path.name} belongs to mesh {lock.mesh!r}, the configuration to mesh {mesh!r}",
                hint="keep each mesh in a folder of its own, or give the mesh its old name back",
            )
        return with_intents(lock, read_lines(self.journal_path))

    def write(self, lock: Lock) -> None:
        """Put the lock on disk, whole or not at all."""
        replace_file(self.path, to_text(lock).encode())

    def backup(self, serial: int) -> None:
        """Keep a copy of the lockfile as it is, whole or not, before a run; drop the oldest."""
        if not self.path.exists():
            return
        folder = self.folder / "backups"
        folder.mkdir(exist_ok=True)
        replace_file(folder / f"{self.path.name}.{serial:06d}", self.path.read_bytes())
        for old in sorted(folder.glob(f"{self.path.name}.*"))[:-BACKUPS]:
            old.unlink()

    def rewrite(self, lock: Lock) -> None:
        """Put on disk a lock made of what `read` gave: open intents are in it, so the journal may go."""
        self.backup(lock.serial)
        self.write(lock)
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


def with_intents(lock: Lock, lines: tuple[Mapping[str, Any], ...]) -> Lock:
    """Add to a lock what a run that died had begun and not finished.

    An intent to create something unrecorded becomes an entry of status `open`; one on a recorded
    thing marks its entry. The next observation tells what became of it.
    """
    opened: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        if line["event"] == "intent":
            opened[line["address"]] = line
        elif line["event"] == "done":
            opened.pop(line["address"], None)
        else:
            opened.clear()
    for address, line in opened.items():
        lock = lock.with_entry(key := Key.parse(address), _opened(lock.entries.get(key), line))
    return lock


def _opened(entry: Entry | None, line: Mapping[str, Any]) -> Entry:
    if entry:
        return replace(entry, last=replace(entry.last, status=OPEN))
    needs = frozenset(Key.parse(need) for need in line["needs"])
    created = line["action"] == Action.CREATE.name
    return Entry(Last(Place(*line["place"]), created=created, status=OPEN), needs)


@dataclass(slots=True)
class Journal:
    """Write-ahead intents of one run; used by the caller's thread only."""

    path: Path
    _handle: int = field(default=-1)

    def begin(self, run: str, serial: int) -> None:
        """Open the journal and note that a run starts."""
        self._handle = open_lines(self.path)
        append_line(self._handle, {"event": "begin", "run": run, "serial": serial})

    def intent(self, key: Key, action: Action, place: Place, needs: frozenset[Key]) -> None:
        """Put on disk what is about to be done."""
        line = {
            "event": "intent",
            "address": str(key),
            "action": action.name,
            "place": [place.namespace, place.name, place.variant],
            "needs": sorted(str(need) for need in needs),
        }
        append_line(self._handle, line)

    def done(self, key: Key) -> None:
        """Note that a step's result is in the lockfile."""
        append_line(self._handle, {"event": "done", "address": str(key)})

    def end(self) -> None:
        """Close the run: nothing in it is left to be found out. The journal starts anew."""
        append_line(self._handle, {"event": "end"})
        os.close(self._handle)
        self._handle = -1
        self.path.unlink()
