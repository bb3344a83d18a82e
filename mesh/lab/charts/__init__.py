"""The stand-in charts `base`, `istiod`, `cni` and `ztunnel`, in any version."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

CHARTS = ("base", "istiod", "cni", "ztunnel")

#: The charts of a management plane; their version is the one in their `Chart.yaml`.
PLATFORM = ("gloo-platform-crds", "gloo-platform")

#: The version in the charts' `Chart.yaml`.
VERSION = "1.30.2-solo"

_HERE = Path(__file__).parent
_VERSION_LINE = re.compile(r"^(version|appVersion): .*$", re.MULTILINE)


def chart(name: str) -> Path:
    """Return the folder of one chart, in version `VERSION`."""
    if name not in CHARTS:
        raise ValueError(f"no stand-in chart {name!r}, only {', '.join(CHARTS)}")
    return _HERE / name


def platform(name: str) -> Path:
    """Return the folder of one chart of the management plane."""
    if name not in PLATFORM:
        raise ValueError(f"no stand-in chart {name!r}, only {', '.join(PLATFORM)}")
    return _HERE / name


def write(folder: Path, version: str = VERSION) -> Path:
    """Write all charts in `version` to `folder/<chart>`, over existing files; return `folder`.

    The default image tag follows from the version, because the templates read it from the chart.
    """
    for name in CHARTS:
        copy = folder / name
        shutil.copytree(_HERE / name, copy, dirs_exist_ok=True)
        about = copy / "Chart.yaml"
        about.write_text(_VERSION_LINE.sub(rf"\g<1>: {version}", about.read_text()))
    return folder
