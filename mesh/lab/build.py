"""The lab's binaries, built once from the pinned go.mod and kept in the cache."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from mesh.errors import LabError
from mesh.lab.filelock import locked
from mesh.lab.golang import find_go
from mesh.lab.paths import cache_dir
from mesh.lab.progress import Line, Progress

SOURCE = Path(__file__).parent / "toolchain"

#: What is built without these would report no version: helm refuses to parse such a client, and API
#: discovery would show v0.0.0. The numbers follow go.mod.
LDFLAGS = (
    "-s -w"
    " -X k8s.io/component-base/version.gitVersion=v1.37.2"
    " -X k8s.io/component-base/version.gitMajor=1"
    " -X k8s.io/component-base/version.gitMinor=37"
    " -X helm.sh/helm/v4/internal/version.version=v4.3.1"
    " -X sigs.k8s.io/kwok/pkg/consts.Version=v0.8.0"
)

#: The Gateway API CRDs come as a module too, so their bytes are pinned like all the rest.
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
        """The folder with one file per CRD of the Gateway API; `channel` is standard or experimental.

        `standard-policy` and `experimental-policy` hold the admission policy that comes with them.
        """
        return self.root / "gateway-api" / channel


def digest() -> str:
    """What the toolchain is made from, as 16 hex digits: same digest, same binaries."""
    parts = [
        (SOURCE / "go.mod").read_bytes(),
        (SOURCE / "go.sum").read_bytes(),
        f"{LDFLAGS}\n{GATEWAY_API}\n{platform.system()}/{platform.machine()}".encode(),
    ]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def toolchain(progress: Progress | None = None) -> Toolchain:
    """The toolchain, built now when the cache does not hold it.

    Cold this takes some ten minutes and 1.5 GB of Go's own caches. Raises `LabError` with the end of the
    build's output when it fails.
    """
    root = cache_dir() / "toolchain" / digest()
    if root.exists():
        return Toolchain(root)
    progress = progress or Line("building the lab's toolchain (once, some ten minutes)")
    lock = root.with_name(f"{root.name}.lock")
    with locked(lock, deadline=3600, waiting=lambda: progress.tick("another command builds it")) as held:
        if not root.exists():
            _build(root, held=held, progress=progress)
            progress.done(f"ready in {root}")
    return Toolchain(root)


def gateway_api_crds(channel: str = "standard") -> Path:
    """The folder with the pinned Gateway API CRDs, one file each; builds the toolchain when missing."""
    return toolchain().crds(channel)


def _build(root: Path, *, held: int, progress: Progress) -> None:
    """Build in a folder beside `root` and rename it at the end, so `root` is whole or absent."""
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
            # Inherited, so that the lock is held until Go itself has ended even if we are killed.
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
    """The user's environment (proxies, caches) with everything pinned that would change the result."""
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
    answer = subprocess.run(
        [go, "mod", "download", "-json", GATEWAY_API],
        cwd=building / "bin",
        env=_environment(building) | {"GOFLAGS": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if answer.returncode != 0:
        raise LabError(f"cannot download {GATEWAY_API}: {answer.stderr.strip()[-500:]}")
    module = json.loads(answer.stdout)
    if module["Sum"] != GATEWAY_API_SUM:
        raise LabError(f"{GATEWAY_API} has sum {module['Sum']}, expected {GATEWAY_API_SUM}")
    for channel in ("standard", "experimental"):
        for manifest in sorted((Path(module["Dir"]) / "config" / "crd" / channel).glob("gateway.*.yaml")):
            # The folder also holds an admission policy, which nobody gets without asking for it.
            is_crd = "kind: CustomResourceDefinition" in manifest.read_text()
            target = building / "gateway-api" / (channel if is_crd else f"{channel}-policy")
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(manifest, target / manifest.name)  # not copy: the module cache is read-only
