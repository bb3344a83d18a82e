"""A lab with four clusters in full mesh, and the environment of a measured command."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mesh.lab import Lab, gateway_api_crds

ROOT = Path(__file__).resolve().parent.parent
MESH = str(Path(sys.executable).parent / "mesh")
UNSEEN = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH", "PYTHONSTARTUP")
"""Variables of the caller's shell that would prevent Python from using its bytecode cache."""

MESH_FILE = """\
apiVersion: mesh/v1
kind: Mesh
metadata: {name: bench}
spec:
  istio:
    version: 1.30.2-solo
    license: {env: GLOO_MESH_LICENSE_KEY}
  rootOfTrust:
    ca: {generate: {}}
  clusters:
"""

COUNTING_HELM = """\
#!/bin/sh
echo "$1" >>{log}
exec {helm} "$@"
"""


@dataclass(frozen=True, slots=True)
class Rig:
    """A running lab, the folder with the mesh file, and the environment of a command."""

    lab: Lab
    folder: Path
    env: Mapping[str, str]

    def run(self, *argv: str) -> str:
        """Run a command to its end and return what it prints; it must succeed."""
        return subprocess.run(
            argv, cwd=self.folder, env=dict(self.env), check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    def helms(self) -> int:
        """Return the number of helm processes that mesh has started since the last call."""
        log = self.folder / "helms"
        started = len(log.read_text().splitlines()) if log.exists() else 0
        log.unlink(missing_ok=True)
        return started


@contextmanager
def rig(folder: Path, clusters: int) -> Iterator[Rig]:
    """Start a lab, and delete it whatever happens."""
    lab = Lab.open("bench", folder=folder / "lab")
    try:
        lab.up(clusters=clusters, nodes=2)
        yield Rig(lab, folder, _prepare(lab, folder))
    finally:
        lab.down()


def _prepare(lab: Lab, folder: Path) -> Mapping[str, str]:
    members = "".join(f"    - {{name: {name}, context: {name}}}\n" for name in lab.contexts)
    (folder / "mesh.yaml").write_text(f"{MESH_FILE}{members}  links: full-mesh\n")
    log, helm = folder / "helms", folder / "helm"
    real = shlex.quote(str(lab.bin / "helm"))
    helm.write_text(COUNTING_HELM.format(log=shlex.quote(str(log)), helm=real))
    helm.chmod(0o700)
    return {
        **{name: value for name, value in os.environ.items() if name not in UNSEEN},
        **lab.environment(),
        "MESH_HELM": str(helm),
        "GLOO_MESH_LICENSE_KEY": "a-licence-for-the-lab",
        "MESH_CHART_SOURCE": str(ROOT / "mesh" / "lab" / "charts"),
        "MESH_GATEWAY_API_SOURCE": str(gateway_api_crds()),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "PYTHONPATH": str(ROOT),
    }
