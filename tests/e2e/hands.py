"""The command line on the lab, as a user has it: a folder with a mesh file, and what a command printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

from mesh.lab import Lab, gateway_api_crds
from tests.conftest import output
from tests.support import seen

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = REPOSITORY / "examples" / "two-clusters" / "mesh.yaml"
NO_CHANGES = "No changes. Your clusters match the configuration."
NOTHING_TO_DESTROY = "No changes. No objects need to be destroyed."


class Tool(Protocol):
    """Runs a command-line tool against one cluster; its output, or a failed test."""

    def __call__(self, context: str, *args: str, stdin: str = "") -> str: ...


@dataclass(frozen=True, repr=False)
class Answer:
    """What a command left: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    def __repr__(self) -> str:
        return f"exit {self.code}\n…{self.out[-2000:]}\n…{self.err[-2000:]}"

    def __contains__(self, text: str) -> bool:
        return text in self.out or text in self.err


@dataclass(frozen=True)
class Mesh:
    """`mesh("plan")` runs the command line in a folder of its own, by this environment."""

    folder: Path
    env: Mapping[str, str]

    def __call__(self, *args: str, env: Mapping[str, str | None] | None = None) -> Answer:
        wanted: dict[str, str | None] = {**self.env, **(env or {})}
        done = subprocess.run(
            [sys.executable, "-m", "mesh", *args],
            cwd=self.folder,
            env={name: value for name, value in wanted.items() if value is not None},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )
        seen.note_printed(args, done.stdout)
        return Answer(done.returncode, done.stdout, done.stderr)

    @property
    def file(self) -> Path:
        return self.folder / "mesh.yaml"

    def lock(self) -> Any:
        return json.loads((self.folder / "mesh.lock").read_text())

    def edit(self, change: Callable[[Any], object]) -> None:
        """Change the mesh file by a function of its spec."""
        document = yaml.safe_load(self.file.read_text())
        change(document["spec"])
        self.file.write_text(yaml.safe_dump(document, sort_keys=False))

    def applied(self, *args: str, env: Mapping[str, str | None] | None = None) -> Answer:
        """Apply, which must go well."""
        answer = self("apply", "--yes", *args, env=env)
        assert answer.code == 0, answer
        return answer

    def pending(self, *args: str) -> Answer:
        """Plan, which must find something."""
        answer = self("plan", "--detailed-exitcode", *args)
        assert answer.code == 2, answer
        return answer

    def settled(self) -> None:
        """Plan, which must find nothing."""
        answer = self("plan", "--detailed-exitcode")
        assert answer.code == 0, answer
        assert answer.out.startswith(NO_CHANGES)

    def mended(self, *args: str) -> None:
        """Apply, after which nothing is left to do."""
        self.applied(*args)
        self.settled()


def block(out: str, address: str) -> str:
    """What a plan says of one address, from its headline to its last bracket."""
    _, found, rest = out.partition(f"\n  # {address} ")
    assert found, f"nothing is said of {address}:\n{out}"
    return rest.partition("\n    }\n")[0]


def home(lab: Lab, folder: Path) -> Mesh:
    """A folder of a user's own: the example, a licence, and nothing else of this machine's."""
    folder.mkdir()
    (folder / "mesh.yaml").write_bytes(EXAMPLE.read_bytes())
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MESH_", "HELM_"))},
        **lab.environment(),
        "PYTHONPATH": str(REPOSITORY),
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "MESH_CHART_SOURCE": str(REPOSITORY / "mesh" / "lab" / "charts"),
        "MESH_GATEWAY_API_SOURCE": str(gateway_api_crds()),
        "GLOO_MESH_LICENSE_KEY": "a-licence-for-the-lab",
        "MESH_SETTLE_SECONDS": "0",  # the checks after the last step need not pass for a while
        "MESH_FULL": "1",  # what a test looks for is a step of one cluster; folds have tests of their own
    }
    return Mesh(folder, env)


def kubectl_of(lab: Lab) -> Tool:
    """`kubectl("cluster1", "get", "pods")` on a lab of one's own."""

    def run(context: str, *args: str, stdin: str = "") -> str:
        return output(lab, ["kubectl", "--context", context, *args], stdin)

    return run


def clone(mesh: Mesh, folder: Path) -> Mesh:
    """What a colleague has: the files that are in git, and a home without the root key."""
    folder.mkdir()
    for name in ("mesh.yaml", "mesh.lock"):
        (folder / name).write_bytes((mesh.folder / name).read_bytes())
    return Mesh(folder, {**mesh.env, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")})


PASSING = ("event", "lease", "pod/", "controllerrevision", "endpoint", "replicaset", "apiservice", "node")


def everything(kubectl: Tool, context: str) -> set[str]:
    """Every object of a cluster as `Kind/namespace/name`, but for what comes and goes by itself."""
    kinds = kubectl(context, "api-resources", "--verbs=list,create", "-o", "name").split()
    template = '{range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}{"\\n"}{end}'
    wanted = sorted({kind for kind in kinds if not kind.startswith(PASSING)})
    listed = kubectl(context, "get", ",".join(wanted), "-A", "-o", f"jsonpath={template}")
    return {line for line in listed.splitlines() if not line.lower().startswith(PASSING)}


def swept(kubectl: Tool, context: str) -> None:
    """Remove what a mesh leaves in a cluster, and what tests put there: an istiod may go with a namespace."""
    end = time.monotonic() + 60
    while "namespace/t-" in kubectl(context, "get", "namespace", "-o", "name") and time.monotonic() < end:
        time.sleep(0.5)
    kubectl(context, "delete", "namespace", "istio-eastwest", "istio-system", "--ignore-not-found")
    kubectl(context, "delete", "configmap", "-A", "--field-selector", "metadata.name=istio-ca-root-cert")
    kubectl(context, "delete", "validatingwebhookconfiguration", "-l", "app=istiod")
    groups = ("gateway.networking.k8s.io", "istio.io")
    crds = [name for name in kubectl(context, "get", "crd", "-o", "name").split() if name.endswith(groups)]
    if crds:
        kubectl(context, "delete", "--wait=false", *crds)
