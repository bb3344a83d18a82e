"""Requests between processes and clusters: `Wire` with its sending replaced, and what may go wrong there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from urllib3.exceptions import ProtocolError, ReadTimeoutError

from mesh.world.kube.auth import Credentials, Login
from mesh.world.kube.client import ApiServer
from mesh.world.kube.errors import Call
from mesh.world.kube.exchange import Patience, Reply, Request
from mesh.world.kube.exec_plugin import Plugins
from mesh.world.kube.kubeconfig import Section, Target
from mesh.world.kube.request import Wire
from tests.sim.cluster import Cluster
from tests.sim.faults import Faults
from tests.sim.scheduler import Killed, Process, current

LATENCY = 0.004
WRITES = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Answer:
    """What a server sends."""

    status: int
    data: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """One write that a cluster carried out."""

    cluster: str
    who: Process
    method: str
    path: str


@dataclass
class Network:
    """The way to every cluster; `written` has every write in its order."""

    clusters: dict[str, Cluster]
    faults: Faults
    written: list[Written] = field(default_factory=list)
    asked: int = 0
    on_write: Callable[[Written], None] = lambda _each: None

    def exchange(
        self,
        cluster: str,
        method: str,
        url: str,
        body: bytes | None,
        media: str,
        accept: str,
        patience: float,
    ) -> Answer:
        """Send one request as the current process; raise what urllib3 raises."""
        here = current()
        assert here.turn is not None
        process = here.turn.process
        self.asked += 1
        here.gate(LATENCY)
        fault = self.faults.request_fault(process, cluster, method, url)
        self._before(fault, process, patience)
        if fault in ("429", "500-before", "503-before"):
            return _busy(int(fault[:3]))
        answer = self._carried_out(cluster, process, method, url, body, media, accept)
        here.gate(LATENCY)
        return self._after(fault, process, patience, answer)

    def _before(self, fault: str, process: Process, patience: float) -> None:
        if fault == "killed-before":
            process.kill()
            raise Killed
        if fault == "reset-before":
            raise ProtocolError("Connection aborted.", ConnectionResetError(104, "Connection reset by peer"))
        if fault == "hang-before":
            current().sleep(patience)
            raise _slow()

    def _carried_out(
        self,
        cluster: str,
        process: Process,
        method: str,
        url: str,
        body: bytes | None,
        media: str,
        accept: str,
    ) -> tuple[int, dict[str, Any]]:
        one = self.clusters[cluster]
        one.works(current().now, self.clusters)
        status, answer = one.api.handle(method, url, body, media if method in WRITES else accept)
        if method in WRITES and status < 300 and "dryRun" not in url:
            write = Written(cluster, process, method, urlsplit(url).path)
            self.written.append(write)
            self.on_write(write)
        return status, answer

    def _after(
        self, fault: str, process: Process, patience: float, answer: tuple[int, dict[str, Any]]
    ) -> Answer:
        if fault == "killed-after":
            process.kill()
            raise Killed
        if fault in ("503-after", "504-after"):
            return _busy(int(fault[:3]))
        if fault == "reset-after":
            raise ProtocolError("Connection aborted.", ConnectionResetError(104, "Connection reset by peer"))
        if fault == "hang-after":
            current().sleep(patience)
            raise _slow()
        data = json.dumps(answer[1]).encode()
        if fault == "cut":
            raise ProtocolError(f"Connection broken: IncompleteRead({len(data) // 2} bytes read)")
        return Answer(answer[0], data, {"date": "Thu, 26 Nov 2026 20:00:00 GMT"})


def _busy(status: int) -> Answer:
    body = {
        "kind": "Status",
        "status": "Failure",
        "reason": "ServiceUnavailable",
        "message": "busy",
        "code": status,
    }
    return Answer(status, json.dumps(body).encode())


def _slow() -> ReadTimeoutError:
    pool: Any = None
    return ReadTimeoutError(pool, "", "Read timed out.")


class SimWire(Wire):
    """The real `Wire` but for the sending."""

    def __init__(self, network: Network, cluster: str, patience: Patience) -> None:
        target = Target(
            cluster, cluster, f"https://{cluster}:6443", Section({"token": "t"}, Path()), Section({}, Path())
        )
        super().__init__(
            Credentials(target, Plugins({})), patience, {}, lambda seconds: current().sleep(seconds)
        )
        self._network, self._cluster = network, cluster

    def within(self, seconds: float) -> SimWire:
        return SimWire(self._network, self._cluster, super().within(seconds)._patience)

    def _sent(self, call: Call, request: Request, login: Login, ends: float) -> Reply:
        media, accept = request.headers.get("content-type", ""), request.headers.get("accept", "")
        answer = self._network.exchange(
            self._cluster, request.method, request.path, request.body, media, accept, self._patience.read
        )
        return Reply.of(answer.status, answer.headers, answer.data)


def connected(network: Network) -> dict[str, ApiServer]:
    """Return a client of every cluster."""
    return {name: ApiServer(name, name, SimWire(network, name, Patience())) for name in network.clusters}


def sending(network: Network, cluster: str) -> Callable[[str, str, Any, str], tuple[int, dict[str, Any]]]:
    """Return how a helm sends; as its client does, it repeats what was answered 429."""

    def send(method: str, url: str, body: Any, media: str) -> tuple[int, dict[str, Any]]:
        sent = json.dumps(body).encode() if body is not None else None
        for attempt in range(4):
            try:
                answer = network.exchange(cluster, method, url, sent, media, "", 30.0)
            except (ProtocolError, ReadTimeoutError) as error:
                return 599, {"message": str(error)}
            if answer.status != 429:
                return answer.status, json.loads(answer.data)
            current().sleep(0.5 * attempt)
        return 429, {"message": "too many requests"}

    return send
