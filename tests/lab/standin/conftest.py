"""A lab of its own for the stand-ins, and a mesh installed there by the guide's commands alone.

Its own, because these tests break meshes, stop istiods and servers, and stop the stand-in itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mesh.lab import Lab, charts
from tests.lab.standin import authority
from tests.lab.standin.authority import Root
from tests.lab.standin.hand import Hand

CLUSTERS = ("cluster1", "cluster2")


@pytest.fixture(scope="package")
def own_lab(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two clusters of two nodes. `MESH_TEST_STANDIN_DIR` names a folder for a lab kept between runs."""
    kept = os.environ.get("MESH_TEST_STANDIN_DIR")
    lab = Lab.open("standin", folder=Path(kept) if kept else tmp_path_factory.mktemp("standin") / "lab")
    try:
        lab.up(clusters=2, nodes=2)
        yield lab
    finally:
        if not kept:
            lab.down()


@pytest.fixture(scope="package")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """The root of trust of both clusters; as old as their lab, since no istiod takes another one."""
    kept = os.environ.get("MESH_TEST_STANDIN_DIR")
    folder = Path(f"{kept}-root") if kept else tmp_path_factory.mktemp("ca") / "root"
    return Root(folder) if folder.exists() else authority.root(folder)


@pytest.fixture(scope="package")
def other_root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """A root of trust of nobody."""
    return authority.root(tmp_path_factory.mktemp("ca") / "other")


@pytest.fixture(scope="package")
def hand(own_lab: Lab, root: Root, tmp_path_factory: pytest.TempPathFactory) -> Hand:
    """Hands on a mesh of two linked clusters, healthy when a test gets it."""
    hand = Hand(own_lab, charts.write(tmp_path_factory.mktemp("charts")))
    intermediates = [root.intermediate(cluster) for cluster in CLUSTERS]
    with ThreadPoolExecutor(len(CLUSTERS)) as pool:
        list(pool.map(hand.install, CLUSTERS, intermediates))
    for cluster in CLUSTERS:
        hand.link(cluster, hand.other(cluster))
    for cluster in CLUSTERS:
        hand.healthy(cluster)
    return hand
