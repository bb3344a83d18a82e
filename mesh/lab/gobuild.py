"""Build Go programs from a pinned go.mod, once, into the cache."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mesh.errors import LabError
from mesh.lab.filelock import locked
from mesh.lab.golang import find_go
from mesh.lab.paths import cache_dir
from mesh.lab.progress import Line, Progress

Finish = Callable[[Path, Path], None]
"""Completes a build: gets the path of `go` and the folder, with the binaries in its `bin`."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to build: the folder with go.mod, go.sum and sources, and how.

    `folder` names the folder of the cache. `packages` are what `go install` gets. `also` is whatever else the
    result depends on.
    """

    folder: str
    about: str
    source: Path
    packages: tuple[str, ...]
    ldflags: str
    also: str
    finish: Finish

    def files(self) -> tuple[Path, ...]:
        """Return every file that the build depends on, sorted."""
        every = (path for path in self.source.rglob("*") if path.is_file())
        return tuple(sorted(path for path in every if not path.name.endswith("_test.go")))

    def digest(self) -> str:
        """Return a digest of the sources, 16 hex digits: the same digest means the same binaries."""
        parts = [
            *(
                str(path.relative_to(self.source)).encode() + b"\n" + path.read_bytes()
                for path in self.files()
            ),
            f"{self.packages}\n{self.ldflags}\n{self.also}".encode(),
            f"{platform.system()}/{platform.machine()}".encode(),
        ]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]

    def root(self) -> Path:
        """Return the folder of the cache that the build is in, or will be."""
        return cache_dir() / self.folder / self.digest()


def built(recipe: Recipe, progress: Progress | None = None) -> Path:
    """Return the folder of a build; builds it if it is not in the cache.

    Raise `LabError` with the end of the build output if it fails.
    """
    root = recipe.root()
    if root.exists():
        return root
    progress = progress or Line(f"building {recipe.about}")
    lock = root.with_name(f"{root.name}.lock")
    with locked(lock, deadline=3600, waiting=lambda: progress.tick("another command is building it")) as held:
        if not root.exists():
            _build(recipe, root, held=held, progress=progress)
            progress.done(f"ready in {root}")
    return root


def _build(recipe: Recipe, root: Path, *, held: int, progress: Progress) -> None:
    """Build in a folder beside `root` and rename it at the end, so that `root` is complete or absent."""
    building = root.with_name(f".{root.name}")
    shutil.rmtree(building, ignore_errors=True)
    (building / "bin").mkdir(parents=True)
    for path in recipe.files():
        target = building / path.relative_to(recipe.source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    go = find_go(cache_dir(), progress)
    _install(recipe, go, building, held=held, progress=progress)
    progress.tick("the rest")
    recipe.finish(go, building)
    building.rename(root)


def _install(recipe: Recipe, go: Path, building: Path, *, held: int, progress: Progress) -> None:
    log = building / "build.log"
    command = (
        *(str(go), "install", "-v", "-trimpath", "-buildvcs=false"),
        *("-ldflags", recipe.ldflags, *recipe.packages),
    )
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            cwd=building,
            env=_environment(building),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Go inherits the lock, so that it is held until Go ends even if this process is killed.
            pass_fds=(held,),
        )
        with child:
            try:
                while child.poll() is None:
                    progress.tick(_last_line(log))
                    time.sleep(0.5)
            except BaseException:
                child.terminate()
                raise
    if child.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise LabError(
            f"{recipe.about.split(' (')[0]} does not build:\n{tail}",
            hint=f"see {log}; the Go module proxy must be reachable",
        )


def _environment(building: Path) -> dict[str, str]:
    """Return the user's environment (proxies, caches), with every variable that affects the build pinned."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("GOOS", "GOARCH", "GOEXPERIMENT")
    }
    return kept | {
        "GOBIN": str(building / "bin"),
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _last_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 500))
        lines = file.read().decode(errors="replace").splitlines()
    return lines[-1] if lines else "starting Go"
