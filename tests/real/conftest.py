"""Two clusters with real Istio for the tests of each file, and the folder of who runs mesh there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.lab import Lab
from tests.conftest import lab_apart
from tests.e2e.hands import Tool, kubectl_of


@pytest.fixture(scope="module")
def lab(real_istio: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    assert real_istio.exists()
    with lab_apart(tmp_path_factory, "real", clusters=2, istio="real") as one:
        yield one


@pytest.fixture(scope="module")
def kubectl(lab: Lab) -> Tool:
    return kubectl_of(lab)
