"""A mesh of two clusters with real Istio, as its file has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mesh.lab import Lab
from mesh.lab.istio_charts import VERSION, istio_charts
from tests.e2e.hands import Mesh, home

CLUSTERS = ("cluster1", "cluster2")
SYSTEM = ("-n", "istio-system")


def upstream(lab: Lab, folder: Path, **more: Any) -> Mesh:
    """A folder with the file of a full mesh; `more` is added to its spec."""
    spec = {
        "istio": {"distribution": "upstream", "version": VERSION},
        "defaults": {"allowLoopback": True},
        "clusters": [{"name": name, "context": name} for name in CLUSTERS],
        "links": "full-mesh",
    }
    document = {"apiVersion": "mesh/v1", "kind": "Mesh", "metadata": {"name": "demo"}, "spec": spec | more}
    one = with_real_charts(home(lab, folder))
    one.file.write_text(yaml.safe_dump(document))
    return one


def with_real_charts(one: Mesh) -> Mesh:
    """The same folder, where charts are those of Istio itself."""
    return Mesh(one.folder, {**one.env, "MESH_CHART_SOURCE": str(istio_charts())})
