"""The user's istioctl, if there is one: asked for its analysis, never relied upon."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping

from mesh.errors import MeshError
from mesh.model import Attrs

SECONDS = 60.0


def analyze(context: str, kubeconfig: str, env: Mapping[str, str]) -> tuple[Attrs, ...]:
    """Return the messages of `istioctl analyze -A`; raise MeshError if it is not there or says nothing."""
    program = shutil.which("istioctl", path=env.get("PATH", ""))
    if program is None:
        raise MeshError("istioctl is not on PATH", hint="install the istioctl of your distribution")
    argv = [program, "analyze", "--all-namespaces", "--output", "json", "--context", context]
    argv += ["--kubeconfig", kubeconfig] if kubeconfig else []
    try:
        done = subprocess.run(
            argv, capture_output=True, check=False, timeout=SECONDS, env=dict(env), stdin=subprocess.DEVNULL
        )
        found = json.loads(done.stdout or b"[]")
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise MeshError(f"istioctl analyze does not answer: {type(error).__name__}") from None
    return tuple(found or ())
