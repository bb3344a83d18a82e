"""The chart of a release, from the release's own Secret: no other source is needed.

Anyone who can write Secrets in istiod's namespace can write such a record, so nothing in it is trusted: every
name is checked before the first byte is written, and the folder has a fixed name.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from mesh.errors import HelmError
from mesh.model.bounded_text import Unfit, from_base64
from mesh.model.printable import terminal
from mesh.sdk.shell import command
from mesh.world import Object
from mesh.world.disk.scratch import scratch
from mesh.world.helm.releases import ReleaseView, chart_of

FOLDER = "chart"
"""The folder of every chart: its own name never becomes a part of a path."""

MOST = 2_000
LONGEST_NAME = 512
DEEPEST = 16
LARGEST = 5 * 1024 * 1024
"""Bytes of one file; helm itself reads no larger one."""
LARGEST_IN_ALL = 16 * 1024 * 1024

TEMPLATES, NESTED = "templates", "charts"
_WRITTEN = ("Chart.yaml", "values.yaml", "values.schema.json")
"""What is made from other parts of the record; a file with such a name would replace it."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\Z")
_RELEASE = re.compile(r"[a-z0-9]([a-z0-9.-]{0,51}[a-z0-9])?\Z")
"""Helm's own rule for the name of a release."""


class UnsafeChartError(HelmError):
    """The record of a release holds a chart that is not unpacked."""


@contextmanager
def unpacked(secret: Object) -> Iterator[Path]:
    """Yield a folder with the chart, which exists inside the context only; helm reads JSON as YAML.

    Raises UnsafeChartError, before anything is written, for a name that is not that of a chart's file, and
    for more or larger files than a chart has.
    """
    files = files_of(chart_of(secret))
    with scratch() as private:
        folder = private / FOLDER
        folder.mkdir(mode=0o700)
        for where, data in files.items():
            path = folder.joinpath(*where.parts)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("xb") as file:  # `x`: an existing file, or a link, is never written through
                file.write(data)
        yield folder


def is_whole(secret: Object) -> bool:
    """Return whether the release holds the whole chart: helm leaves out the charts that it depends on."""
    return not chart_of(secret)["metadata"].get("dependencies")


def forged(view: ReleaseView) -> str:
    """Return why helm cannot have written the record of a release; "" if it can.

    The names in a record become arguments of helm, and parts of paths.
    """
    where = view.secret["metadata"]
    named = str((where.get("labels") or {}).get("name", "")), str(where.get("namespace", ""))
    for record in (view.newest, view.deployed):
        if record is None:
            continue
        if (record.name, record.namespace) != named or not _RELEASE.match(record.name):
            told = f"calls itself {_short(record.name)} in {_short(record.namespace)}"
        elif not _NAME.match(record.chart):
            told = f"names its chart {_short(record.chart)}, which is not the name of a chart"
        else:
            continue
        show = command(
            "kubectl", "get", "secret", "-n", named[1], "-l", "owner=helm", "--show-managed-fields"
        )
        return (
            f"the record of release {_short(named[0])} in {named[1]} {told}: helm did not write it; find out "
            f"who did with `{show} -o yaml`"
        )
    return ""


def files_of(chart: Mapping[str, Any]) -> dict[PurePosixPath, bytes]:
    """Return every file of a chart by its path below the chart's folder; pure. Raises UnsafeChartError."""
    about = chart.get("metadata")
    if not isinstance(about, Mapping) or not _NAME.match(str(about.get("name", ""))):
        raise _unsafe(f"its name is not that of a chart: {_short(about)}")
    files = {
        PurePosixPath("Chart.yaml"): json.dumps(about).encode(),
        PurePosixPath("values.yaml"): json.dumps(chart.get("values") or {}).encode(),
    }
    if schema := chart.get("schema"):
        files[PurePosixPath("values.schema.json")] = _bytes("values.schema.json", schema)
    for part in (TEMPLATES, "files"):
        for name, data in _listed(chart.get(part) or ()):
            files[_path(name, part, files)] = _bytes(name, data)
    if len(files) > MOST:
        raise _unsafe(f"it has more than {MOST} files")
    if sum(map(len, files.values())) > LARGEST_IN_ALL:
        raise _unsafe(f"its files have more than {LARGEST_IN_ALL} bytes together")
    _refuse_clashes(files)
    return files


def _listed(entries: object) -> Iterator[tuple[str, object]]:
    if not isinstance(entries, list | tuple) or len(entries) > MOST:
        raise _unsafe(f"it has more than {MOST} files, or no list of them")
    for entry in entries:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            raise _unsafe("one of its files has no name")
        yield entry["name"], entry.get("data")


def _path(name: str, part: str, known: Iterable[PurePosixPath]) -> PurePosixPath:
    """Return the path of a file of a chart; raise UnsafeChartError for a name that helm gives to none."""
    parts = name.split("/")
    if (
        len(name) > LONGEST_NAME
        or len(parts) > DEEPEST
        or "\\" in name
        or ":" in name
        or not name.isprintable()
        or any(each.strip(" .") == "" or each[-1] in " ." for each in parts)
    ):
        raise _unsafe(f"it holds a file outside its chart: {_short(name)}")
    below = parts[0].casefold() == TEMPLATES
    if below is not (part == TEMPLATES) or (below and len(parts) == 1):
        raise _unsafe(f"{_short(name)} is listed among its {part}")
    # Helm stores a chart without the charts that it depends on. One that is listed among the files would
    # become a part of the chart when it is unpacked, with templates that the record does not show.
    if parts[0].casefold() == NESTED:
        raise _unsafe(f"it holds a chart inside the chart: {_short(name)}")
    path = PurePosixPath(*parts)
    if path in known or parts[0].casefold() in {each.casefold() for each in _WRITTEN}:
        raise _unsafe(f"it holds {_short(name)} twice")
    return path


def _refuse_clashes(files: Iterable[PurePosixPath]) -> None:
    """Refuse two names for one file, and a file that is a folder of another one.

    File systems differ: some take two spellings of a letter, or two cases of it, for one name.
    """
    seen: dict[tuple[str, ...], PurePosixPath] = {}
    for path in files:
        folded = tuple(unicodedata.normalize("NFKC", part).casefold() for part in path.parts)
        if folded in seen:
            raise _unsafe(f"{_short(str(path))} and {_short(str(seen[folded]))} are one file")
        seen[folded] = path
    for folded, path in seen.items():
        if above := next((folded[:end] for end in range(1, len(folded)) if folded[:end] in seen), None):
            raise _unsafe(f"{_short(str(seen[above]))} is a file and a folder ({_short(str(path))})")


def _bytes(name: str, data: object) -> bytes:
    try:
        content = from_base64(data or "") if isinstance(data, str | None) else None
    except Unfit:
        content = None
    if content is None:
        raise _unsafe(f"{_short(name)} is not base64")
    if len(content) > LARGEST:
        raise _unsafe(f"{_short(name)} has more than {LARGEST} bytes")
    return content


def _short(value: object) -> str:
    """Return text from a record as a message may show it."""
    text = terminal(repr(value))
    return text if len(text) <= 80 else f"{text[:79]}…"


def _unsafe(why: str) -> UnsafeChartError:
    return UnsafeChartError(
        f"the chart in the record of the release is not used: {why}",
        hint="find out who wrote that Secret; `helm upgrade` with the chart's own source replaces it",
    )
