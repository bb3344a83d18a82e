"""Plans of whole fleets, made by the whole command on simulated clusters: how they read, how long they are.

The golden files are what a person or a pull request sees; each has its limit of lines or bytes beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import mesh.cli.before_run
import mesh.cli.plan
from mesh.cli.print_plan import printed
from mesh.cli.saved_plan import load
from mesh.cli.views.detail import Detail
from mesh.cli.views.plan_markdown import BUDGET
from mesh.cli.views.plan_text import plan_text
from tests.cli.views.golden import expect
from tests.sim.cluster import GATEWAYS
from tests.sim.meshes import Wish
from tests.sim.runs import ready, user_folder
from tests.sim.world import Run, World, cleared, entered

GOLDEN = Path(__file__).parent / "golden"


@dataclass
class Fleet:
    """Simulated clusters and the folder of a user."""

    world: World
    folder: Path

    def run(self, *args: str) -> Run:
        run = self.world.run(*args, folder=self.folder)
        assert not run.crash, run.crash
        return run

    def edit(self, change: Callable[[str], str]) -> None:
        path = self.folder / "mesh.yaml"
        path.write_text(change(path.read_text("utf-8")), "utf-8")

    def applied(self) -> None:
        run = self.run("apply")
        assert run.code == 0, run.text[-3000:]
        self.world.rest()
        self.world.settle()

    def read(self, name: str, *, lines: int) -> str:
        """What `plan` prints as text and as Markdown, each compared with its file; the text is returned."""
        text = self.run("plan").text
        assert len(text.splitlines()) <= lines, text
        expect(f"{name}.txt", self.plain(text), GOLDEN)
        comment = self.run("plan", "--format", "markdown").text
        assert len(comment.encode()) <= BUDGET
        expect(f"{name}.md", self.plain(comment), GOLDEN)
        return text

    def asked(self) -> str:
        """What `apply` prints before its question, at most 40 lines."""
        path = self.folder / "plan.json"
        assert self.run("plan", "--out", str(path)).code == 0
        text = plan_text(load(path), colour=False, width=100, detail=Detail.HEADLINES)
        assert len(text.splitlines()) <= 40
        return text

    def plain(self, text: str) -> str:
        """The text without what differs from run to run: digests of keys that are drawn, and the folder."""
        return re.sub(r"sha256:[0-9a-f]{64}|(?<=\")[0-9a-f]{12}(?=\")", "…", text).replace(
            str(self.world.room), "…"
        )


@contextmanager
def fleet(count: int, *, linked: bool = True) -> Iterator[Fleet]:
    """A simulated fleet and a user's folder; plans are printed by the command's own views."""
    with ready() as room, pytest.MonkeyPatch.context() as patch:
        patch.setattr(mesh.cli.plan, "printed", printed)
        patch.setattr(mesh.cli.before_run, "printed", printed)
        patch.setenv("COLUMNS", "100")
        yield from _fleet(room, count, linked=linked)


def _fleet(room: Path, count: int, *, linked: bool) -> Iterator[Fleet]:
    names = tuple(f"cluster{n}" for n in range(1, count + 1))
    world = World(1, names, cleared(room))
    with entered(world):
        wish = Wish.of(names)
        folder = user_folder(room, wish if linked else wish.changed(links=frozenset()))
        for each in world.clusters.values():
            each.born()
        yield Fleet(world, folder)


@pytest.mark.parametrize(("count", "limit"), [(2, 90), (8, 110)])
def test_a_first_plan_shows_the_fleet_once(count: int, limit: int) -> None:
    with fleet(count) as one:
        text = one.read(f"install-{count}", lines=limit)
        assert f"{count * (count - 1)} links added" in text
        assert "link/*/* will be created" in one.asked()
        whole = one.run("plan", "--full").text
        assert whole.count("will be created") == 1 + 11 * count + count * (count - 1)


def test_an_upgrade_of_fifty_clusters_with_an_outlier_is_one_screen() -> None:
    with fleet(50, linked=False) as one:
        one.applied()
        other = "{name: cluster7, values: {istiod: {env: {TRY: other}}}}"
        one.edit(lambda text: text.replace("1.30.2-solo", "1.30.3-solo").replace("{name: cluster7}", other))
        text = one.read("upgrade-50", lines=50)
        assert "Istio 1.30.2-solo -> 1.30.3-solo in all 50 clusters, one after another" in text
        assert "chart/cluster7/istiod" in text
        assert "chart/*/ztunnel will be updated in-place in all 50 clusters" in one.asked()


def test_drift_a_destroy_and_a_refusal_read_as_what_they_are() -> None:
    with fleet(2) as one:
        one.applied()
        cluster = one.world.clusters["cluster2"]
        (link,) = (key for key, _ in cluster.of(GATEWAYS) if key[2].startswith("istio-remote"))
        cluster.api.store.objects.pop(link)
        text = one.read("drift", lines=40)
        assert "deleted outside mesh" in text
        one.applied()
        assert one.run("plan").text.startswith("No changes. ")
        one.edit(lambda text: text.replace("1.30.2-solo", "1.29.0-solo"))
        refused = one.run("plan")
        assert refused.code not in {0, 2}
        expect("refused.txt", one.plain(refused.text), GOLDEN)
        one.edit(lambda text: text.replace("1.29.0-solo", "1.30.2-solo"))
        head, digest, _ = one.run("destroy").text.partition("Digest: ")
        assert digest
        assert len(head.splitlines()) <= 60
        expect("destroy.txt", one.plain(head), GOLDEN)
