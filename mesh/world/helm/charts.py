"""Private copies of charts: what was rendered and reviewed is what helm installs.

A folder can be edited, and a repository can serve other bytes under the same version, between the rendering
and the upgrade. So each chart is copied or downloaded once a run, and all helm processes get the copy.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

from mesh.errors import HelmError
from mesh.world import HelmJob
from mesh.world.disk.scratch import scratch_until_exit

MOST_FILES = 10_000
MOST_BYTES = 200_000_000
CHART = "Chart.yaml"


@dataclass(frozen=True, slots=True)
class Pinned:
    """A copy of a chart, and the digest of its bytes."""

    path: str
    digest: str


@dataclass(slots=True)
class Charts:
    """The charts of this run, each copied when it is first used."""

    _folder: Path | None = None
    _found: dict[tuple[str, str, str], Pinned] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def pinned(self, job: HelmJob, pull: Callable[[Path], None]) -> tuple[HelmJob, str]:
        """Return the job with the copy, and the digest of its bytes.

        A chart that cannot be copied stays as it is, with the digest "": helm itself reports what is wrong.
        `pull` downloads the chart of the job into a folder.
        """
        source = (job.ref, job.repo, job.version)
        # One at a time: a chart that all clusters install is downloaded once.
        with self._lock:
            if source not in self._found and (copy := self._copy(job, pull)):
                self._found[source] = copy
            found = self._found.get(source)
        return (replace(job, ref=found.path, repo="", version=""), found.digest) if found else (job, "")

    def _copy(self, job: HelmJob, pull: Callable[[Path], None]) -> Pinned | None:
        path = Path(job.ref)
        if job.ref.startswith("-") or not job.ref:
            return None
        if path.is_absolute() and not job.repo:
            if path.is_file():
                return self._of_file(path)
            return self._of_folder(path) if (path / CHART).is_file() else None
        target = self._new()
        pull(target)
        files = [each for each in target.iterdir() if each.is_file()]
        return Pinned(str(files[0]), _sha256(files[0].read_bytes())) if len(files) == 1 else None

    def _of_file(self, path: Path) -> Pinned:
        data = path.read_bytes()
        target = self._new() / path.name
        target.write_bytes(data)
        return Pinned(str(target), _sha256(data))

    def _of_folder(self, path: Path) -> Pinned:
        target, total = self._new(), hashlib.sha256()
        for name, data in _files(path):
            each = target / name
            each.parent.mkdir(parents=True, exist_ok=True)
            each.write_bytes(data)
            total.update(f"{name}\0{_sha256(data)}\n".encode())
        return Pinned(str(target), f"sha256:{total.hexdigest()}")

    def _new(self) -> Path:
        if self._folder is None:
            self._folder = scratch_until_exit()
        return Path(tempfile.mkdtemp(dir=self._folder))


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file of a chart in the order of the names; links are followed, as helm does."""
    count = total = 0
    for here, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        for name in sorted(names):
            path = Path(here) / name
            if (data := _read(path)) is not None:
                count, total = count + 1, total + len(data)
                _refuse_large(folder, count, total)
                yield path.relative_to(folder).as_posix(), data


def _read(path: Path) -> bytes | None:
    """Return the content of a regular file; None for what helm does not read either."""
    try:
        return path.read_bytes() if stat.S_ISREG(path.stat().st_mode) else None
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ELOOP}:  # a link to nothing, or to itself
            return None
        raise HelmError(f"{path} cannot be read: {error.strerror}", hint="fix its permissions") from None


def _refuse_large(folder: Path, count: int, total: int) -> None:
    if count > MOST_FILES or total > MOST_BYTES:
        raise HelmError(
            f"{folder} is too large for a chart: more than {MOST_FILES} files or {MOST_BYTES // 10**6} MB",
            hint="check the source of the chart",
        )


def _sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
