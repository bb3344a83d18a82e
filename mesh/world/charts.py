"""The identity of a chart that lies on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from mesh.errors import HelmError


def chart_digest(ref: str) -> str:
    """Return `sha256:…` over the sorted file paths and contents of a local chart, "" for a remote one.

    A folder and the archive packed from it have the same digest if the archive leaves nothing out.
    """
    path = Path(ref).expanduser()
    try:
        if path.is_dir():
            files = _folder(path)
        elif path.is_file():
            files = _archive(path)
        else:
            return ""
        return _digest(sorted(files))
    except OSError as error:
        raise HelmError(
            f"the chart {ref} cannot be read: {error}", hint="check its path and rights"
        ) from None


def _digest(files: list[tuple[str, bytes]]) -> str:
    total = hashlib.sha256()
    for name, content in files:
        total.update(f"{name}\0{len(content)}\0".encode())
        total.update(content)
    return f"sha256:{total.hexdigest()}"


def _folder(path: Path) -> Iterator[tuple[str, bytes]]:
    for file in path.rglob("*"):
        if file.is_file():
            yield file.relative_to(path).as_posix(), file.read_bytes()


def _archive(path: Path) -> Iterator[tuple[str, bytes]]:
    """Read the members where they are; nothing is unpacked, so a name cannot lead outside."""
    import tarfile

    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None:
                    yield member.name.removeprefix("./").partition("/")[2], content.read()
    except tarfile.TarError as error:
        raise HelmError(
            f"the chart {path} is no archive: {error}", hint="check the path of the chart"
        ) from None
