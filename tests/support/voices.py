"""Voices for the pods of a lab: a test answers on their ports, and the API servers' proxy finds it there.

Lab pods do not run. An API server reaches the ports of pods through a socket in its cluster's folder; who
listens there is all the pods of the cluster.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer

from mesh.lab import Lab
from tests.conftest import output

Answers = dict[str, Callable[[], str]]
"""By `port/path` what every pod answers there; anything else is not found."""

RUNTIME = '{{"status":{{"nodeInfo":{{"containerRuntimeVersion":"{}"}}}}}}'


class Pods(ThreadingMixIn, UnixStreamServer):
    """Every port of every pod of a cluster."""

    daemon_threads = True

    def __init__(self, path: Path, answers: Answers) -> None:
        self.answers = answers
        super().__init__(str(path), Pod)


class Pod(BaseHTTPRequestHandler):
    """One connection that an API server makes to a pod: where to, and then what it asks."""

    protocol_version = "HTTP/1.1"
    server: Pods
    to = ""

    def do_CONNECT(self) -> None:  # the name that http.server looks for
        self.to = self.path.rpartition(":")[2]
        self.send_response_only(200)
        self.end_headers()

    def do_GET(self) -> None:  # the name that http.server looks for
        answer = self.server.answers.get(f"{self.to}{self.path}")
        body = (answer() if answer else "not found").encode()
        self.send_response_only(200 if answer else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def speaking(lab: Lab, cluster: str) -> Iterator[Answers]:
    """The pods of a cluster answer, on nodes that do not say that they are fake."""
    answers: Answers = {}
    socket = lab.folder / cluster / "pods.sock"
    with tempfile.TemporaryDirectory() as short:  # the path of a socket may have some hundred bytes only
        path = Path(short) / "pods.sock"
        with Pods(path, answers) as pods:
            socket.symlink_to(path)
            thread = threading.Thread(target=pods.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            fake = _runtimes(lab, cluster)
            try:
                _run_by(lab, cluster, dict.fromkeys(fake, "containerd://2.1.4"))
                yield answers
            finally:
                _run_by(lab, cluster, fake)
                socket.unlink()
                pods.shutdown()
                thread.join()


def _runtimes(lab: Lab, cluster: str) -> dict[str, str]:
    """What runs the pods of each node, as the nodes say."""
    found = json.loads(output(lab, ["kubectl", "--context", cluster, "get", "nodes", "-o", "json"]))
    info = {each["metadata"]["name"]: each["status"]["nodeInfo"] for each in found["items"]}
    return {name: each["containerRuntimeVersion"] for name, each in info.items()}


def _run_by(lab: Lab, cluster: str, runtimes: dict[str, str]) -> None:
    for node, runtime in runtimes.items():
        change = ("--subresource=status", "--type=merge", "-p", RUNTIME.format(runtime))
        output(lab, ["kubectl", "--context", cluster, "patch", "node", node, *change])
