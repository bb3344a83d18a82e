"""Build the lab's binaries from the pinned go.mod, once, into the cache."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from mesh.errors import LabError
from mesh.lab.filelock import locked
from mesh.lab.golang import downloaded, find_go
from mesh.lab.paths import cache_dir
from mesh.lab.progress import Line, Progress

SOURCE = Path(__file__).parent / "toolchain"

#: Without these, the binaries report no version: helm rejects such a client, and API discovery shows
#: v0.0.0. The numbers follow go.mod.
LDFLAGS = (
    "-s -w"
    " -X k8s.io/component-base/version.gitVersion=v1.37.2"
    " -X k8s.io/component-base/version.gitMajor=1"
    " -X k8s.io/component-base/version.gitMinor=37"
    " -X helm.sh/helm/v4/internal/version.version=v4.3.1"
    " -X sigs.k8s.io/kwok/pkg/consts.Version=v0.8.0"
)

#: The Gateway API CRDs come as a Go module too, so go.sum pins their bytes.
GATEWAY_API = "sigs.k8s.io/gateway-api@v1.6.2"
GATEWAY_API_SUM = "h1:vh5YzKlbdBivEaLX61+APKLGRq4tZ7Fj4XfGkv08xB4="


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A built toolchain: one folder of the cache."""

    root: Path

    @property
    def bin(self) -> Path:
        """The folder with etcd, kube-apiserver, kubectl, helm and the rest."""
        return self.root / "bin"

    def crds(self, channel: str) -> Path:
        """Return the folder with one file per Gateway API CRD; `channel` is standard or experimental.

        `standard-policy` and `experimental-policy` contain the matching admission policy.
        """
        return self.root / "gateway-api" / channel


def digest() -> str:
    """Return a digest of the toolchain's sources, 16 hex digits: the same digest means the same binaries."""
    parts = [
        (SOURCE / "go.mod").read_bytes(),
        (SOURCE / "go.sum").read_bytes(),
        f"{LDFLAGS}\n{GATEWAY_API}\n{platform.system()}/{platform.machine()}".encode(),
    ]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def toolchain(progress: Progress | None = None) -> Toolchain:
    """Return the toolchain; builds it if it is not in the cache.

    The first build takes about ten minutes and 1.5 GB of Go caches. Raise `LabError` with the end of
    the build output if it fails.
    """
    root = cache_dir() / "toolchain" / digest()
    if root.exists():
        return Toolchain(root)
    progress = progress or Line("building the lab's toolchain (once, about ten minutes)")
    lock = root.with_name(f"{root.name}.lock")
    with locked(lock, deadline=3600, waiting=lambda: progress.tick("another command is building it")) as held:
        if not root.exists():
            _build(root, held=held, progress=progress)
            progress.done(f"ready in {root}")
    return Toolchain(root)


def gateway_api_crds(channel: str = "standard") -> Path:
    """Return the folder with the pinned Gateway API CRDs, one file each; builds a missing toolchain."""
    return toolchain().crds(channel)


def _build(root: Path, *, held: int, progress: Progress) -> None:
    """Build in a folder beside `root` and rename it at the end, so that `root` is complete or absent."""
    building = root.with_name(f".{root.name}")
    shutil.rmtree(building, ignore_errors=True)
    (building / "bin").mkdir(parents=True)
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(SOURCE / name, building / name)
    go = find_go(cache_dir(), progress)
    _install(go, building, held=held, progress=progress)
    # `go install` names a binary after its folder, and etcd's main package lives in one called server.
    (building / "bin" / "server").rename(building / "bin" / "etcd")
    progress.tick(GATEWAY_API)
    _copy_crds(go, building)
    building.rename(root)


def _install(go: Path, building: Path, *, held: int, progress: Progress) -> None:
    log = building / "build.log"
    command = [str(go), "install", "-v", "-trimpath", "-buildvcs=false", "-ldflags", LDFLAGS, "tool"]
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
            f"the toolchain does not build:\n{tail}", hint=f"see {log}; the Go module proxy must be reachable"
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


def _copy_crds(go: Path, building: Path) -> None:
    folder = downloaded(go, GATEWAY_API, GATEWAY_API_SUM)
    for channel in ("standard", "experimental"):
        for manifest in sorted((folder / "config" / "crd" / channel).glob("gateway.*.yaml")):
            # The folder also contains an admission policy, which is only installed on request.
            is_crd = "kind: CustomResourceDefinition" in manifest.read_text()
            target = building / "gateway-api" / (channel if is_crd else f"{channel}-policy")
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(manifest, target / manifest.name)  # not copy: the module cache is read-only
