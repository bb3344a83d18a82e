"""The chart of a release, from the release's own Secret: no other source is needed."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mesh.errors import HelmError
from mesh.world import Object
from mesh.world.helm.releases import chart_of


@contextmanager
def unpacked(secret: Object) -> Iterator[Path]:
    """Yield a folder with the chart, which exists inside the context only; helm reads JSON as YAML."""
    chart = chart_of(secret)
    with tempfile.TemporaryDirectory(prefix="mesh-chart-") as name:
        folder = Path(name) / str(chart["metadata"]["name"])
        folder.mkdir()
        (folder / "Chart.yaml").write_text(json.dumps(chart["metadata"]), encoding="utf-8")
        (folder / "values.yaml").write_text(json.dumps(chart.get("values") or {}), encoding="utf-8")
        if schema := chart.get("schema"):
            (folder / "values.schema.json").write_bytes(base64.b64decode(schema))
        for each in [*(chart.get("templates") or ()), *(chart.get("files") or ())]:
            _write(folder, str(each["name"]), base64.b64decode(each["data"]))
        yield folder


def is_whole(secret: Object) -> bool:
    """Return whether the release holds the whole chart: helm leaves out the charts that it depends on."""
    return not chart_of(secret)["metadata"].get("dependencies")


def _write(folder: Path, name: str, data: bytes) -> None:
    """Write a file of the chart; raise HelmError for a name that leads out of the folder."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise HelmError(f"the release holds a file outside its chart: {name}", hint="look at who made it")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
