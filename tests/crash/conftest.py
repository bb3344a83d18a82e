"""Two clusters that take turns: while a mesh is destroyed in one, the next test goes on in the other."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from mesh.lab import Lab
from tests.conftest import Tool
from tests.e2e.hands import Answer, Mesh, home, swept

DRIVER = Path(__file__).with_name("driver.py")
SIGKILLED = -9


@dataclass(frozen=True)
class Place:
    """One mesh of one cluster, in a folder of its own, and kubectl and helm to look at that cluster."""

    mesh: Mesh
    cluster: str
    kubectl: Tool
    helm: Tool

    def at(self, address: str) -> str:
        """An address with this place's cluster: `secret/*/cacerts`."""
        return address.replace("*", self.cluster)

    def killed(self, point: str, address: str = "-", *args: str, env: dict[str, str] | None = None) -> None:
        """Run apply until it comes to that point, where it is killed."""
        command = [sys.executable, str(DRIVER), point, self.at(address), "--", "apply", "--yes", *args]
        done = subprocess.run(
            command,
            cwd=self.mesh.folder,
            env={**self.mesh.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == SIGKILLED, (
            f"{point} {address}: {done.returncode}\n{done.stdout}{done.stderr}"
        )

    def resumed(self) -> Answer:
        """Apply, with nothing done by hand before; then nothing is left to do, and no trace of the crash."""
        answer = self.mesh.applied()
        self.mesh.settled()
        self.left_clean()
        return answer

    def left_clean(self) -> None:
        """The journal is closed, no half file lies about, nothing is half done, no lease is held."""
        assert not (self.mesh.folder / ".mesh" / "journal.jsonl").exists()
        assert not list(self.mesh.folder.glob(".mesh.lock.*"))
        assert {entry["status"] for entry in self.mesh.lock()["resources"].values()} == {"ok"}
        leases = self.kubectl(self.cluster, "get", "lease", "-n", "kube-system", "-o", "name")
        assert "mesh-demo" not in leases

    def rebuilt(self) -> None:
        """Lose the lockfile: it comes back from the clusters, and the plan is empty.

        What was adopted is then known from a cluster's copy only, and marked so.
        """
        before = self.mesh.lock()
        (self.mesh.folder / "mesh.lock").unlink()
        answer = self.mesh("state", "rebuild")
        assert answer.code == 0, answer
        assert witnessed(self.mesh.lock()) == {**before, "digest": ""}
        self.mesh.settled()

    def uids(self) -> dict[str, str]:
        """What we make in a cluster, each with its uid; releases by revision."""
        template = '{range .items[*]}{.kind}/{.metadata.name} {.metadata.uid}{"\\n"}{end}'
        found: dict[str, str] = {}
        for kinds, scope in (
            ("namespaces", ()),
            ("secrets,configmaps,deployments,daemonsets,services", ("-n", "istio-system")),
        ):
            listed = self.kubectl(self.cluster, "get", kinds, *scope, "-o", f"jsonpath={template}")
            found |= dict(line.split() for line in listed.splitlines())
        return found

    def revisions(self) -> dict[str, list[tuple[str, str]]]:
        """Every release with the number and status of each of its revisions."""
        columns = (
            "custom-columns=N:.metadata.labels.name,V:.metadata.labels.version,S:.metadata.labels.status"
        )
        listed = self.kubectl(
            self.cluster,
            "get",
            "secrets",
            "-n",
            "istio-system",
            "-l",
            "owner=helm",
            "--no-headers",
            "-o",
            columns,
        )
        found: dict[str, list[tuple[str, str]]] = {}
        for name, version, status in (line.split() for line in listed.splitlines()):
            found.setdefault(name, []).append((version, status))
        return {name: sorted(held) for name, held in found.items()}


def witnessed(rebuilt: Any) -> Any:
    """A lockfile that was read from the clusters, as the run that wrote it has it; without its digest."""
    for entry in rebuilt["resources"].values():
        assert entry.pop("told", False) is not entry["created"]
    return {**rebuilt, "digest": ""}


def second(place: Place, folder: Path) -> Mesh:
    """A fresh checkout of the same mesh file: no lockfile, no `.mesh`."""
    folder.mkdir()
    shutil.copy(place.mesh.file, folder)
    return Mesh(folder, place.mesh.env)


ONCE = {name: [("1", "deployed")] for name in ("istio-base", "istiod", "istio-cni", "ztunnel")}
"""Every release, each installed exactly once."""


@dataclass
class Stage:
    """The clusters of the lab; at most one mesh in each."""

    lab: Lab
    kubectl: Tool
    helm: Tool
    folder: Path
    leaving: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    turns: int = 0

    def enter(self) -> Place:
        """A folder and a cluster that holds no mesh; they take turns where they can."""
        order = self.lab.contexts[self.turns % 2 :] + self.lab.contexts
        cluster = next(each for each in order if each not in self.taken)
        self.taken.add(cluster)
        self.turns += 1
        self.wait_for(cluster)
        mesh = home(self.lab, self.folder / f"mesh-{self.turns}")
        # One root key for all: a cluster remembers the root of the mesh that was destroyed in it.
        mesh = replace(mesh, env={**mesh.env, "XDG_CONFIG_HOME": str(self.folder / "config")})
        mesh.edit(lambda spec: only(spec, cluster))
        return Place(mesh, cluster, self.kubectl, self.helm)

    def leave(self, place: Place) -> None:
        """Destroy the mesh, and do not wait for it."""
        command = [sys.executable, "-m", "mesh", "destroy", "--yes", "--ignore-enrolled"]
        process = subprocess.Popen(
            command,
            cwd=place.mesh.folder,
            env=dict(place.mesh.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.taken.discard(place.cluster)
        self.leaving[place.cluster] = process

    def wait_for(self, cluster: str) -> None:
        if cluster in self.leaving:
            process = self.leaving.pop(cluster)
            said, _ = process.communicate(timeout=120)
            assert process.returncode == 0, said


def only(spec: Any, cluster: str) -> None:
    """Leave one cluster in a mesh file."""
    spec["clusters"] = [each for each in spec["clusters"] if each["name"] == cluster]


@pytest.fixture(scope="package")
def stage(lab: Lab, kubectl: Tool, helm: Tool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    for cluster in lab.contexts:
        swept(kubectl, cluster)
    one = Stage(lab, kubectl, helm, tmp_path_factory.mktemp("crash"))
    yield one
    for cluster in lab.contexts:
        one.wait_for(cluster)
        swept(kubectl, cluster)


@pytest.fixture
def place(stage: Stage) -> Iterator[Place]:
    """An empty cluster and a mesh file for it."""
    one = stage.enter()
    yield one
    stage.leave(one)
