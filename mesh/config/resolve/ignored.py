"""Resolve the fields of releases' objects that others may change."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

from mesh.config.schema.mesh_file import IgnorePart
from mesh.config.source.document import Trail
from mesh.config.source.problems import Problems
from mesh.model.spec import Ignore

AT: Trail = ("spec", "ignore")


def ignored(parts: Sequence[IgnorePart], clusters: Collection[str], report: Problems) -> tuple[Ignore, ...]:
    """Return the rules; report those for clusters that the mesh does not have."""
    for index, part in enumerate(parts):
        if not any(fnmatchcase(name, part.cluster) for name in clusters):
            what = f"there is no cluster {part.cluster}"
            report.wrong((*AT, index, "cluster"), what, f"the clusters are {', '.join(sorted(clusters))}")
    return tuple(
        Ignore(part.kind, part.path, part.name, part.cluster, report.origin((*AT, index)))
        for index, part in enumerate(parts)
    )
