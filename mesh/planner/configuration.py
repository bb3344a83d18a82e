"""The desired state as the digest of a saved plan covers it; pure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from mesh.model.mask import mask
from mesh.model.spec import Chart, Mesh


def configuration(mesh: Mesh, folder: Path) -> Any:
    """Return the desired state, with secrets masked and without what another machine may have otherwise.

    Comments and the layout of the files do not count, nor do contexts and kubeconfigs: the UID
    shows which cluster a context leads to. Paths below the folder of the mesh file are relative.
    """
    clusters = tuple(
        replace(
            each,
            context="",
            kubeconfig="",
            charts={name: _chart(chart, mesh, folder) for name, chart in each.charts.items()},
        )
        for each in mesh.clusters
    )
    listed = tuple(
        replace(each, values=mask(each.values, mesh.sensitive), path="", origins={})
        for each in mesh.resources
    )
    return replace(
        mesh,
        file="",
        digest="",
        clusters=clusters,
        resources=listed,
        gateway_api=replace(mesh.gateway_api, source=_relative(mesh.gateway_api.source, folder)),
    )


def _chart(chart: Chart, mesh: Mesh, folder: Path) -> Chart:
    return replace(chart, ref=_relative(chart.ref, folder), values=mask(chart.values, mesh.sensitive))


def _relative(path: str, folder: Path) -> str:
    return path.removeprefix(f"{folder}/")
