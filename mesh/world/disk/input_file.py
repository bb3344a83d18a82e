"""Read files that a person, a branch or another program named: regular files only, opened once, bounded.

A FIFO would wait for ever, a device such as /dev/zero never ends, and opening some devices has effects.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

LIMIT = 16 * 1024 * 1024
"""Bytes of a file that mesh reads as a whole, unless its reader sets another limit."""

PART = 1 << 20
"""Bytes that are read at once."""

_KINDS = {
    stat.S_IFDIR: "is a folder",
    stat.S_IFIFO: "is a FIFO, not a regular file",
    stat.S_IFCHR: "is a device, not a regular file",
    stat.S_IFBLK: "is a device, not a regular file",
    stat.S_IFSOCK: "is a socket, not a regular file",
}


def read_input(
    path: Path, *, limit: int = LIMIT, check: Callable[[os.stat_result], None] | None = None
) -> bytes:
    """Return the bytes of a regular file; raise OSError with the reason as its `strerror`.

    `check` gets the status of the file that is open: what was checked is what is read.
    """
    # Before the open, because opening a device can act on it; after it, because the name may have been
    # given to another file in between. O_NONBLOCK keeps the open of a FIFO from waiting for its writer.
    _regular(path, path.stat())
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        _regular(path, found)
        if check:
            check(found)
        content = b"".join(_parts(file, limit + 1))
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"is larger than {_size(limit)}", str(path))
    return content


def _parts(file: BinaryIO, most: int) -> Iterator[bytes]:
    """Yield what a file holds, at most so many bytes; a size of 0 says nothing, as of files of the kernel."""
    # Part by part, because one read of the limit would first reserve as much memory.
    while most > 0 and (part := file.read(min(PART, most))):
        yield part
        most -= len(part)


def _regular(path: Path, found: os.stat_result) -> None:
    kind = stat.S_IFMT(found.st_mode)
    if kind == stat.S_IFREG:
        return
    number = errno.EISDIR if kind == stat.S_IFDIR else errno.EINVAL
    raise OSError(number, _KINDS.get(kind, "is not a regular file"), str(path))


def _size(limit: int) -> str:
    return f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit} bytes"


def outside(path: Path, folder: Path) -> bool:
    """Whether a path, with its links resolved, is outside a folder."""
    try:
        return not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):
        return True


def leads_out(path: Path) -> bool:
    """Whether a file is a link, or behind one, that leads out of the folder in which it is named."""
    return outside(path, path.absolute().parent)
