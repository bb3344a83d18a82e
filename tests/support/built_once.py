"""What a package manager brings for the tests: made once from pinned sources, and kept in the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from mesh.lab.filelock import locked
from mesh.lab.paths import cache_dir


def built_once(source: Path, lock: str, build: Callable[[Path], object], *, patience: float = 600) -> Path:
    """Return a copy of a folder in which `build` was run; the file `lock` in it pins what that brings.

    Another process that builds it at the moment is waited for `patience` seconds.
    """
    digest = hashlib.sha256((source / lock).read_bytes()).hexdigest()[:16]
    folder = cache_dir() / source.name / digest
    with locked(folder.with_name(f"{digest}.lock"), deadline=patience, waiting=lambda: None):
        if not folder.exists():
            building = folder.with_name(f".{digest}")
            shutil.rmtree(building, ignore_errors=True)
            shutil.copytree(source, building)
            build(building)
            building.rename(folder)
    return folder


def go_installed(folder: Path, go: Path, *options: str, cgo: bool = False) -> None:
    """Build the tools of a folder's go.mod into that folder."""
    env = {**os.environ, "GOBIN": str(folder), "GOFLAGS": "-mod=readonly", "CGO_ENABLED": str(int(cgo))}
    # Beside tests that wait for clusters: they come first.
    command = ["nice", "-n", "15", str(go), "install", "-trimpath", *options, "tool"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def installed_once(source: Path) -> Path:
    """Return a copy of a folder with the npm packages that its package-lock.json pins."""

    def install(folder: Path) -> None:
        assert shutil.which("npm"), f"npm is needed: it brings what {source.name} needs"
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(npm, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return built_once(source, "package-lock.json", install)
