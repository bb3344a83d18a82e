"""Decode small mesh files in tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mesh.config.decode import decode
from mesh.config.resolve.overrides import Overrides
from mesh.config.source.load import parse
from mesh.errors import InputError
from mesh.model.spec import Mesh

ROOT = Path(__file__).parents[2]


BAD = sorted(Path("tests/config/bad").glob("*.yaml")) or sorted((ROOT / "tests/config/bad").glob("*.yaml"))


def mesh(text: str = "", *, istio: str = "", head: str = "", overrides: Overrides | None = None) -> Mesh:
    """Decode a small file; `text` is the rest of its spec."""
    istio = istio or "{version: 1.30.2-solo, license: {env: KEY}}"
    clusters = "" if "clusters:" in text else "clusters: [{name: a}, {name: b}, {name: c}]"
    lines = f"{clusters}\n{text}".strip().replace("\n", "\n  ")
    start = f"apiVersion: mesh/v1\nkind: Mesh\nmetadata: {{name: prod}}\n{head}"
    content = f"{start}spec:\n  istio: {istio}\n  {lines}\n"
    return decode(parse(content.encode(), "mesh.yaml"), overrides)


def mistakes(text: str = "", **more: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        mesh(text, **more)
    return [f"{each.path}: {each.what}" for each in caught.value.problems]


UPSTREAM = "{distribution: upstream, version: 1.29.1}"
