"""A lab comes up, survives crashes, grows, and goes without a trace."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mesh.cli.lab import lab as group
from mesh.errors import LabError
from mesh.lab import Lab, State, processes, record
from mesh.lab.paths import cache_dir
from tests.conftest import granted, output

Eventually = Callable[..., Any]


@pytest.fixture(scope="module")
def small(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One cluster of one node, for this module alone."""
    one = Lab.open("small", folder=tmp_path_factory.mktemp("small") / "state")
    try:
        one.up(clusters=1, nodes=1, istio="none")
        yield one
    finally:
        one.down()


def mesh(lab: Lab, *args: str) -> Result:
    verb, *rest = args
    return CliRunner().invoke(group, [verb, "--name", lab.name, "--dir", str(lab.folder), *rest])


def pids(lab: Lab) -> dict[str, int]:
    return {process.name: process.pid for process in lab.status().clusters[0].processes}


def left_behind(folder: Path) -> list[str]:
    return [process.command for process in processes.table() if str(folder) in process.command]


def test_a_lab_that_is_up_is_ready_and_small(small: Lab) -> None:
    status = small.status()
    assert status.up
    assert small.contexts == ("cluster1",)
    assert status.clusters[0].rss < 800 * 2**20


def test_everything_listens_on_loopback_only(small: Lab) -> None:
    cluster = record.read(small.folder / "lab.json").clusters[0]  # type: ignore[union-attr]
    socket.create_connection(("127.0.0.1", cluster.port), timeout=5).close()
    for kind in ("tcp", "tcp6"):
        table = Path("/proc/net") / kind
        if not table.exists():
            pytest.skip("needs Linux's list of sockets")
        listening = [line.split() for line in table.read_text().splitlines()[1:] if line.split()[3] == "0A"]
        ours = [row[1] for row in listening if row[9] in sockets(small)]
        assert ours == ([f"0100007F:{cluster.port:04X}"] if kind == "tcp" else [])


def sockets(lab: Lab) -> set[str]:
    """The inodes of all sockets that the processes of `lab` hold."""
    links = []
    for process in lab.status().clusters[0].processes:
        for link in Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed since it was listed
                links.append(str(link.readlink()))
    return {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}


def test_up_again_starts_nothing(small: Lab) -> None:
    before = pids(small)
    small.up(istio="none")
    assert pids(small) == before


def test_a_crashed_process_is_reported_and_started_again(small: Lab) -> None:
    before = pids(small)
    os.kill(before["kube-scheduler"], signal.SIGKILL)
    until = time.monotonic() + 10
    while small.status().up and time.monotonic() < until:
        time.sleep(0.05)
    states = {process.name: process.state for process in small.status().clusters[0].processes}
    assert states["kube-scheduler"] is State.CRASHED
    answer = mesh(small, "up", "--istio", "none")
    assert answer.exit_code == 0, answer.output
    assert "cluster1: kube-scheduler is crashed, starting it" in answer.output
    after = pids(small)
    assert after.pop("kube-scheduler") != before.pop("kube-scheduler")
    assert after == before


def test_a_cluster_whose_whole_control_plane_died_keeps_its_objects(
    small: Lab, run: Callable[..., str]
) -> None:
    run(small, "kubectl", "create", "namespace", "kept")
    for pid in pids(small).values():
        os.kill(pid, signal.SIGKILL)
    assert small.up(istio="none").up
    assert "kept" in run(small, "kubectl", "get", "namespaces")


def test_a_stopped_api_server_makes_the_cluster_unreachable_until_it_is_started(small: Lab) -> None:
    small.stop("cluster1")
    cluster = small.status().clusters[0]
    assert not cluster.ready
    assert {process.name: process.state for process in cluster.processes}["kube-apiserver"] is State.STOPPED
    port = int(cluster.server.rsplit(":", 1)[1])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    small.start("cluster1")
    assert small.status().up


@pytest.fixture
def run() -> Callable[..., str]:
    def call(lab: Lab, tool: str, *args: str) -> str:
        return subprocess.run(
            [lab.bin / tool, *args],
            capture_output=True,
            text=True,
            check=True,
            timeout=150,
            env={**os.environ, **lab.environment()},
        ).stdout

    return call


def test_the_kubeconfig_verifies_the_server_and_skips_nothing(small: Lab) -> None:
    text = small.kubeconfig.read_text()
    assert "insecure" not in text
    (cluster,) = json.loads(text)["clusters"]
    assert set(cluster["cluster"]) == {"server", "certificate-authority-data"}
    assert small.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_service_accounts_get_tokens_and_only_the_rights_they_have(
    small: Lab, run: Callable[..., str]
) -> None:
    token = run(small, "kubectl", "create", "token", "default").strip()
    bare = ["--kubeconfig", str(bare_kubeconfig(small)), "--token", token]
    assert "system:serviceaccount:default:default" in run(small, "kubectl", *bare, "auth", "whoami")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(small, "kubectl", *bare, "get", "secrets")
    assert "forbidden" in caught.value.stderr
    grant = ["create", "rolebinding", "reader", "--clusterrole=edit", "--serviceaccount=default:default"]
    run(small, "kubectl", *grant)
    granted(
        lambda _, *args, stdin="": output(small, ["kubectl", *args], stdin),
        "",
        "default",
        "list",
        "secrets",
        "default",
    )
    assert run(small, "kubectl", *bare, "get", "secrets", "-o", "name") == ""


