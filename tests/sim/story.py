"""What happens in one run of the simulation, drawn from its seed; and the way back to order at its end."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.sim.api import Store
from tests.sim.cluster import CRDS
from tests.sim.faults import NETWORK, Weather, drawn
from tests.sim.laws import Broken, Laws
from tests.sim.meshes import BUNDLE, GROUP, SYSTEM, Wish, bundle
from tests.sim.scheduler import Process
from tests.sim.world import Run, World

NAMES = ("c1", "c2", "c3")
DEAD = 100.0
"""Seconds after which a lease looks dead."""

UNLOCK = re.compile(r"mesh state unlock --cluster (\S+) --id (\S+?)`?(?:\s|$)")
RECOVER = re.compile(
    r"mesh recover (\S+?)`?(?:[\s:,;]|$)|(chart/[^\s:,]+)[^:]*: release \S+ .*run `mesh recover` for it"
)


@dataclass
class Base:
    """A mesh that was installed once: what is in its clusters and in its folder."""

    stores: dict[str, Store]
    versions: dict[str, int]
    made: dict[str, dict[tuple[str, str, str], int]]
    files: dict[str, bytes] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def taken(cls, world: World) -> Base:
        one = cls(
            {name: each.api.store.copy() for name, each in world.clusters.items()},
            {name: each.api.version for name, each in world.clusters.items()},
            {name: dict(each.api.made) for name, each in world.clusters.items()},
        )
        for path in sorted(world.room.rglob("*")):
            if path.is_file():
                where = str(path.relative_to(world.room))
                one.files[where], one.modes[where] = path.read_bytes(), path.stat().st_mode & 0o777
        return one

    def put(self, world: World) -> None:
        for name, each in world.clusters.items():
            each.api.store, each.api.version = self.stores[name].copy(), self.versions[name]
            each.api.made = {}
        for where, data in self.files.items():
            path = world.room / where
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(self.modes[where])


@dataclass
class Story:
    """One run: the world, what the file says now, and what happened so far."""

    world: World
    wish: Wish
    draw: random.Random
    laws: Laws
    told: list[str] = field(default_factory=list)
    by_hand: set[str] = field(default_factory=set)
    """What a person may have to do after what happened: unlock, recover."""
    earlier: list[dict[str, Store]] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.world.room / "a"

    @property
    def other(self) -> Path:
        return self.world.room / "b"

    def tell(self, text: str) -> None:
        self.told.append(f"{self.world.scheduler.now:8.2f} {text}")

    def play(self) -> None:
        """Let some acts happen, then put everything in order, and look whether the laws hold."""
        acts: list[tuple[float, Callable[[], None]]] = [
            (0.34, self.change),
            (0.14, self.race),
            (0.12, self.destroy),
            (0.06, self.look),
            (0.08, self.lose_crds),
            (0.12, self.restore),
            (0.06, self.lose_folder),
            (0.08, self.rebuild),
        ]
        for _ in range(self.draw.choice((1, 1, 1, 1, 2, 2, 3))):
            self.remember()
            at = self.draw.random()
            for share, act in acts:
                at -= share
                if at < 0:
                    act()
                    break
        self.order()

    def remember(self) -> None:
        """Keep what the clusters hold, as a backup does."""
        self.earlier.append({name: one.api.store.copy() for name, one in self.world.clusters.items()})

    # --- acts ----------------------------------------------------------------------------------------------

    def edited(self) -> Wish:
        """Return a wish that differs in something."""
        links = set(self.wish.links)
        possible = sorted(Wish.of(self.wish.clusters).links)
        if possible and self.draw.random() < 0.5:
            links ^= {self.draw.choice(possible)}
        if links == set(self.wish.links) or self.draw.random() < 0.3:
            value = str(int(self.wish.value) + 1)
        else:
            value = self.wish.value
        return self.wish.changed(links=frozenset(links), value=value, destroyed=False)

    def change(self) -> None:
        """Edit the file and apply it, in some weather."""
        self.wish = self.edited()
        self.wish.write(self.folder)
        self.tell(f"edit: {self.wish.said()}")
        self.apply(drawn(self.draw, 160 if self.wish.value else 400))

    def apply(self, weather: Weather | None) -> Run:
        self.wish = self.wish.changed(destroyed=False)
        return self.run("apply", weather=weather)

    def destroy(self) -> None:
        """Destroy the mesh, in some weather."""
        self.wish = self.wish.changed(destroyed=True)
        self.run("destroy", weather=drawn(self.draw, 300))

    def look(self) -> None:
        """Plan, in some weather."""
        self.run("plan", weather=drawn(self.draw, 60))

    def race(self) -> None:
        """Let two or three people apply at the same time, from one folder and from another."""
        if self.wish.destroyed:
            return
        if not self.other.exists():
            self.copy_folder()
        folders = [self.folder, self.other, self.draw.choice((self.folder, self.other))]
        folders = folders[: self.draw.choice((2, 2, 2, 3))]
        if self.draw.random() < 0.2:
            folders[1] = self.folder
        wishes = {}
        for folder in dict.fromkeys(folders):
            wishes[folder] = self.edited()
            wishes[folder].write(folder)
        runs = []
        for folder in folders:
            weather = self.unlucky() if self.draw.random() < 0.6 else None
            self.tell(f"race: {folder.name}: {wishes[folder].said()} {weather}")
            runs.append(self.world.begin(("apply",), folder, weather))
            if self.draw.random() < 0.6:
                self.wait_a_moment(self.draw.choice((0.05, 0.3, 1.0)))
        self.world.go(*runs)
        for run in runs:
            self.ended(run, alone=False)
        self.wish = wishes[self.folder]

    def wait_a_moment(self, seconds: float) -> None:
        end = self.world.scheduler.now + seconds
        nobody = Process("nobody")
        task = self.world.scheduler.spawn(lambda: self.world.scheduler.sleep(seconds), nobody)
        self.world.scheduler.run(lambda: task.done or self.world.scheduler.now > end + 1)

    def unlucky(self) -> Weather:
        """Return a weather for races: mostly about the leases."""
        if self.draw.random() < 0.3:
            return drawn(self.draw, 160)
        targets = (
            ("POST", "/leases"),
            ("POST", "/leases"),
            ("GET", "/leases/"),
            ("DELETE", "/leases/"),
            ("PUT", "/leases/"),
            ("GET", "-state"),
        )
        method, part = self.draw.choice(targets)
        aims = ((method, part, self.draw.choice((1, 1, 2)), self.draw.choice(NETWORK)),)
        if self.draw.random() < 0.3:
            # Held up between plan and first write, and then blind for what others did meanwhile.
            look = ("GET", "-state", 1, self.draw.choice(NETWORK))
            aims = (("POST", "/leases", 1, "hang-before"), look)
        return Weather(aims=aims)

    def lose_crds(self) -> None:
        """Let a person delete CRDs of the Gateway API in a cluster: their objects go with them."""
        name = self.draw.choice(self.wish.clusters)
        one = self.world.clusters[name]
        plurals = [plural for plural, _, _ in BUNDLE]
        for plural in self.draw.choice(([plurals[0]], [plurals[1]], plurals)):
            self.tell(f"CRD {plural} of {name} is deleted")
            one.api.forget((CRDS, "", f"{plural}.{GROUP}"))
        self.laws.crds_lost.add(name)
        self.world.settle()

    def restore(self) -> None:
        """Put a cluster back to what it was before an earlier act, after a change went well."""
        if self.draw.random() < 0.7:
            self.wish = self.edited()
            self.wish.write(self.folder)
            self.tell(f"edit: {self.wish.said()}")
            self.apply(None)
        self.world.rest()
        name = self.draw.choice(self.wish.clusters)
        self.world.clusters[name].api.store = self.draw.choice(self.earlier)[name].copy()
        self.tell(f"{name} is restored from a backup")
        self.laws.restored.add(name)
        self.by_hand.add("recover")  # the backup may have been made while a helm was at work
        self.world.settle()

    def lose_folder(self) -> None:
        """Begin from a fresh checkout: with the lockfile of the last commit, or without any."""
        self.world.rest()
        for path in sorted((self.folder / ".mesh").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        if (self.folder / ".mesh").exists():
            (self.folder / ".mesh").rmdir()
        if self.draw.random() < 0.5:
            (self.folder / "mesh.lock").unlink(missing_ok=True)
            # After a destroy the next apply begins a new history. A backup of the old one is refused, which
            # is right, and for a person to sort out.
            self.earlier.clear()
        self.tell("the folder is lost")
        self.by_hand |= {"unlock", "recover"}

    def rebuild(self) -> None:
        """Lose the lockfile, and rebuild it from the clusters."""
        if self.wish.destroyed:
            return
        (self.folder / "mesh.lock").unlink(missing_ok=True)
        self.by_hand.add("recover")  # with the lockfile, it is forgotten which releases it had begun
        run = self.run("state", "rebuild", weather=drawn(self.draw, 40))
        if run.killed:
            self.run("state", "rebuild")

    def copy_folder(self) -> None:
        """Give another person the files that are committed."""
        self.other.mkdir()
        (self.other / "crds.yaml").write_text(bundle(), "utf-8")
        if (self.folder / "mesh.lock").exists():
            (self.other / "mesh.lock").write_bytes((self.folder / "mesh.lock").read_bytes())

    # --- runs ----------------------------------------------------------------------------------------------

    def run(self, *args: str, weather: Weather | None = None) -> Run:
        run = self.world.begin(args, self.folder, weather)
        if weather:
            self.tell(f"{' '.join(args)} with {weather}")
        self.world.go(run)
        self.ended(run, alone=True)
        return run

    def ended(self, run: Run, *, alone: bool) -> None:
        self.tell(f"{run.process.name}: exit {run.code}")
        if run.killed and run.process.folder == str(self.other):
            self.by_hand.add("unlock")
        self.laws.after(run, self.wish, alone=alone)

    # --- order ---------------------------------------------------------------------------------------------

    def order(self) -> None:
        """Do what a person does who comes back: the same command once more, without any faults."""
        self.world.rest()
        self.world.settle()
        verb = "destroy" if self.wish.destroyed else "apply"
        run = self.run(verb)
        for _ in range(8):
            if not run.code or not self.done_by_hand(run):
                break
            run = self.run(verb)
        if run.code:
            raise Broken(f"one more {verb} does not converge: exit {run.code}: {run.text[-900:]}")
        self.world.settle()
        self.laws.at_end(self.wish)

    def done_by_hand(self, run: Run) -> bool:
        """Do what the message says, if what happened excuses that; return whether anything was done."""
        unlock, recover = UNLOCK.search(run.text), RECOVER.search(run.text)
        if run.code == 4 and "unlock" in self.by_hand:
            if unlock:
                self.run("state", "unlock", "--cluster", unlock[1], "--id", unlock[2])
            else:
                self.world.scheduler.now += DEAD
            return True
        if run.code == 5 and recover and "recover" in self.by_hand:
            self.run("recover", recover[1] or recover[2], "--yes")
            return True
        return False


def users(world: World, draw: random.Random) -> None:
    """Put some objects of users into the clusters."""
    for one in world.clusters.values():
        for namespace in ("default", *([SYSTEM] if draw.random() < 0.3 else [])):
            key = ("configmaps", namespace, "users-map")
            if one.get("namespaces", "", namespace) is not None:
                meta = {"name": "users-map", "namespace": namespace}
                one.api.put(
                    key, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "1"}}
                )
