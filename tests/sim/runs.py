"""Runs of the simulation: one seed, or many of them in several processes."""

from __future__ import annotations

import gc
import hashlib
import multiprocessing
import os
import random
import re
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.sim.laws import Broken, Laws
from tests.sim.meshes import Wish, bundle
from tests.sim.scheduler import Stuck
from tests.sim.story import NAMES, Base, Story, users
from tests.sim.world import ROOM, World, cleared, entered, installed


@dataclass(frozen=True)
class Result:
    """What became of one seed."""

    seed: int
    broken: str = ""
    story: tuple[str, ...] = ()
    written: str = ""
    """A digest of every write of the run, in order: equal for equal runs."""


_bases: dict[int, Base] = {}


def base(count: int, room: Path) -> Base:
    """Return an installed mesh of so many clusters, made once a process."""
    if count not in _bases:
        names = NAMES[:count]
        world = World(1, names, cleared(room))
        with entered(world):
            folder = user_folder(room, Wish.of(names))
            for each in world.clusters.values():
                each.born()
            done = world.run("apply", folder=folder)
            world.rest()
            world.settle()
            assert done.code == 0, f"{done.text}\n{done.crash}"
        _bases[count] = Base.taken(world)
    return _bases[count]


def user_folder(room: Path, wish: Wish) -> Path:
    """Make the folder of a user, with the mesh file and the CRDs."""
    folder = room / "a"
    folder.mkdir(exist_ok=True)
    (folder / "crds.yaml").write_text(bundle(), "utf-8")
    wish.write(folder)
    return folder


def played(seed: int, room: Path) -> Result:
    """Run one seed."""
    draw = random.Random(seed)
    count = draw.choices((1, 2, 3), (66, 28, 6))[0]
    installed_before = draw.random() < 0.9
    start = base(count, room) if installed_before else None
    names = NAMES[:count]
    world = World(draw.randrange(1 << 40), names, cleared(room))
    story = Story(world, Wish.of(names), world.draw, Laws(world))
    with entered(world):
        user_folder(room, story.wish)
        for each in world.clusters.values():
            each.born()
        if start:
            start.put(world)
        users(world, world.draw)
        world.settle()
        story.laws.begin()
        try:
            story.play()
        except (Broken, Stuck) as broken:
            told = (*story.told, *(f"  {each}" for each in world.faults.log))
            return Result(seed, f"{type(broken).__name__}: {broken}", told, _digest(world))
        return Result(seed, "", tuple(story.told), _digest(world))


def _digest(world: World) -> str:
    writes = (f"{each.cluster} {each.who.name} {each.method} {each.path}" for each in world.network.written)
    ends = [f"{run.process.name} {run.code}" for run in world.runs]
    return hashlib.sha256("\n".join([*writes, *ends, f"{world.scheduler.now:.6f}"]).encode()).hexdigest()


@contextmanager
def ready(fault: str = "") -> Iterator[Path]:
    """A room for the files of this process, with the stand-ins in their places, and maybe a known fault."""
    room = ROOM / f"mesh-sim-{os.getpid()}"
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, room, ignore_errors=True)
        stack.enter_context(installed(room))
        if fault:
            from tests.sim.known_faults import FAULTS

            stack.enter_context(FAULTS[fault].back())
        gc.freeze()
        gc.set_threshold(100_000)
        yield room


def some(seeds: Iterable[int], fault: str = "") -> Iterator[Result]:
    """Run some seeds in this process."""
    with ready(fault) as room:
        for seed in seeds:
            yield played(seed, room)


def _worker(job: tuple[list[int], str]) -> list[Result]:
    seeds, fault = job
    return [each for each in some(seeds, fault) if each.broken]


def _words(fault: str) -> str:
    """Return how the fault is reported that is looked for; any broken law without one."""
    if not fault:
        return ""
    from tests.sim.known_faults import FAULTS

    return FAULTS[fault].words


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(args: Namespace) -> int:
    """Run what the command line says; return the exit code."""
    if args.seed is not None:
        (result,) = some([args.seed], args.fault)
        say("\n".join(result.story))
        say(result.broken or "every law holds")
        return bool(result.broken)
    began = time.monotonic()
    seeds = range(args.first, args.first + args.seeds)
    size = max(5, min(25, args.seeds // (args.workers * 4)))
    jobs = [(list(seeds[at : at + size]), args.fault) for at in range(0, len(seeds), size)]
    broken: list[Result] = []
    words, done = _words(args.fault), 0
    with multiprocessing.get_context("spawn").Pool(args.workers, maxtasksperchild=20) as pool:
        for (batch, _), results in zip(jobs, pool.imap(_worker, jobs), strict=True):
            done += len(batch)
            if done % 1_000 < len(batch) <= done:
                say(f"{done} seeds, {time.monotonic() - began:.0f} s")
            broken += (results := [each for each in results if re.search(words, each.broken)])
            for each in results:
                say(
                    f"seed {each.seed}: {each.broken[:400]}\n  python -m tests.sim --seed {each.seed}",
                )
            if len(broken) >= args.most:
                pool.terminate()
                break
    say(f"{done} seeds, {len(broken)} broke a law, {time.monotonic() - began:.0f} s")
    return bool(broken)
