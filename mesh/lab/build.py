"""The lab's toolchain: the control plane of Kubernetes, helm, kwok and the CRDs of the Gateway API."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from mesh.lab.gobuild import Recipe, built
from mesh.lab.golang import downloaded
from mesh.lab.progress import Progress

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


def recipe() -> Recipe:
    """Return how the toolchain is built."""
    return Recipe(
        folder="toolchain",
        about="the lab's toolchain (once, about ten minutes)",
        source=SOURCE,
        packages=("tool",),
        ldflags=LDFLAGS,
        also=GATEWAY_API,
        finish=_finish,
    )


def toolchain(progress: Progress | None = None) -> Toolchain:
    """Return the toolchain; builds it if it is not in the cache.

    The first build takes about ten minutes and 1.5 GB of Go caches. Raise `LabError` with the end of
    the build output if it fails.
    """
    return Toolchain(built(recipe(), progress))


def gateway_api_crds(channel: str = "standard") -> Path:
    """Return the folder with the pinned Gateway API CRDs, one file each; builds a missing toolchain."""
    return toolchain().crds(channel)


def _finish(go: Path, building: Path) -> None:
    # `go install` names a binary after its folder, and etcd's main package lives in one called server.
    (building / "bin" / "server").rename(building / "bin" / "etcd")
    folder = downloaded(go, GATEWAY_API, GATEWAY_API_SUM)
    for channel in ("standard", "experimental"):
        for manifest in sorted((folder / "config" / "crd" / channel).glob("gateway.*.yaml")):
            # The folder also contains an admission policy, which is only installed on request.
            is_crd = "kind: CustomResourceDefinition" in manifest.read_text()
            target = building / "gateway-api" / (channel if is_crd else f"{channel}-policy")
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(manifest, target / manifest.name)  # not copy: the module cache is read-only
