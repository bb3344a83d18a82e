"""Bring clusters up side by side: one loop, one generator per cluster, no threads."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from mesh.errors import LabError
from mesh.lab import addresses, components, kubeconfig, pki, processes
from mesh.lab.api import Api, connect
from mesh.lab.progress import Progress
from mesh.lab.record import Cluster, Component

#: Seconds a cluster may take. Alone it needs under ten; the rest is for slow machines and many clusters.
DEADLINE = 180.0

NOT_READY = "node.kubernetes.io/not-ready"


def together(folder: Path, clusters: tuple[Cluster, ...], *, nodes: int, progress: Progress) -> None:
    """Start what is not running of `clusters` and wait until each is ready for work.

    At most as many boot at once as there are processors (but two): more would only slow each other down.
    """
    waiting = list(clusters)
    booting: dict[str, Iterator[str]] = {}
    width = max(2, os.cpu_count() or 2)
    while waiting or booting:
        while waiting and len(booting) < width:
            cluster = waiting.pop(0)
            booting[cluster.name] = boot(folder / cluster.name, cluster, nodes)
        said = {name: next(steps, None) for name, steps in booting.items()}
        booting = {name: steps for name, steps in booting.items() if said[name] is not None}
        if booting:
            progress.tick(", ".join(f"{name}: {said[name]}" for name in booting))
            time.sleep(0.1)


def boot(folder: Path, cluster: Cluster, nodes: int) -> Iterator[str]:
    """Start one cluster; yields what it waits for until it is ready."""
    until = time.monotonic() + DEADLINE
    prepare(folder, cluster)
    start(folder, cluster, components.FIRST)
    api = connect(cluster.port, folder / "pki")
    every = tuple(component.name for component in cluster.components)
    for names, step in ((components.FIRST, _serving(api)), (every, _populate(folder, cluster, api, nodes))):
        for what in step:
            _check_alive(folder, cluster, names)
            if time.monotonic() > until:
                raise LabError(
                    f"{cluster.name} is not ready after {DEADLINE:.0f} s: waiting for {what}",
                    hint=f"look into the logs in {folder}, or take the lab down and up again",
                )
            yield what


def prepare(folder: Path, cluster: Cluster) -> None:
    """Write what the processes of a cluster read. What is there stays: its certificates are in use."""
    folder.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(components.STAGES, folder / "stages.yaml")
    if (folder / "kwok.kubeconfig").exists():
        return
    pki.write(folder / "pki", cluster=cluster.name, service_ip=addresses.service_ip(cluster.block))
    for client in (components.MANAGER, components.SCHEDULER, components.KWOK):
        access = kubeconfig.Access(cluster.name, cluster.server, folder / "pki", client)
        kubeconfig.write(folder / f"{client}.kubeconfig", (access,))


def start(folder: Path, cluster: Cluster, names: tuple[str, ...]) -> None:
    """Start those of a cluster's components called `names` that do not run."""
    launch(folder, tuple(component for component in cluster.components if component.name in names))


def launch(folder: Path, wanted: tuple[Component, ...]) -> tuple[Component, ...]:
    """Start what does not run of `wanted`, in `folder`, each with its log there; returns what it started."""
    live = processes.table()
    missing = tuple(component for component in wanted if not processes.matching(component.argv, live))
    for component in missing:
        if not Path(component.argv[0]).exists():
            raise LabError(f"{component.argv[0]} is gone", hint="take the lab down and up again")
        (folder / f"{component.name}.stopped").unlink(missing_ok=True)
        log = folder / f"{component.name}.log"
        processes.spawn(component.argv, cwd=folder, env=dict(component.env), log=log)
    return missing


def _serving(api: Api) -> Iterator[str]:
    while api.ask("GET", "/readyz").status != 200:
        yield "API server"


def _populate(folder: Path, cluster: Cluster, api: Api, nodes: int) -> Iterator[str]:
    for number in range(1, nodes + 1):
        while api.ask("POST", "/api/v1/nodes", node(cluster.block, number)).status not in (201, 409):
            yield f"node {number}"
    start(folder, cluster, tuple(component.name for component in cluster.components))
    while not nodes_ready(api, nodes):
        yield "nodes"
    while api.ask("GET", "/api/v1/namespaces/default/serviceaccounts/default").status != 200:
        yield "service accounts"


def nodes_ready(api: Api, nodes: int) -> bool:
    """Whether at least `nodes` Nodes take pods."""
    answer = api.ask("GET", "/api/v1/nodes")
    ready = [one for one in answer.body["items"] if is_ready(one)] if answer.status == 200 else []
    return len(ready) >= nodes


def is_ready(node: dict[str, dict[str, list[dict[str, str]]]]) -> bool:
    """Whether pods can be scheduled to this Node: it says Ready and its taint is gone."""
    conditions = node["status"].get("conditions", [])
    taints = node["spec"].get("taints", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions) and not any(
        taint["key"] == NOT_READY for taint in taints
    )


def node(block: int, number: int) -> dict[str, object]:
    """The Node object that a kubelet would register."""
    name = f"node-{number}"
    room = {"cpu": "32", "memory": "256Gi", "pods": "110"}
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/region": "lab",
        "topology.kubernetes.io/zone": f"lab-{number % 3}",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "podCIDR": addresses.pod_cidr(block, number),
            "podCIDRs": [addresses.pod_cidr(block, number)],
        },
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": addresses.node_ip(block, number)},
                {"type": "Hostname", "address": name},
            ],
            "capacity": room,
            "allocatable": room,
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": "",
                "containerRuntimeVersion": "kwok://0.8.0",
                "kernelVersion": "6.12.0",
                "kubeProxyVersion": "",
                "kubeletVersion": "v1.37.2",
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": "lab",
                "systemUUID": "",
            },
        },
    }


def _check_alive(folder: Path, cluster: Cluster, names: tuple[str, ...]) -> None:
    """Fail as soon as success has become impossible: one of `names`, all of them started, has ended."""
    live = processes.table()
    for component in cluster.components:
        log = folder / f"{component.name}.log"
        if component.name in names and log.exists() and not processes.matching(component.argv, live):
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
            raise LabError(
                f"{component.name} of {cluster.name} ended:\n{tail}",
                hint=f"the whole log is {log}; `mesh lab up` tries again",
            )
