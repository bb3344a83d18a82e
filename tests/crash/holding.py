"""A chart that holds helm in the middle of its work, until it is let go."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.crash.conftest import Place
from tests.e2e.hands import REPOSITORY

HOOK = """\
apiVersion: v1
kind: Pod
metadata:
  name: hold
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  restartPolicy: Never
  containers: [{name: hold, image: hold}]
"""
"""Helm waits for this pod to succeed; nothing in the lab makes it."""

DONE = json.dumps({"status": {"phase": "Succeeded"}})


@dataclass(frozen=True)
class Held:
    """An apply whose helm is held in the middle of installing istiod."""

    place: Place
    apply: subprocess.Popen[str]
    helm: int
    env: dict[str, str]

    def let_go(self) -> None:
        """Let helm finish."""
        patch = ("--subresource=status", "--type=merge", "-p", DONE)
        self.place.kubectl(self.place.cluster, "patch", "pod", "hold", "-n", "istio-system", *patch)

    def kill_helm(self) -> None:
        os.kill(self.helm, signal.SIGKILL)

    def kill_apply(self) -> None:
        self.apply.kill()
        self.apply.communicate(timeout=100)


def charts(folder: Path) -> dict[str, str]:
    """The lab's charts, istiod's with the hook; the environment that names them."""
    source = folder / "charts"
    shutil.copytree(REPOSITORY / "mesh" / "lab" / "charts", source)
    (source / "istiod" / "templates" / "hold.yaml").write_text(HOOK)
    return {"MESH_CHART_SOURCE": str(source)}


@contextmanager
def held(place: Place, folder: Path) -> Iterator[Held]:
    """Start an apply, and wait until its helm waits for the hook; at the end it is not running any more."""
    env, helm = charts(folder), 0
    apply = started(place, env)
    lock = place.mesh.folder / ".mesh" / "run" / f"helm-{place.cluster}+istio-system+istiod.lock"
    find = ("get", "pod", "hold", "-n", "istio-system", "--ignore-not-found", "-o", "name")
    try:
        wait_for(lambda: apply.poll() is not None or place.kubectl(place.cluster, *find) != "")
        assert apply.poll() is None, apply.communicate()[0]
        helm = int(json.loads(lock.read_text())["pid"])
        yield Held(place, apply, helm, env)
    finally:
        if apply.poll() is None:
            apply.kill()
            apply.communicate(timeout=100)
            with suppress(ProcessLookupError):
                os.kill(helm, signal.SIGKILL)


def started(place: Place, env: dict[str, str], *args: str) -> subprocess.Popen[str]:
    """An apply that runs beside the test; stderr is in its output."""
    return subprocess.Popen(
        [sys.executable, "-m", "mesh", "apply", "--yes", *args],
        cwd=place.mesh.folder,
        env={**place.mesh.env, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def heard(process: subprocess.Popen[str], text: str) -> str:
    """Read what a process says until it says that."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if text in line:
            return "".join(said)
    raise AssertionError(f"{text!r} was never said:\n{''.join(said)}")


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(good: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not good():
        assert time.monotonic() < end, "it did not come to it in time"
        time.sleep(0.1)
