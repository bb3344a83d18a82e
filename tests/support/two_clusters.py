"""`mesh` as a process, for a mesh of two clusters: one behind a hostile server, the other sane."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.kubeconfigs import script

ROOT = Path(__file__).resolve().parents[2]
FILE = """\
apiVersion: mesh/v1
kind: Mesh
metadata: {name: demo}
spec:
  istio: {version: 1.30.2-solo, license: {env: LICENCE}}
  clusters:
    - {name: east, context: east}
    - {name: west, context: west}
  links: full-mesh
"""
CRDS = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: gateways.gateway.networking.k8s.io
  annotations: {gateway.networking.k8s.io/bundle-version: v1.5.1, gateway.networking.k8s.io/channel: standard}
spec:
  group: gateway.networking.k8s.io
  names: {kind: Gateway, plural: gateways}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true}]
"""
HELM = """[ "$1" = version ] && echo v4.2.4 && exit
cat >/dev/null
printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: istio, namespace: istio-system}\\n'"""


# The process says itself what it took at most: what its parent asks for counts the memory of the parent too,
# which the child had for a moment between fork and exec.
MEASURED = """
import atexit, resource, runpy, sys
from pathlib import Path
def peak(where):
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        size = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    except OSError:
        size = str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    Path(where).write_text(size)
where = sys.argv[1]
sys.argv[:] = ["mesh", *sys.argv[2:]]
atexit.register(peak, where)
runpy.run_module("mesh", run_name="__main__")
"""


@dataclass(frozen=True)
class Result:
    """How a process ended: its exit code, what it printed, its peak memory in MiB, its seconds."""

    code: int
    out: str
    err: str
    peak: float
    seconds: float


def prepare(folder: Path, urls: Mapping[str, str], file: str = FILE) -> Path:
    """Write a mesh file, a kubeconfig and a helm; `urls` are the API servers by cluster."""
    (folder / "mesh.yaml").write_text(file)
    config = {
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in urls.items()],
        "users": [{"name": "me", "user": {"token": "t"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}} for name in urls],
    }
    (folder / "config").write_text(json.dumps(config))
    (folder / "crds.yaml").write_text(CRDS)
    for chart in ("base", "istiod", "cni", "ztunnel"):
        (folder / "charts" / chart).mkdir(parents=True)
        (folder / "charts" / chart / "Chart.yaml").write_text(f"{{name: {chart}, version: 1.30.2-solo}}")
    script(folder / "helm", HELM)
    return folder


def run(folder: Path, *args: str, seconds: float = 60.0, **env: str) -> Result:
    """Run `mesh` to its end, for so many seconds at most."""
    began = time.monotonic()
    variables = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "KUBECONFIG": str(folder / "config"),
        "MESH_HELM": str(folder / "helm"),
        "LICENCE": "a-licence",
        "MESH_ALLOW_HTTP": "127.0.0.1",
        "MESH_CHART_SOURCE": "charts",
        "MESH_GATEWAY_API_SOURCE": "crds.yaml",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
        **env,
    }
    with subprocess.Popen(
        [sys.executable, "-c", MEASURED, str(folder / "peak"), *args],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        try:
            out, err = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            raise
        code = child.returncode
    peak = float((folder / "peak").read_text()) / 1024
    return Result(code, out.decode(), err.decode(), peak, time.monotonic() - began)