def bare_kubeconfig(lab: Lab) -> Path:
    """The lab's kubeconfig without the admin's certificate."""
    document = json.loads(lab.kubeconfig.read_text())
    document["users"] = [{"name": "cluster1", "user": {}}]
    path = lab.folder / "cluster1" / "bare.kubeconfig"
    path.write_text(json.dumps(document))
    return path


def test_another_clusters_authority_is_not_accepted(
    lab: Lab, run: Callable[..., str], tmp_path: Path
) -> None:
    document = json.loads(lab.kubeconfig.read_text())
    one, other = (entry["cluster"] for entry in document["clusters"])
    one["certificate-authority-data"] = other["certificate-authority-data"]
    (tmp_path / "mixed").write_text(json.dumps(document))
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(lab, "kubectl", "--kubeconfig", str(tmp_path / "mixed"), "--context", "cluster1", "get", "nodes")
    assert "certificate" in caught.value.stderr


def test_the_status_is_printed_as_text_and_as_json(small: Lab) -> None:
    text = mesh(small, "status").output
    assert "cluster1" in text and "kube-apiserver" in text and "ready" in text
    data = json.loads(mesh(small, "status", "--json").output)
    assert data["up"] is True
    assert data["clusters"][0]["processes"][0]["state"] == "up"


def test_a_lab_anywhere_on_the_machine_is_listed(small: Lab) -> None:
    assert small in Lab.known()
    assert f"small  up  1 clusters  {small.folder}" in CliRunner().invoke(group, ["list"]).output


def test_logs_and_paths_are_printed(small: Lab) -> None:
    assert "==> cluster1/etcd" in mesh(small, "logs", "cluster1", "etcd", "-n", "3").output
    assert mesh(small, "kubeconfig").output.strip() == str(small.kubeconfig)
    assert "cluster1" in mesh(small, "kubeconfig", "--content").output
    assert f"export KUBECONFIG={small.kubeconfig}" in mesh(small, "env").output


def test_fewer_clusters_or_nodes_are_refused(tmp_path: Path, lab: Lab) -> None:
    with pytest.raises(LabError, match="has 2 clusters and cannot shrink to 1"):
        lab.up(clusters=1)
    with pytest.raises(LabError, match="has 2 nodes per cluster and cannot shrink to 1"):
        lab.up(nodes=1)


def test_a_lab_grows_by_a_cluster_and_by_nodes(small: Lab, run: Callable[..., str]) -> None:
    before = pids(small)
    status = small.up(clusters=2, nodes=2, istio="none")
    assert status.up
    assert small.contexts == ("cluster1", "cluster2")
    assert pids(small) == before
    for context in small.contexts:
        assert run(small, "kubectl", "--context", context, "get", "nodes", "-o", "name").split() == [
            "node/node-1",
            "node/node-2",
        ]


def test_a_folder_with_something_else_in_it_is_refused(tools: Path, tmp_path: Path) -> None:
    (tmp_path / "mesh.yaml").write_text("precious")
    with pytest.raises(LabError, match="not empty and contains no lab"):
        Lab.open("x", folder=tmp_path).up(clusters=1)
    Lab.open("x", folder=tmp_path).down()
    assert (tmp_path / "mesh.yaml").read_text() == "precious"


@pytest.mark.parametrize("name", ["", "../x", ".x"])
def test_a_name_that_is_a_path_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="cannot be the name of a lab"):
        Lab.open(name)


def test_a_lab_that_is_not_up_says_so(tmp_path: Path) -> None:
    one = Lab.open("none", folder=tmp_path / "none")
    with pytest.raises(LabError, match="lab none is not running"):
        one.status()
    assert mesh(one, "down").output == "lab none was not running\n"


def kill_up_when(folder: Path, reached: Callable[[], bool]) -> None:
    """Run `mesh lab up` and kill it, without any chance to clean up, as soon as `reached`."""
    command = [
        sys.executable,
        "-m",
        "mesh.lab",
        "up",
        "--clusters",
        "1",
        "--dir",
        str(folder),
        "--name",
        "cut",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        until = time.monotonic() + 60
        while not reached() and child.poll() is None and time.monotonic() < until:
            time.sleep(0.001)
        child.kill()


@pytest.mark.parametrize(
    "moment", ["folder", "lab.json", "cluster1/etcd.log", "cluster1/kwok.log", "kubeconfig"]
)
def test_down_after_a_killed_up_leaves_nothing(tools: Path, tmp_path: Path, moment: str) -> None:
    folder = tmp_path / "state"
    kill_up_when(folder, (folder if moment == "folder" else folder / moment).exists)
    Lab.open("cut", folder=folder).down()
    assert left_behind(folder) == []
    assert not folder.exists()
    claims = [path for path in (cache_dir() / "addresses").iterdir() if path.read_text() == str(folder)]
    assert claims == []


def test_up_after_a_killed_up_finishes_the_work(tools: Path, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    kill_up_when(folder, (folder / "cluster1" / "kube-apiserver.log").exists)
    one = Lab.open("cut", folder=folder)
    try:
        assert one.up(istio="none").up
    finally:
        one.down()
    assert left_behind(folder) == []


def test_down_leaves_no_process_port_or_file(small: Lab) -> None:
    ports = [int(cluster.server.rsplit(":", 1)[1]) for cluster in small.status().clusters]
    small.down()
    assert left_behind(small.folder) == []
    assert not small.folder.exists()
    for port in ports:
        with socket.create_server(("127.0.0.1", port)):
            pass
    small.down()
