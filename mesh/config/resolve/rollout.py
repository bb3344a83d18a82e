"""Resolve the rollout: the order in which clusters get disruptive changes."""

from __future__ import annotations

from collections.abc import Collection

from mesh.config.resolve.durations import duration
from mesh.config.schema.mesh_file import RolloutPart
from mesh.config.source.document import Trail
from mesh.config.source.problems import Problems
from mesh.model.spec import Rollout

AT: Trail = ("spec", "rollout")


def rollout(
    part: RolloutPart, clusters: Collection[str], report: Problems, settle: int | None = None
) -> Rollout:
    """Return the rollout settings; report clusters that are unknown or listed twice.

    `settle` replaces the seconds of the file.
    """
    for index, name in enumerate(part.first):
        trail = (*AT, "first", index)
        if name not in clusters:
            report.wrong(
                trail, f"there is no cluster {name}", f"the clusters are {', '.join(sorted(clusters))}"
            )
        elif name in part.first[:index]:
            report.wrong(trail, f"cluster {name} is listed twice", "list it once")
    return Rollout(
        part.clusters,
        tuple(part.first),
        duration(part.pause, (*AT, "pause"), report),
        part.gate,
        part.settle_seconds if settle is None else settle,
    )
