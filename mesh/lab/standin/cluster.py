"""One cluster of the lab: its copies, its thread, and the board on which clusters publish their facts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import chain
from typing import Final

from mesh.lab.standin import eastwest, facts, local, objects, own, peering, remote, trust, writes
from mesh.lab.standin.access import Access
from mesh.lab.standin.api import UNREACHABLE, Api, ApiError, Json
from mesh.lab.standin.boot import Boots
from mesh.lab.standin.facts import Facts, View
from mesh.lab.standin.mirror import KINDS, Mirror
from mesh.lab.standin.objects import at, condition
from mesh.lab.standin.peering import Condition
from mesh.lab.standin.writes import Deletion, Write

log = logging.getLogger(__name__)

#: Seconds between two turns when nothing changes (a certificate may expire), and before one that failed.
IDLE: Final = 2.0
RETRY: Final = 0.5
#: Seconds in which changes that come together are taken together.
GATHER: Final = 0.02


class Board:
    """The published facts of every cluster; readers get a copy, and new facts wake all clusters."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: dict[str, Facts] = {}
        self._wakes: list[Callable[[], None]] = []

    def subscribe(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever a cluster publishes new facts."""
        self._wakes.append(wake)

    def show(self, shown: Facts) -> None:
        """Publish the facts of a cluster."""
        with self._lock:
            if self._shown.get(shown.context) == shown:
                return
            self._shown[shown.context] = shown
        for wake in self._wakes:
            wake()

    def all(self) -> Mapping[str, Facts]:
        """Return the facts of every cluster that has published any."""
        with self._lock:
            return dict(self._shown)


class Cluster:
    """The istiod of one cluster."""

    def __init__(self, access: Access, board: Board) -> None:
        self.context = access.context
        self._board = board
        self._api = Api(access)
        self._boots = Boots(access.context, Api(access))
        self._remotes = remote.Remotes()
        self._wake = threading.Event()
        self._mirrors = {kind.name: Mirror(kind, access, self._wake.set) for kind in KINDS}
        board.subscribe(self._wake.set)

    def start(self, stopping: threading.Event) -> None:
        """Start the threads of this cluster; they run until the process exits."""
        for name, mirror in self._mirrors.items():
            _spawn(f"{self.context}/{name}", mirror.run, stopping)
        _spawn(self.context, self._run, stopping)

    def _run(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            self._wake.wait(IDLE)
            stopping.wait(GATHER)
            self._wake.clear()
            view = self.view()
            if view is None:
                continue
            try:
                self._turn(view, trust.clock())
            except UNREACHABLE as error:
                log.debug("%s: %s", self.context, error)
                stopping.wait(RETRY)

    def view(self) -> View | None:
        """Return the current copies; None before the first read."""
        if not all(mirror.synced.is_set() for mirror in self._mirrors.values()):
            return None
        return {name: mirror.copies() for name, mirror in self._mirrors.items()}

    def _turn(self, view: View, now: datetime) -> None:
        """Read, publish, decide, write: the same sequence after every change."""
        try:
            self._boots.settle(view["pods"], view["cacerts"], now)
        except ApiError as error:
            log.info("%s: %s", self.context, error)
        found = facts.gather(self.context, view, self._boots)
        self._board.show(found)
        peers, probes = self._board.all(), self._remotes.probe(view["remotes"])
        for write in decided(found, peers, view, now, served=self._mirrors["classes"].served):
            self._send(write)
        for write in remote.wanted(found, peers, probes, view, now):
            self._send(write)

    def _send(self, write: Write | Deletion) -> None:
        try:
            write.send(self._api)
        except ApiError as error:
            # Usually an object that was deleted meanwhile; the next turn sees that.
            log.info("%s: %s: %s", self.context, write.path, error)


def _spawn(name: str, run: Callable[[threading.Event], None], stopping: threading.Event) -> None:
    threading.Thread(target=run, args=(stopping,), name=name, daemon=True).start()


def decided(
    found: Facts, peers: Mapping[str, Facts], view: View, now: datetime, *, served: bool
) -> Iterable[Write | Deletion]:
    """Return every due write of a cluster: none while no istiod is ready. `served`: Gateway API exists."""
    istiod = found.istiod
    if istiod is None:
        return ()
    gateways = [gateway for _, gateway in sorted(view["gateways"].items()) if _stays(gateway)]
    ours = [gateway for gateway in gateways if _class(gateway) == "istio-eastwest"]
    upstream = [gateway for gateway in gateways if _class(gateway) == "istio-east-west"]
    made = ours + (upstream if istiod.multi_network else [])
    return chain(
        own.roots(istiod, view),
        own.classes(istiod, view, now) if served else (),
        own.webhooks(istiod, view),
        chain.from_iterable(eastwest.wanted(gateway, istiod, view) for gateway in made),
        chain.from_iterable(eastwest.reported(gateway, view, now) for gateway in made),
        local.wanted(ours, istiod, view),
        _peers(gateways, found, peers, now),
    )


def _peers(gateways: list[Json], found: Facts, peers: Mapping[str, Facts], now: datetime) -> Iterable[Write]:
    remote = [gateway for gateway in gateways if _class(gateway) == "istio-remote"]
    for gateway in gateways:
        is_remote = gateway in remote
        if not is_remote and (_class(gateway) == "istio-eastwest" or not peering.was_peer(gateway)):
            continue
        others = [one for one in remote if one is not gateway and not peering.invalid(one)]
        judged = peering.conditions(gateway, others=others, own=found, peers=peers, now=now)
        _log_changes(found.context, gateway, judged)
        yield from writes.status("gateways", gateway, (*(REMOTE if is_remote else ()), *judged), now)


REMOTE: Final = (
    Condition("Accepted", "True", "Accepted", "Resource accepted"),
    Condition("Programmed", "True", "Programmed", "This Gateway is remote; Istio will not program it"),
)


def _log_changes(context: str, gateway: Json, judged: tuple[Condition, ...]) -> None:
    for one in judged[:2]:
        if condition(gateway, one.kind).get("message") != one.message:
            log.info(
                "%s: %s: %s %s: %s", context, objects.name(gateway)[1], one.kind, one.status, one.message
            )


def _class(gateway: Json) -> str:
    return str(at(gateway, "spec", "gatewayClassName", default=""))


def _stays(gateway: Json) -> bool:
    return not at(gateway, "metadata", "deletionTimestamp")
