"""The user's istioctl, if installed: its version and its analysis, for checks only."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from typing import Any

from mesh.errors import MeshError
from mesh.model import Attrs
from mesh.model.bounded_text import Unfit, loads
from mesh.world import trace
from mesh.world.bounded_process import run
from mesh.world.child_env import child_env
from mesh.world.shapes import fitted

MESSAGES = [{"code": str, "level": str, "message": str, "origin": str}]
VERSION = {"clientVersion": {"version": str}}

SECONDS = 60.0


def analyze(context: str, kubeconfig: str, env: Mapping[str, str]) -> tuple[Attrs, ...]:
    """Return the messages of `istioctl analyze -A`; raise MeshError if it is missing or fails."""
    program = _program(env)
    if program is None:
        raise MeshError("istioctl is not on PATH", hint="install the istioctl of your distribution")
    argv = [program, "analyze", "--all-namespaces", "--output", "json", "--context", context]
    argv += ["--kubeconfig", kubeconfig] if kubeconfig else []
    return tuple(_asked(argv, env, MESSAGES))


def version(env: Mapping[str, str]) -> str:
    """Return the version of the istioctl on PATH, "" if there is none; raise MeshError if it prints none."""
    program = _program(env)
    if program is None:
        return ""
    found = _asked([program, "version", "--remote=false", "--output", "json"], env, VERSION)
    told = found.get("clientVersion", {}).get("version", "")
    if not told:
        raise MeshError("istioctl version prints no version")
    return str(told)


def _program(env: Mapping[str, str]) -> str | None:
    return shutil.which("istioctl", path=env.get("PATH", ""))


def _asked(argv: Sequence[str], env: Mapping[str, str], shape: Any) -> Any:
    began = time.monotonic()
    try:
        done = run(argv, env=child_env(env), seconds=SECONDS)
        trace.process(trace.EXEC, argv, done.code, began)
        return fitted(loads(done.out.strip() or b"null"), shape)
    except Unfit as error:
        raise MeshError(f"istioctl {argv[1]}: its output cannot be used: {error}") from None
    except OSError as error:
        raise MeshError(f"istioctl {argv[1]} does not answer: {type(error).__name__}") from None
