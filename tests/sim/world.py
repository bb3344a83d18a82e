"""One simulated world: clusters, folders, and commands of the real command line run in it.

`installed` puts the stand-ins at the seams of the product and takes them away again; a `World` is one run of
the simulation in it.
"""

from __future__ import annotations

import asyncio
import io
import os
import random
import shutil
import sys
import traceback
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import mesh.cli.recover
import mesh.cli.run
import mesh.cli.session
import mesh.walk
import mesh.world.clock
import mesh.world.disk.file_lock
import mesh.world.helm.children
import mesh.world.helm.client
import mesh.world.kube.client
import mesh.world.kube.request
import mesh.world.snapshot
from mesh.cli.main import run as command_line
from mesh.engine.gate import no_checks
from mesh.engine.registry import all_kinds
from mesh.world.helm.client import Program
from mesh.world.helm.command import HelmCommand
from tests.sim import remembered
from tests.sim.api import Api, Object, Store
from tests.sim.cluster import Cluster
from tests.sim.disk import Disk
from tests.sim.faults import Faults, Weather
from tests.sim.helm import Failed, Helm, Order, read, rendered, stopped, text_of
from tests.sim.network import Network, connected, sending
from tests.sim.scheduler import Killed, Process, Scheduler, current, enter
from tests.sim.threads import BEGIN, Clock, Gate, Lock, Pool, Read, wait

ROOM = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path("/tmp")
TIMEOUT = "20"


@dataclass(eq=False)
class Run:
    """One command: what it printed, its exit code (None: killed), and its process."""

    process: Process
    args: tuple[str, ...]
    code: int | None = None
    text: str = ""
    crash: str = ""
    points: int = 0
    helms: list[Process] = field(default_factory=list)

    @property
    def killed(self) -> bool:
        return self.process.dead


