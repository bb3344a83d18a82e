"""A lab of its own for the checks, and a mesh on it that is broken and fixed again and again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mesh.config.decode import load_mesh
from mesh.engine.registry import all_kinds
from mesh.engine.session import Session
from mesh.lab import Lab, charts
from mesh.model import Unread
from mesh.model.spec import Mesh
from mesh.queries.check import check
from mesh.queries.checks.model import CheckReport, CheckResult, CheckStatus
from mesh.state.store import Store
from mesh.world import World
from mesh.world.fingerprint_keys import FingerprintKeys
from mesh.world.kube.client import connect
from tests.e2e.hands import Mesh as CommandLine
from tests.e2e.hands import home
from tests.lab.standin import authority
from tests.lab.standin.authority import Root
from tests.lab.standin.hand import Hand
from tests.providers.worlds import world_on
from tests.support import seen


@dataclass(frozen=True)
class Rig:
    """A linked mesh of two clusters: the command line on it, hands on it, and a foreign root of trust."""

    mesh: CommandLine
    hand: Hand
    root: Root
    folder: Path

    def results(
        self, *ids: str, mesh: Mesh | None = None, world: World | None = None
    ) -> dict[str, list[CheckResult]]:
        """What came of some checks, by id; those that need a plan are skipped."""
        report = self.report(*ids, mesh=mesh, world=world)
        return {name: [each for each in report.results if each.check.id == name] for name in ids}

    def report(self, *ids: str, mesh: Mesh | None = None, world: World | None = None) -> CheckReport:
        """Ask the checks within this process: the clusters are read again each time."""
        desired = mesh or self.desired()
        session = Session(
            desired, world or self.world(desired), all_kinds(), Store(self.mesh.folder / "mesh.lock"), None
        )
        report = check(session, lambda: Unread("no plan was asked for"), phase=None, only=ids, skipped=())[1]
        seen.note(report.results)
        return report

    def desired(self) -> Mesh:
        """The mesh file, decoded."""
        return load_mesh(self.mesh.file)

    def world(self, mesh: Mesh) -> World:
        """The lab by the contexts of a mesh file."""
        here = world_on(self.hand.lab, self.folder)
        contexts = [(each.name, each.context, "") for each in mesh.clusters]
        namespaces = {each.name: each.namespace for each in mesh.clusters}
        keys = FingerprintKeys(mesh.name, namespaces, lambda: b"")
        return replace(here, kubes=connect(contexts, here.env), keys=keys)


def says(results: list[CheckResult]) -> str:
    """Everything that failed results say, or why they were skipped."""
    told = [f"{each.cluster}: {finding.says}" for each in results for finding in each.findings]
    return "\n".join([*told, *(f"{each.cluster}: {each.state.value}: {each.why}" for each in results)])


def states(results: list[CheckResult]) -> set[CheckStatus]:
    """The different outcomes of one check."""
    return {each.state for each in results}


@pytest.fixture(scope="package")
def rig(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Two linked clusters, healthy. `MESH_TEST_CHECKS_DIR` names a folder for a lab kept between runs."""
    with rigged("checks", tmp_path_factory, os.environ.get("MESH_TEST_CHECKS_DIR")) as one:
        yield one


@contextmanager
def rigged(name: str, tmp_path_factory: pytest.TempPathFactory, kept: str | None = None) -> Iterator[Rig]:
    """A lab of two linked clusters with this name, healthy; it is taken down unless it is kept."""
    folder = tmp_path_factory.mktemp(name)
    lab = Lab.open(name, folder=Path(kept) if kept else folder / "lab")
    try:
        lab.up(clusters=2, nodes=2)
        mesh = home(lab, folder / "home")
        if kept:
            mesh = _kept(mesh, Path(f"{kept}-home"))
        hand = Hand(lab, charts.write(tmp_path_factory.mktemp("charts")))
        mesh.applied()
        for cluster in lab.contexts:
            hand.healthy(cluster)
        yield Rig(mesh, hand, authority.root(folder / "root"), folder)
    finally:
        if not kept:
            lab.down()


def _kept(mesh: CommandLine, folder: Path) -> CommandLine:
    """The folder of an earlier run, with its lockfile and root key; made of the new one the first time."""
    if not folder.exists():
        mesh.folder.rename(folder)
    env = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}
    return CommandLine(folder, {**mesh.env, **env})
