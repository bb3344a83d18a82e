"""Resolve the listed resources: their clusters and addresses. What `spec` means is for the kind to say."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mesh.config.schema.mesh_file import ResourcePart
from mesh.config.source.document import Trail, dotted
from mesh.config.source.problems import Problems
from mesh.model import Key, Origin
from mesh.model.spec import ListedResource

AT: Trail = ("spec", "resources")


def resources(
    parts: Sequence[ResourcePart], clusters: Collection[str], report: Problems
) -> tuple[ListedResource, ...]:
    """Return the listed resources; report unknown clusters and addresses that are listed twice."""
    found: list[ListedResource] = []
    for index, part in enumerate(parts):
        trail, key = (*AT, index), Key(part.kind, part.cluster, part.name)
        if part.cluster not in clusters:
            names = ", ".join(sorted(clusters))
            report.wrong(
                (*trail, "cluster"), f"there is no cluster {part.cluster}", f"the clusters are {names}"
            )
        elif key in {each.key for each in found}:
            report.wrong(trail, f"{key} is listed twice", "list it once")
        else:
            needs = tuple(map(Key.parse, part.needs))
            written = report.written(trail)
            found.append(ListedResource(key, part.spec, needs, dotted(written), _origins(written, report)))
    return tuple(found)


def _origins(trail: Trail, report: Problems) -> dict[Trail, Origin]:
    """Return the positions of all parts of a value, by their path inside it."""
    return {
        part[len(trail) :]: report.doc.origin(part)
        for part in report.doc.values
        if part[: len(trail)] == trail
    }
