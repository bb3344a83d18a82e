"""One disturbed run on a lab: what is drawn for it, carrying it out, and what holds afterwards."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mesh.lab import Lab
from tests.chaos.proxy import FAULTS, before
from tests.e2e.hands import NO_CHANGES, Mesh, clone, home, kubectl_of, swept

HERE = Path(__file__).parent
PATIENCE = 400
OPERATIONS = ("value", "value", "link", "label", "destroy", "install")
MISCHIEFS = ("kill", "kill", "kill-all", "proxy", "proxy", "race", "helm", "full", "clock")
HELM = ("fails", "fails-after", "dies-after", "hangs", "noise")
POINTS = {"value": 160, "link": 120, "label": 120, "destroy": 260, "install": 420}
"""About how many points each operation has at which it can be killed."""


@dataclass(frozen=True)
class Drawn:
    """What one seed asks for."""

    seed: int
    operation: str
    mischief: str
    detail: str

    @classmethod
    def of(
        cls, seed: int, mischiefs: tuple[str, ...] = MISCHIEFS, operations: tuple[str, ...] = OPERATIONS
    ) -> Drawn:
        draw = random.Random(seed)
        mischief, operation = draw.choice(mischiefs), draw.choice(operations)
        if mischief in ("race", "helm"):
            operation = "value"
        details = {
            "kill": f"{draw.randrange(1, POINTS[operation])}",
            "kill-all": f"{draw.randrange(1, POINTS[operation])}",
            "full": f"{draw.randrange(1, 30)}",
            "clock": draw.choice(("400", "-400")),
            "helm": draw.choice(HELM),
            "race": draw.choice(("one", "two", "two", "three")),
            "proxy": f"{draw.choice((0.03, 0.1, 0.3))} {draw.choice((*FAULTS, 'any'))}",
        }
        return cls(seed, operation, mischief, details[mischief])


@dataclass
class Ground:
    """A lab with a mesh in it, and what is known of it."""

    lab: Lab
    mesh: Mesh
    folder: Path
    tries: int = 0
    helm: str = ""
    users: dict[str, str] = field(default_factory=dict)
    root: bytes = b""

    @classmethod
    def made(cls, lab: Lab, folder: Path) -> Ground:
        one = cls(lab, home(lab, folder / "a"), folder, helm=str(lab.bin / "helm"))
        kubectl = kubectl_of(lab)
        for cluster in lab.contexts:
            swept(kubectl, cluster)
            kubectl(cluster, "delete", "configmap", "users-map", "--ignore-not-found")
            kubectl(cluster, "create", "configmap", "users-map", "--from-literal=a=1")
        one.mesh.applied()
        one.users, one.root = one.users_now(), one.root_now()
        return one

    def users_now(self) -> dict[str, str]:
        template = "jsonpath={.metadata.uid} {.data}"
        kubectl = kubectl_of(self.lab)
        return {
            each: kubectl(each, "get", "configmap", "users-map", "-o", template) for each in self.lab.contexts
        }

    def root_now(self) -> bytes:
        return (self.mesh.folder / "config" / "mesh" / "demo" / "root.crt").read_bytes()

    def prepare(self, operation: str) -> list[str]:
        """Change what the operation needs; return its command."""
        self.tries += 1
        value = str(self.tries)
        match operation:
            case "value":
                self.mesh.edit(
                    lambda spec: spec.update(defaults={"values": {"istiod": {"env": {"TRY": value}}}})
                )
            case "link":
                links = "full-mesh" if self.tries % 2 else [{"from": ["cluster1"], "to": ["cluster2"]}]
                self.mesh.edit(lambda spec: spec.update(links=links))
            case "label":
                kubectl_of(self.lab)(
                    "cluster1", "label", "namespace", "istio-system", "topology.istio.io/network-"
                )
            case "install":
                answer = self.mesh("destroy", "--yes")
                assert answer.code == 0, answer
            case "destroy":
                return ["destroy", "--yes"]
        return ["apply", "--yes", "--timeout", "120"]


def carried_out(ground: Ground, drawn: Drawn) -> list[int]:
    """Run the operation with its mischief; return the exit codes."""
    command = ground.prepare(drawn.operation)
    match drawn.mischief:
        case "proxy":
            share, kind = drawn.detail.split()
            kinds = FAULTS if kind == "any" else (kind,)
            with before(ground.lab.kubeconfig, drawn.seed, float(share), kinds) as (kubeconfig, _):
                return [ran(ground.mesh, command, {"KUBECONFIG": str(kubeconfig)})]
        case "helm":
            script = ground.folder / "helm.sh"
            script.write_text(f'#!/bin/sh\nexec {sys.executable} {HERE / "helm_wrapper.py"} "$@"\n')
            script.chmod(0o755)
            env = {"MESH_HELM": str(script), "CHAOS_HELM": ground.helm, "CHAOS_HOW": drawn.detail}
            env["MESH_CHILD_ENV"] = "CHAOS_*"
            return [ran(ground.mesh, command, env)]
        case "race":
            return raced(ground, drawn, command)
    return [driven(ground.mesh, f"{drawn.mischief}:{drawn.detail}", command)]


def ran(mesh: Mesh, command: list[str], env: Mapping[str, str]) -> int:
    return subprocess.run(_argv(command), **_how(mesh, env), timeout=PATIENCE, check=False).returncode


def driven(mesh: Mesh, mischief: str, command: list[str]) -> int:
    argv = [sys.executable, str(HERE / "driver.py"), mischief, "--", *command]
    return subprocess.run(argv, **_how(mesh, {}), timeout=PATIENCE, check=False).returncode


def raced(ground: Ground, drawn: Drawn, command: list[str]) -> list[int]:
    """Start two or three applies at about the same time."""
    draw = random.Random(drawn.seed + 1)
    others = [ground.mesh]
    if drawn.detail != "one":
        other = clone(ground.mesh, ground.folder / f"b{drawn.seed}")
        value = f"b{drawn.seed}"
        other.edit(lambda spec: spec.update(defaults={"values": {"istiod": {"env": {"TRY": value}}}}))
        others = [other] if drawn.detail == "two" else [other, ground.mesh]
    running = []
    for mesh in (ground.mesh, *others):
        running.append(subprocess.Popen(_argv(command), **_how(mesh, {})))
        time.sleep(draw.choice((0.0, 0.3, 1.5)))
    return [each.wait(timeout=PATIENCE) for each in running]


def _argv(command: list[str]) -> list[str]:
    return [sys.executable, "-m", "mesh", *command]


def _how(mesh: Mesh, env: Mapping[str, str]) -> dict[str, Any]:
    nothing = subprocess.DEVNULL
    return {
        "cwd": mesh.folder,
        "env": {**mesh.env, **env},
        "stdin": nothing,
        "stdout": nothing,
        "stderr": nothing,
    }


# --- afterwards ------------------------------------------------------------------------------------------


def checked(ground: Ground, drawn: Drawn, codes: list[int]) -> dict[str, Any]:
    """Do the same once more, undisturbed; return what became of the run, with everything that is wrong."""
    began = time.monotonic()
    command = ["destroy", "--yes"] if drawn.operation == "destroy" else ["apply", "--yes", "--timeout", "120"]
    answer = ground.mesh(*command)
    wrong = [] if answer.code == 0 else [f"one more {command[0]} exits {answer.code}: {answer.err[-600:]}"]
    if drawn.operation == "destroy":
        wrong += destroyed(ground)
        answer = ground.mesh("apply", "--yes", "--timeout", "120")
        wrong += [] if answer.code == 0 else [f"apply after destroy exits {answer.code}: {answer.err[-600:]}"]
    plan = ground.mesh("plan", "--detailed-exitcode")
    wrong += (
        [] if plan.code == 0 and NO_CHANGES in plan.out else [f"plan exits {plan.code}: {plan.out[:600]}"]
    )
    wrong += [*left(ground), *untouched(ground)]
    return {**asdict(drawn), "codes": codes, "wrong": wrong, "seconds": round(time.monotonic() - began, 1)}


def destroyed(ground: Ground) -> Iterator[str]:
    """Yield what a destroy should have removed."""
    kubectl = kubectl_of(ground.lab)
    for cluster in ground.lab.contexts:
        left_over = kubectl(cluster, "get", "namespace", "-l", "meshform.io/mesh", "-o", "name").split()
        left_over += kubectl(cluster, "get", "secret", "-A", "-l", "owner=helm", "-o", "name").split()
        yield from (f"{cluster}: {each} stays" for each in left_over)


def left(ground: Ground) -> Iterator[str]:
    """Yield what a run should not leave: files, leases, processes."""
    folder = ground.mesh.folder
    odd = [*folder.rglob("*.tmp"), *folder.rglob("*.values.json"), *folder.glob(".mesh/journal.jsonl")]
    yield from (f"left on disk: {each.relative_to(folder)}" for each in odd)
    kubectl = kubectl_of(ground.lab)
    for cluster in ground.lab.contexts:
        if "mesh-demo" in kubectl(cluster, "get", "lease", "-n", "kube-system", "-o", "name"):
            yield f"{cluster}: a lease stays"
    mine = str(ground.folder)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " ")
        except OSError:
            continue
        if mine in line and "/helm" in line.partition(" ")[0]:
            yield f"a process stays: {line[:120]}"


def untouched(ground: Ground) -> Iterator[str]:
    """Yield what changed that is not of the mesh, and whether the root did."""
    if ground.users_now() != ground.users:
        yield "an object of a user has changed"
    if ground.root_now() != ground.root:
        yield "the root of trust has changed"
    kubectl = kubectl_of(ground.lab)
    for cluster in ground.lab.contexts:
        names = kubectl(
            cluster,
            "get",
            "secret",
            "-A",
            "-l",
            "owner=helm,status=deployed",
            "-o",
            "jsonpath={range .items[*]}{.metadata.labels.name} {end}",
        ).split()
        # A helm that was cut off at its last request leaves the revision before as deployed too.
        missing = {"istio-base", "istiod", "istio-cni", "ztunnel"} - set(names)
        yield from (f"{cluster}: release {each} is not deployed" for each in sorted(missing))


def one_run(ground: Ground, drawn: Drawn) -> dict[str, Any]:
    """Carry one drawn run out, and look at what it left."""
    try:
        return checked(ground, drawn, carried_out(ground, drawn))
    except (AssertionError, subprocess.TimeoutExpired) as error:
        return {
            **asdict(drawn),
            "codes": [],
            "wrong": [f"{type(error).__name__}: {error}"[:900]],
            "seconds": 0.0,
        }
