"""Requests from a workload of one cluster to a Service of the mesh, in a lab with real Istio.

The pods of `manifests/hello.yaml` have processes with certificates of their cluster's istiod. One of them
sends; istiod says where to.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from mesh.errors import LabError
from mesh.lab.components import MANIFESTS
from mesh.lab.lab import Lab

NAMESPACE, APP = "lab-hello", "hello"
SERVICE = f"{APP}.{NAMESPACE}.svc.cluster.local:80"

#: Seconds until a new application is served: its pod starts and gets a certificate.
PATIENCE = 60.0
#: Seconds until the istiods of other clusters have heard of it.
KNOWN_AFTER = 20.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request. `error` is "" if it was answered; `at` is RFC 3339 in UTC; identities are SPIFFE URIs."""

    number: int
    at: str
    milliseconds: float
    error: str
    gateway: str
    gateway_identity: str
    server_identity: str
    client_identity: str
    cluster: str
    pod: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a number of requests; latencies in milliseconds, of those that were answered."""

    sent: int
    lost: int
    errors: tuple[tuple[str, int], ...]
    answered_by: tuple[tuple[str, int], ...]
    gateways: tuple[str, ...]
    identities: tuple[str, ...]
    p50: float
    p90: float
    p99: float
    lost_from: str
    lost_until: str


def install(lab: Lab, cluster: str) -> bool:
    """Install the application in a cluster, or leave it as it is; wait until its pod has a certificate.

    Return whether it is new.
    """
    done = _kubectl(lab, cluster, "apply", "-f", str(MANIFESTS / "hello.yaml"))
    waiting = f"--timeout={PATIENCE:.0f}s"
    _kubectl(lab, cluster, "rollout", "status", f"deployment/{APP}", "-n", NAMESPACE, waiting)
    return f"deployment.apps/{APP} created" in done


def become_known(lab: Lab, origin: str, target: str) -> None:
    """Wait until a request is answered: the istiods of both ends hear of a new application a little later."""
    end = time.monotonic() + KNOWN_AFTER
    while summary(send(lab, origin, target)).lost and time.monotonic() < end:
        time.sleep(0.5)


def cluster_id(lab: Lab, cluster: str) -> str:
    """Return the name that a cluster of the lab has in its mesh."""
    return _environment(_root(lab, cluster)).get("ISTIO_META_CLUSTER_ID", cluster)


def send(
    lab: Lab,
    origin: str,
    target: str | None = None,
    *,
    count: int = 1,
    rate: float = 10.0,
    timeout: float = 5.0,
) -> tuple[Outcome, ...]:
    """Send requests from a cluster to the Service, in `target` only if given; wait for all of them."""
    with sending(lab, origin, target, count=count, rate=rate, timeout=timeout) as outcomes:
        return tuple(outcomes)


@contextmanager
def sending(
    lab: Lab,
    origin: str,
    target: str | None = None,
    *,
    count: int = 0,
    rate: float = 10.0,
    timeout: float = 5.0,
) -> Iterator[Iterator[Outcome]]:
    """Send requests in the background, until the end of the block if `count` is 0; yields their outcomes."""
    argv = ["request", f"--to={SERVICE}", f"--count={count}", f"--rate={rate}", f"--timeout={timeout}s"]
    if target is not None:
        argv.append(f"--cluster={cluster_id(lab, target)}")
    with TemporaryFile("w+") as errors:
        child = _start(lab, origin, argv, errors)
        try:
            yield _outcomes(child, errors)
        finally:
            child.terminate()
            child.communicate()


def known(lab: Lab, cluster: str) -> tuple[dict[str, Any], ...]:
    """Return what the istiod of a cluster tells its ztunnels of the mesh: workloads and Services, by name."""
    with TemporaryFile("w+") as errors:
        child = _start(lab, cluster, ["request", "--list"], errors)
        output, _ = child.communicate(timeout=PATIENCE)
        if child.returncode != 0:
            raise LabError(f"the istiod of {cluster} does not say what it knows: {_said(errors)}")
    return tuple(json.loads(line) for line in output.splitlines())


def summary(outcomes: Iterable[Outcome]) -> Summary:
    """Return what became of requests, all together."""
    found = tuple(outcomes)
    lost = tuple(each for each in found if each.error)
    times = sorted(each.milliseconds for each in found if not each.error)
    answered = Counter(f"{each.cluster}/{each.pod}" for each in found if not each.error)
    identities = {
        name for each in found for name in (each.gateway_identity, each.server_identity, each.client_identity)
    }
    return Summary(
        sent=len(found),
        lost=len(lost),
        errors=tuple(Counter(each.error for each in lost).most_common()),
        answered_by=tuple(answered.most_common()),
        gateways=tuple(sorted({each.gateway for each in found} - {""})),
        identities=tuple(sorted(identities - {""})),
        p50=_percentile(times, 50),
        p90=_percentile(times, 90),
        p99=_percentile(times, 99),
        lost_from=min((each.at for each in lost), default=""),
        lost_until=max((each.at for each in lost), default=""),
    )


def _percentile(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


def _outcomes(child: subprocess.Popen[str], errors: IO[str]) -> Iterator[Outcome]:
    assert child.stdout is not None
    for line in child.stdout:
        yield _outcome(json.loads(line))
    if child.wait() != 0:
        raise LabError(f"no request can be sent: {_said(errors)}")


def _outcome(line: dict[str, Any]) -> Outcome:
    answer = line.get("answer") or {}
    return Outcome(
        number=line["number"],
        at=line["at"],
        milliseconds=line["ms"],
        error=line.get("error", ""),
        gateway=line.get("gateway", ""),
        gateway_identity=line.get("gatewayIdentity", ""),
        server_identity=line.get("serverIdentity", ""),
        client_identity=answer.get("client", ""),
        cluster=answer.get("cluster", ""),
        pod=answer.get("pod", ""),
    )


def _said(errors: IO[str]) -> str:
    errors.seek(0)
    return _last(errors.read())


def _start(lab: Lab, cluster: str, argv: list[str], errors: IO[str]) -> subprocess.Popen[str]:
    programs = lab.istio
    if programs is None:
        raise LabError(
            f"no workload runs in lab {lab.name}", hint="start a lab with mesh lab up --istio real"
        )
    root = _root(lab, cluster)
    return subprocess.Popen(
        [programs / "workload", *argv],
        cwd=root,
        env=_environment(root),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )


def _root(lab: Lab, cluster: str) -> Path:
    """Return the folder of a pod of the application whose process has been started."""
    end = time.monotonic() + PATIENCE
    while True:
        folders = sorted((lab.folder / cluster / "pods").glob(f"{NAMESPACE}_{APP}-*/{APP}"))
        for folder in folders:
            if (folder / ".environment").exists():
                return folder
        if time.monotonic() > end:
            raise LabError(
                f"no pod of {NAMESPACE}/{APP} is served in {cluster}",
                hint=f"it needs a ready ztunnel on its node: kubectl --context {cluster} get pods -A -o wide",
            )
        time.sleep(0.2)


def _environment(root: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((root / ".environment").read_text())
    return found


def _kubectl(lab: Lab, cluster: str, *argv: str) -> str:
    answer = subprocess.run(
        [lab.bin / "kubectl", "--context", cluster, *argv],
        env=lab.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE + 30,
    )
    if answer.returncode != 0:
        raise LabError(f"{cluster}: {_last(answer.stderr)}")
    return answer.stdout


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]
