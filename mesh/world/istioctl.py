"""The user's istioctl, if installed: its version and its analysis, for checks only."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any

from mesh.errors import MeshError
from mesh.model import Attrs
from mesh.world import trace
from mesh.world.child_env import child_env

SECONDS = 60.0


def analyze(context: str, kubeconfig: str, env: Mapping[str, str]) -> tuple[Attrs, ...]:
    """Return the messages of `istioctl analyze -A`; raise MeshError if it is missing or fails."""
    program = _program(env)
    if program is None:
        raise MeshError("istioctl is not on PATH", hint="install the istioctl of your distribution")
    argv = [program, "analyze", "--all-namespaces", "--output", "json", "--context", context]
    argv += ["--kubeconfig", kubeconfig] if kubeconfig else []
    return tuple(_asked(argv, env) or ())


def version(env: Mapping[str, str]) -> str:
    """Return the version of the istioctl on PATH, "" if there is none; raise MeshError if it prints none."""
    program = _program(env)
    if program is None:
        return ""
    found = _asked([program, "version", "--remote=false", "--output", "json"], env)
    told = found.get("clientVersion", {}).get("version", "") if isinstance(found, Mapping) else ""
    if not told:
        raise MeshError("istioctl version prints no version")
    return str(told)


def _program(env: Mapping[str, str]) -> str | None:
    return shutil.which("istioctl", path=env.get("PATH", ""))


def _asked(argv: Sequence[str], env: Mapping[str, str]) -> Any:
    began = time.monotonic()
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            check=False,
            timeout=SECONDS,
            env=child_env(env),
            stdin=subprocess.DEVNULL,
        )
        trace.process(trace.EXEC, argv, done.returncode, began)
        return json.loads(done.stdout or b"[]")
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise MeshError(f"istioctl {argv[1]} does not answer: {type(error).__name__}") from None
