"""A file of JSON lines that survives a crash at any byte: the format of the journal.

Each line is `{"entry": …, "sum": first 16 hex digits of the SHA-256 of the entry's canonical JSON}`.

Only the last line can be torn: a line is appended after the one before it was synced. Dropping a torn
line is safe, because `append_line` had not returned: no step had begun on it, and no result depends on
it. A damaged line before the last is not a crash but damage, and is an error: it may hide an intent.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mesh.errors import StateError
from mesh.model.bounded_text import SMALL, loads
from mesh.model.printable import quoted
from mesh.world import trace
from mesh.world.disk.files import naming, sync_folder
from mesh.world.disk.input_file import read_input

JsonLine = Mapping[str, Any]

LARGEST = 256 * 1024 * 1024
"""Bytes of a journal: it has two lines per step of one run."""


def open_lines(path: Path) -> int:
    """Open (or create, 0600) a file of lines for appending, without its torn tail; return the descriptor."""
    with naming(path):
        is_new = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            _, intact = _parse(path.read_bytes(), path)
            # Cut before the first append: the new line would be joined to the torn one, and lost with it.
            os.ftruncate(handle, intact)
            if is_new:
                sync_folder(path.parent)
        except BaseException:
            os.close(handle)
            raise
    return handle


def append_line(handle: int, entry: JsonLine) -> None:
    """Append one entry, on disk when this returns; raise StateError if that fails."""
    line = _encode(entry)
    began = time.monotonic()
    try:
        # One write and one sync per line. A short write is not completed: the run ends here, and the next
        # one cuts the part that was written.
        if os.write(handle, line) != len(line):
            raise OSError("no space left for the whole line")
        _sync_data(handle)
    except OSError as error:
        raise StateError(
            f"the journal could not be written: {error.strerror or error}",
            hint="free space on its disk and run the command again; what is recorded is still valid",
        ) from error
    trace.event(
        trace.STATE,
        "journal_written",
        entry=entry.get("event"),
        address=entry.get("address"),
        action=entry.get("action"),
        bytes=len(line),
        ms=trace.milliseconds(began),
    )


def read_lines(path: Path) -> tuple[dict[str, Any], ...]:
    """Return every intact entry in order, () if there is no file; raise StateError on a broken middle."""
    try:
        data = read_input(path, limit=LARGEST)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise StateError(
            f"{path} cannot be read: {error.strerror or error}",
            hint=f"look at it: ls -l {quoted(str(path))}",
        ) from None
    return _parse(data, path)[0]


def _sync_data(handle: int) -> None:
    """Flush the data and the size, which fdatasync includes; macOS has no fdatasync."""
    getattr(os, "fdatasync", os.fsync)(handle)


def _encode(entry: JsonLine) -> bytes:
    text = json.dumps({"entry": entry, "sum": _sum(entry)}, sort_keys=True, separators=(",", ":"))
    return text.encode() + b"\n"


def _sum(entry: object) -> str:
    canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _parse(data: bytes, path: Path) -> tuple[tuple[dict[str, Any], ...], int]:
    """Return the intact entries and the length in bytes that they take."""
    entries: list[dict[str, Any]] = []
    intact = 0
    lines = data.splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        entry = _decode(line)
        if entry is None:
            if number == len(lines):
                break
            raise StateError(
                f"{path}:{number}: this line of the journal is damaged",
                hint="restore the file from a backup, or delete it: the next run then reads the clusters",
            )
        entries.append(entry)
        intact += len(line)
    return tuple(entries), intact


def _decode(line: bytes) -> dict[str, Any] | None:
    """Return the entry of one line, None if the line is not whole."""
    try:
        record = loads(line, SMALL) if line.endswith(b"\n") else None
    except ValueError:
        return None
    if not isinstance(record, dict) or record.get("sum") != _sum(record.get("entry")):
        return None
    entry = record["entry"]
    return entry if isinstance(entry, dict) else None