class World:
    """A seed, some clusters, and the folders that people run the command in."""

    def __init__(self, seed: int, names: tuple[str, ...], room: Path) -> None:
        self.draw = random.Random(seed)
        self.room = room
        self.scheduler = Scheduler(self.draw)
        enter(self.scheduler)
        self.faults = Faults(self.draw)
        self.clusters = {
            name: Cluster(name, Api(name, self._time), lag=self.draw.choice((0.0, 0.05, 0.3, 1.5)))
            for name in names
        }
        self.network = Network(self.clusters, self.faults)
        self.disk = Disk(str(room), self.faults)
        self.runs: list[Run] = []
        self.wrong = timedelta()
        self.helms: list[Process] = []

    def _time(self) -> Any:
        return BEGIN + timedelta(seconds=self.scheduler.now)

    def begin(self, args: tuple[str, ...], folder: Path, weather: Weather | None = None) -> Run:
        """Start a command; it goes on when `go` lets it."""
        process = Process(f"{len(self.runs)}:{' '.join(args[:2])}", str(folder))
        run = Run(process, args)
        self.runs.append(run)
        if weather is not None:
            self.faults.weather[process] = weather
        self.scheduler.spawn(lambda: self._command(run, folder), process)
        return run

    def go(self, *runs: Run) -> None:
        """Let everything go on until these commands and all their workers have ended."""
        self.scheduler.run(lambda: all(not run.process.tasks for run in runs))
        for process in (*(run.process for run in runs), *self.helms):
            if not process.tasks:
                self.disk.left_open(process)

    def rest(self) -> None:
        """Let the helms end that outlived their command."""
        self.scheduler.run(lambda: not self.scheduler.tasks)
        for process in self.helms:
            self.disk.left_open(process)

    def settle(self) -> None:
        """Let the controllers of every cluster come to rest."""
        for _ in range(8):
            self.scheduler.now += 2.0
            for one in self.clusters.values():
                one.api.dirty = True
                one.works(self.scheduler.now, self.clusters)
                one.works(self.scheduler.now + one.lag, self.clusters)

    def run(self, *args: str, folder: Path, weather: Weather | None = None) -> Run:
        """Run one command to its end."""
        run = self.begin(args, folder, weather)
        self.go(run)
        return run

    def _command(self, run: Run, folder: Path) -> None:
        before = self.network.asked
        try:
            run.code = command_line([*run.args[:1], *_more(run.args), "-f", str(folder / "mesh.yaml")])
        except Killed:
            run.code = None
        except Exception:  # noqa: BLE001  # a law is that there is none
            run.code, run.crash = 1, traceback.format_exc()
        run.points = self.network.asked - before

    # --- what stands at the seams --------------------------------------------------------------------------

    def printed(self, text: str) -> bool:
        """Give what is printed to the command that prints it; return whether one does."""
        turn = self.scheduler.turn
        run = next((each for each in self.runs if turn and each.process is turn.process), None)
        if run is not None:
            run.text += text
        return run is not None

    def connect(self, clusters: Any, *_args: Any, **_named: Any) -> Mapping[str, Any]:
        """`mesh.world.kube.client.connect`: the context of a cluster is its name."""
        wanted = {name: context for name, context, _ in clusters}
        known = connected(self.network)
        return {name: known[context] for name, context in wanted.items()}

    async def spawn(self, setting: Any, argv: list[str], stdin: bytes | None, fds: tuple[int, ...]) -> bytes:
        """`HelmCommand._spawn`: a process of its own, which outlives this one."""
        here = self.scheduler
        assert here.turn is not None
        parent = here.turn.process
        order = Order.parse(argv, stdin, read)
        if order.verb == "template":
            here.gate()
            return text_of(rendered(order)).encode()
        fault = self.faults.helm_fault(parent, order.verb)
        if fault == "fails":
            raise stopped(1, "Error: it does not work")
        if fault == "lies":
            return b"{}"
        child = Process(f"helm {order.verb} {order.release} of {parent.name}")
        self.helms.append(child)
        weather = self.faults.weather.get(parent)
        if weather is not None:
            self.faults.weather[child] = Weather(share=weather.share, kinds=weather.kinds)
            if weather.with_helm:
                parent.children.append(child)
        for each in fds:
            self.disk.open[os.dup(each)] = (child, str(self.room))
        helm = Helm(order, sending(self.network, setting.cluster), lambda: _stamp(self._time()))
        task = here.spawn(lambda: self._at_work(helm, child, fault), child)
        here.block(lambda: task.done)
        return _ended(task.error, task.value, fault)

    def _at_work(self, helm: Helm, child: Process, fault: str) -> bytes:
        def point(name: str) -> None:
            if fault == "dies-midway" and name in ("midway-1", "midway-2"):
                child.kill()
                raise Killed

        try:
            return helm.run(point)
        finally:
            self.disk.left_open(child)


def _ended(error: BaseException | None, value: Any, fault: str) -> bytes:
    if isinstance(error, Failed):
        raise stopped(1, f"Error: {error}")
    if isinstance(error, Killed) or fault == "dies-after":
        raise stopped(-9, "")
    if error is not None:
        raise error
    if fault == "fails-after":
        raise stopped(1, "Error: it did not work")
    return b"\xff\xfe noise" if fault == "noise" else bytes(value)


def _more(args: tuple[str, ...]) -> list[str]:
    """Return the options that every run of a command has here."""
    more = list(args[1:])
    return [*more, "--yes", "--timeout", TIMEOUT] if args[0] in ("apply", "destroy") else more


def _stamp(now: Any) -> str:
    return str(now.isoformat(timespec="seconds"))


_now: list[World] = []


def here() -> World:
    """The world that the stand-ins act in."""
    return _now[-1]


def drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """`asyncio.run` for coroutines that never wait for the event loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits for an event loop")


@contextmanager
def nothing(*_args: Any, **_named: Any) -> Iterator[None]:
    """A context that does nothing."""
    yield


class Stream(io.StringIO):
    """What stands for stdout and stderr: text goes to the command that prints it."""

    def __init__(self, real: Any) -> None:
        super().__init__()
        self.real = real

    def write(self, text: str, /) -> int:
        if not (_now and here().printed(text)):
            self.real.write(text)
        return len(text)

    def flush(self) -> None:
        self.real.flush()


def _program(*args: Any) -> Program:
    """Return helm's program with a lock of the simulation: it is held while a lock file is waited for."""
    one = Program(*args)
    one._lock = Lock()  # type: ignore[assignment]  # it is used as a context only
    return one


