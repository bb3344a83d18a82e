from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.engine.session import Session
from tests.engine.toy import open_session


@pytest.fixture
def here(tmp_path: Path) -> Session:
    return open_session(tmp_path)


@pytest.fixture(scope="module")
def folders() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
