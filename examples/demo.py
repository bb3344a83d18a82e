"""`make demo`: two linked clusters on this machine, with the commands that a user would run.

With `ISTIO=real`, or if real Istio has been built before, the mesh is one of upstream Istio, and requests go
from cluster to cluster. Everything that the demo creates is in a temporary folder and a temporary lab, and is
deleted at the end.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mesh.cli.views.errors import error_text
from mesh.errors import MeshError
from mesh.lab import Lab, gateway_api_crds, istio_tools, toolchain
from mesh.lab.istio_charts import istio_charts
from mesh.lab.record import Istio

ROOT = Path(__file__).resolve().parent.parent
MESH = (sys.executable, "-m", "mesh")


@dataclass(frozen=True)
class Story:
    """What the demo shows: the commands with what each is for, run beside a mesh file."""

    istio: Istio
    example: str
    charts: Path
    commands: tuple[tuple[str, list[str]], ...]


BEGIN = (
    ("show the changes", ["mesh", "plan"]),
    ("make the changes", ["mesh", "apply", "--yes"]),
    ("plan again: no changes", ["mesh", "plan", "--detailed-exitcode"]),
    ("show the live state", ["mesh", "status"]),
)
END = (("remove everything", ["mesh", "destroy", "--yes"]),)


def stand_ins() -> Story:
    """The Solo distribution, whose charts and istiod are stand-ins."""
    return Story("standin", "two-clusters", ROOT / "mesh" / "lab" / "charts", BEGIN + END)


def real(folder: Path) -> Story:
    """Upstream Istio: real charts, real istiods, real requests."""
    lab = ["--name", "demo", "--dir", str(folder)]
    requests = (
        ("send requests through both gateways", ["mesh", "lab", "request", "cluster1", "cluster2", *lab]),
        ("and back", ["mesh", "lab", "request", "cluster2", "cluster1", "--count", "20", *lab]),
    )
    gone = tuple(
        ("a destroy refuses while workloads use the mesh", ["kubectl", "--context", each, *DELETE])
        for each in ("cluster1", "cluster2")
    )
    return Story("real", "upstream", istio_charts(), BEGIN + requests + gone + END)


DELETE = ("delete", "namespace", "lab-hello")


def demo() -> int:
    """Run the demo; return the exit code of the first command that fails, else 0."""
    began = time.monotonic()
    tools = toolchain()
    with tempfile.TemporaryDirectory(prefix="mesh-demo-") as folder:
        lab = Lab.open("demo", folder=Path(folder) / "lab")
        wanted = os.environ.get("ISTIO", "real" if istio_tools.is_built() else "standin")
        if wanted == "real":
            istio_tools.istio_tools()
        story = real(lab.folder) if wanted == "real" else stand_ins()
        try:
            _say(f"mesh lab up --istio {story.istio}   # real control planes: {tools.bin.name}, on loopback")
            lab.up(clusters=2, nodes=2, istio=story.istio)
            code = _told(story, lab, Path(folder))
        finally:
            lab.down()
    _say(f"done in {time.monotonic() - began:.0f} s; the lab is deleted")
    if story.istio != "real":
        _say("with real upstream Istio, and requests from cluster to cluster: make demo ISTIO=real")
    return code


def _told(story: Story, lab: Lab, folder: Path) -> int:
    (folder / "mesh.yaml").write_bytes((ROOT / "examples" / story.example / "mesh.yaml").read_bytes())
    env = {
        **os.environ,
        **lab.environment(),
        "GLOO_MESH_LICENSE_KEY": "a-licence-for-the-lab",
        "MESH_CHART_SOURCE": str(story.charts),
        "MESH_GATEWAY_API_SOURCE": str(gateway_api_crds()),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }
    for purpose, words in story.commands:
        if code := _ran(purpose, words, folder, env):
            return code
    return 0


def _ran(purpose: str, words: list[str], folder: Path, env: Mapping[str, str]) -> int:
    _say(f"{shlex.join(words)}   # {purpose}")
    argv = [*MESH, *words[1:]] if words[0] == "mesh" else words
    code = subprocess.run(argv, cwd=folder, env=env, check=False).returncode
    if code:
        _say(f"{shlex.join(words)} exited with {code}, expected 0")
    return code


def _say(text: str) -> None:
    is_command = text.startswith(("mesh ", "kubectl "))
    sys.stdout.write(f"\n$ {text}\n" if is_command else f"\n{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(demo())
    except MeshError as error:
        sys.stderr.write(error_text(error))
        sys.exit(error.exit_code)
