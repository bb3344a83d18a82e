"""`make demo`: two linked clusters on this machine, with the commands that a user would run.

Everything it creates is in a temporary folder and a temporary lab, and is deleted at the end.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mesh.cli.views.errors import error_text
from mesh.errors import MeshError
from mesh.lab import Lab, gateway_api_crds, toolchain

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "two-clusters" / "mesh.yaml"
CHARTS = ROOT / "mesh" / "lab" / "charts"

COMMANDS = (
    ("show the changes", ["plan"], 0),
    ("make the changes", ["apply", "--yes"], 0),
    ("plan again: no changes", ["plan", "--detailed-exitcode"], 0),
    ("show the live state", ["status"], 0),
    ("remove everything", ["destroy", "--yes"], 0),
)


def demo() -> int:
    """Run the demo; return the exit code of the first command that fails, else 0."""
    began = time.monotonic()
    tools = toolchain()
    with tempfile.TemporaryDirectory(prefix="mesh-demo-") as folder:
        lab = Lab.open("demo", folder=Path(folder) / "lab")
        try:
            _say(f"mesh lab up --clusters 2   # real control planes: {tools.bin.name}, on loopback")
            lab.up(clusters=2, nodes=2)
            code = _story(lab, Path(folder))
        finally:
            lab.down()
    _say(f"done in {time.monotonic() - began:.0f} s; the lab is deleted")
    return code


def _story(lab: Lab, folder: Path) -> int:
    document = folder / "mesh.yaml"
    document.write_bytes(EXAMPLE.read_bytes())
    env = {
        **os.environ,
        **lab.environment(),
        "PATH": f"{lab.bin}{os.pathsep}{os.environ.get('PATH', '')}",
        "GLOO_MESH_LICENSE_KEY": "a-licence-for-the-lab",
        "MESH_CHART_SOURCE": str(CHARTS),
        "MESH_GATEWAY_API_SOURCE": str(gateway_api_crds()),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }
    for words, arguments, expected in COMMANDS:
        _say(f"mesh {shlex.join(arguments)}   # {words}")
        code = subprocess.run(
            [sys.executable, "-m", "mesh", *arguments], cwd=folder, env=env, check=False
        ).returncode
        if code != expected:
            _say(f"mesh {shlex.join(arguments)} exited with {code}, expected {expected}")
            return code or 1
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"\n$ {text}\n" if text.startswith("mesh ") else f"\n{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(demo())
    except MeshError as error:
        sys.stderr.write(error_text(error))
        sys.exit(error.exit_code)