async def _spawn(self: Any, argv: list[str], stdin: bytes | None, fds: tuple[int, ...]) -> bytes:
    return await here().spawn(self._setting, argv, stdin, fds)


@contextmanager
def installed(room: Path) -> Iterator[None]:
    """Put the stand-ins in their places."""
    time = SimpleNamespace(monotonic=lambda: current().now, sleep=lambda seconds: current().sleep(seconds))
    kinds, load = all_kinds(), _cached(mesh.cli.session.load)
    swaps: list[tuple[Any, str, Any]] = [
        (mesh.walk, "ThreadPoolExecutor", Pool),
        (mesh.walk, "wait", wait),
        (mesh.world.snapshot, "_Read", Read),
        (mesh.world.clock, "SystemClock", lambda *_wait: Clock(here().wrong)),
        (mesh.world.kube.client, "connect", lambda *args, **named: here().connect(*args, **named)),
        (mesh.world.kube.request, "time", time),
        (
            mesh.world.kube.request,
            "random",
            SimpleNamespace(uniform=lambda low, high: here().draw.uniform(low, high)),
        ),
        (mesh.world.disk.file_lock, "time", time),
        (mesh.world.helm.children, "time", time),
        (mesh.world.helm.client, "BoundedSemaphore", Gate),
        (mesh.world.helm.client, "Program", _program),
        (mesh.world.helm.client, "_binary", lambda _env: "helm"),
        (mesh.world.helm.client, "_usable", lambda *_args: (4, 2, 4)),
        (HelmCommand, "_spawn", _spawn),
        # A chart of the simulation has no bytes: it is never downloaded or copied.
        (mesh.world.helm.client.HelmCli, "pinned", lambda _self, job: (job, f"sha256:{job.ref}")),
        (asyncio, "run", drive),
        (sys, "stdout", Stream(sys.stdout)),
        (sys, "stderr", Stream(sys.stderr)),
        (mesh.cli.session, "load", load),
        (mesh.cli.session, "all_kinds", lambda: kinds),
        (mesh.cli.run, "stopping", nothing),
        (mesh.cli.recover, "ending", nothing),
        (mesh.cli.run, "_checks", lambda *_args: no_checks),
        (mesh.cli.run, "BEFORE", tuple(each for each in mesh.cli.run.BEFORE if each.__name__ != "check")),
    ]
    swaps += remembered.swaps()
    with pytest.MonkeyPatch.context() as patch:
        for owner, name, value in swaps:
            patch.setattr(owner, name, value)
        for name, value in {
            "XDG_CONFIG_HOME": str(room / "config"),
            "HOME": str(room),
            "KEY": "a licence",
            "MESH_TRACEBACK": "1",
            "KUBECONFIG": str(room / "kubeconfig"),
        }.items():
            patch.setenv(name, value)
        yield


def _cached(load: Callable[..., Any]) -> Callable[..., Any]:
    """Return a loader that reads the same text once."""
    known: dict[str, Any] = {}

    def cached(path: Path, contexts: tuple[str, ...], stop_at: tuple[str, ...] = ()) -> Any:
        text = path.read_text("utf-8")
        if contexts or stop_at:
            return load(path, contexts, stop_at)
        key = f"{path.parent} {text}"
        if key not in known:
            known[key] = load(path, contexts)
        return known[key]

    return cached


@contextmanager
def entered(world: World) -> Iterator[World]:
    """Make this the world that the stand-ins act in; its files are gone at the end."""
    _now[:] = [world]
    enter(world.scheduler)
    with world.disk.installed():
        yield world


def cleared(room: Path) -> Path:
    """Return an empty folder."""
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir(parents=True)
    return room


Snapshot = Mapping[str, Store]
Body = Object
