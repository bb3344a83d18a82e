"""Fixtures for every test of the outside world."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.stumbling import Stumbling, serving


@pytest.fixture
def server() -> Iterator[Stumbling]:
    """A local API server that gives the answers it is told."""
    with serving() as one:
        yield one
