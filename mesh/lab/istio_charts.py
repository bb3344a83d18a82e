"""The charts of upstream Istio itself, out of its Go module: what the stand-in charts are held to.

The module holds what a release is made of. The release builder gives each chart its version, and the values
their hub and tag; `istio_charts` does the same, for any version that a test wants.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from mesh.lab.filelock import locked
from mesh.lab.golang import downloaded, find_go
from mesh.lab.paths import cache_dir
from mesh.lab.progress import Line, Progress

MODULE = "istio.io/istio@v0.0.0-20260827124520-eed52ebb66ad"
SUM = "h1:ui9TJjRMAV/hb5ehQaZDq7IUGxuQP6dra9lapT/VjHI="

VERSION = "1.31.0"
"""The release that this snapshot of the module was going to be."""

SOURCES: Mapping[str, str] = {
    "base": "base",
    "istiod": "istio-control/istio-discovery",
    "cni": "istio-cni",
    "ztunnel": "ztunnel",
}
"""The folder of each chart in the module; the keys are the names of the published charts."""

HUB = "registry.istio.io/release"
_VERSION_LINE = re.compile(r"^(version|appVersion): .*$", re.MULTILINE)
_HUB_LINE = re.compile(r"^( *hub: )registry\.istio\.io/testing$", re.MULTILINE)
_TAG_LINE = re.compile(r"^( *tag: )latest$", re.MULTILINE)


def istio_charts(version: str = VERSION, progress: Progress | None = None) -> Path:
    """Return the folder with the charts, one folder each; download and package them if the cache has none.

    Raise LabError if the module cannot be had.
    """
    made_by = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    root = cache_dir() / "istio-charts" / made_by / version
    with locked(root.with_name(f"{root.name}.lock"), deadline=900):
        if not root.exists():
            progress = progress or Line("downloading the charts of Istio")
            module = downloaded(find_go(cache_dir(), progress), MODULE, SUM)
            building = root.with_name(f".{root.name}")
            shutil.rmtree(building, ignore_errors=True)
            for name, source in SOURCES.items():
                _package(module / "manifests" / "charts" / source, building / name, version)
            building.rename(root)
            progress.done(f"ready in {root}")
    return root


def _package(source: Path, target: Path, version: str) -> None:
    # Without the modes of the module cache: a folder that cannot be written to could not be removed either.
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    about, values = target / "Chart.yaml", target / "values.yaml"
    about.write_text(_VERSION_LINE.sub(rf"\g<1>: {version}", about.read_text()))
    text = _HUB_LINE.sub(rf"\g<1>{HUB}", values.read_text())
    values.write_text(_TAG_LINE.sub(rf"\g<1>{version}", text))
