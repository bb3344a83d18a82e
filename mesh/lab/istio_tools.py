"""The programs of a lab with real Istio: pilot-discovery, istioctl, and the lab's own that run its pods."""

from __future__ import annotations

from pathlib import Path

from mesh.lab.gobuild import Recipe, built
from mesh.lab.istio_charts import VERSION
from mesh.lab.progress import Progress

SOURCE = Path(__file__).parent / "istio"

_ABOUT = "istio.io/istio/pkg/version"
LDFLAGS = (
    "-s -w"
    f" -X {_ABOUT}.buildVersion={VERSION}"
    f" -X {_ABOUT}.buildTag={VERSION}"
    f" -X {_ABOUT}.buildStatus=Clean"
    f" -X {_ABOUT}.buildHub=registry.istio.io/release"
)


def recipe() -> Recipe:
    """Return how the programs are built."""
    return Recipe(
        folder="istio",
        about="real Istio for the lab (once, about ten minutes)",
        source=SOURCE,
        packages=("tool", "./kubelet", "./workload", "./eastwest"),
        ldflags=LDFLAGS,
        also="",
        finish=lambda _go, _building: None,
    )


def is_built() -> bool:
    """Whether the programs are in the cache."""
    return recipe().root().exists()


def istio_tools(progress: Progress | None = None) -> Path:
    """Return the folder of the binaries; builds them if they are not in the cache.

    The first build takes about ten minutes. Raise `LabError` with the end of the build output if it fails.
    """
    return built(recipe(), progress) / "bin"
