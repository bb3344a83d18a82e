"""Real Kubernetes control planes on loopback, without Docker: see `Lab` and docs/reference/lab.md."""

from __future__ import annotations

from mesh.lab.build import Toolchain, gateway_api_crds, toolchain
from mesh.lab.lab import Lab
from mesh.lab.status import ClusterStatus, LabStatus, ProcessStatus, State

__all__ = [
    "ClusterStatus",
    "Lab",
    "LabStatus",
    "ProcessStatus",
    "State",
    "Toolchain",
    "gateway_api_crds",
    "toolchain",
]
