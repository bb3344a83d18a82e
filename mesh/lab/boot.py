"""Start clusters in parallel: one loop, one generator per cluster, no threads."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from mesh.errors import LabError
from mesh.lab import addresses, components, kubeconfig, pki, processes, stages
from mesh.lab.api import Api, connect
from mesh.lab.progress import Progress
from mesh.lab.record import Cluster, Component

#: Seconds a cluster may take. Alone it needs under ten; the rest is for slow machines and many clusters.
DEADLINE = 180.0

#: What a cluster waits for while its API server does not respond.
SERVER = "API server"

NOT_READY = "node.kubernetes.io/not-ready"


def together(folder: Path, clusters: tuple[Cluster, ...], *, nodes: int, progress: Progress) -> None:
    """Start the stopped processes of `clusters` and wait until each cluster is ready.

    As many clusters boot at once as the machine has processors (at least two): more would only slow
    each other down.
    """
    waiting = list(clusters)
    booting: dict[str, Iterator[str]] = {}
    width = max(2, os.cpu_count() or 2)
    while waiting or booting:
        while waiting and len(booting) < width:
            cluster = waiting.pop(0)
            booting[cluster.name] = boot(folder / cluster.name, cluster, nodes)
        waits = {name: next(steps, None) for name, steps in booting.items()}
        booting = {name: steps for name, steps in booting.items() if waits[name] is not None}
        if booting:
            progress.tick(", ".join(f"{name}: {waits[name]}" for name in booting))
            time.sleep(0.1)


def boot(folder: Path, cluster: Cluster, nodes: int) -> Iterator[str]:
    """Start the stopped processes of one cluster; yields what it waits for until the cluster is ready."""
    until = time.monotonic() + DEADLINE
    prepare(folder, cluster)
    api = connect(cluster.port, folder / "pki")
    every = tuple(component.name for component in cluster.components)
    started: set[str] = set()
    while True:
        lacking = _lacking(cluster, api, nodes)
        missing = _missing(cluster, components.FIRST if lacking == SERVER else every)
        if lacking is None and not missing:
            return
        for component in missing:
            if component.name in started:
                raise _ended(folder, cluster, component)
        if time.monotonic() > until:
            raise LabError(
                f"{cluster.name} is not ready after {DEADLINE:.0f} s: waiting for {lacking}",
                hint=f"see the logs in {folder}, or run mesh lab down and mesh lab up",
            )
        if missing and _can_start(cluster, missing):
            started |= {component.name for component in launch(folder, missing)}
        yield lacking or missing[0].name


def prepare(folder: Path, cluster: Cluster) -> None:
    """Write the files that the processes of a cluster read; keeps existing files, which are in use."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in components.FILES:
        shutil.copyfile(components.MANIFESTS / name, folder / name)
    with_processes = components.programs(cluster) is not None
    stages.write(folder / components.STAGES, with_processes=with_processes)
    if (folder / "kwok.kubeconfig").exists():
        return
    pki.write(folder / "pki", cluster=cluster.name, service_ip=addresses.service_ip(cluster.block))
    for client in (components.MANAGER, components.SCHEDULER, components.KUBELET, components.KWOK):
        access = kubeconfig.Access(cluster.name, cluster.server, folder / "pki", client)
        kubeconfig.write(folder / f"{client}.kubeconfig", (access,))


def launch(folder: Path, wanted: tuple[Component, ...]) -> tuple[Component, ...]:
    """Start the stopped processes of `wanted` with their logs in `folder`; return those it started."""
    live = processes.table()
    missing = tuple(component for component in wanted if not processes.matching(component.argv, live))
    for component in missing:
        if not Path(component.argv[0]).exists():
            raise LabError(f"{component.argv[0]} no longer exists", hint="run mesh lab down and mesh lab up")
        (folder / f"{component.name}.stopped").unlink(missing_ok=True)
        log = folder / f"{component.name}.log"
        processes.spawn(component.argv, cwd=folder, env=dict(component.env), log=log)
    return missing


def _missing(cluster: Cluster, names: tuple[str, ...]) -> tuple[Component, ...]:
    live = processes.table()
    return tuple(
        component
        for component in cluster.components
        if component.name in names and not processes.matching(component.argv, live)
    )


def _can_start(cluster: Cluster, missing: tuple[Component, ...]) -> bool:
    """Return whether the port is free: a killed API server keeps it some milliseconds after it is gone."""
    server = cluster.component(components.APISERVER)
    return server not in missing or addresses.can_listen(cluster.port)


def _lacking(cluster: Cluster, api: Api, nodes: int) -> str | None:
    """Return what the cluster still lacks to be ready, `None` if nothing; adds missing nodes."""
    if api.ask("GET", "/readyz").status != 200:
        return SERVER
    if not nodes_ready(api, nodes):
        _add_nodes(cluster, api, nodes)
        return "nodes"
    if api.ask("GET", "/api/v1/namespaces/default/serviceaccounts/default").status != 200:
        return "service accounts"
    return None


def _add_nodes(cluster: Cluster, api: Api, nodes: int) -> None:
    with_processes = components.programs(cluster) is not None
    for number in range(1, nodes + 1):
        if api.ask("GET", f"/api/v1/nodes/node-{number}").status == 404:
            api.ask("POST", "/api/v1/nodes", node(cluster.block, number, with_processes=with_processes))


def nodes_ready(api: Api, nodes: int) -> bool:
    """Return whether at least `nodes` Nodes accept pods."""
    answer = api.ask("GET", "/api/v1/nodes")
    ready = [one for one in answer.body["items"] if is_ready(one)] if answer.status == 200 else []
    return len(ready) >= nodes


def is_ready(node: dict[str, dict[str, list[dict[str, str]]]]) -> bool:
    """Return whether pods can be scheduled to this Node: it is Ready and has lost its taint."""
    conditions = node["status"].get("conditions", [])
    taints = node["spec"].get("taints", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions) and not any(
        taint["key"] == NOT_READY for taint in taints
    )


def node(block: int, number: int, *, with_processes: bool = False) -> dict[str, object]:
    """Return the Node object that a kubelet would register."""
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
                # A reader of "kwok" takes all pods for objects that nothing runs behind.
                "containerRuntimeVersion": "lab://0.1.0" if with_processes else "kwok://0.8.0",
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


def _ended(folder: Path, cluster: Cluster, component: Component) -> LabError:
    log = folder / f"{component.name}.log"
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
    return LabError(
        f"{component.name} of {cluster.name} exited:\n{tail}",
        hint=f"see the full log in {log}; mesh lab up tries again",
    )
