"""Helm processes that outlive us, or are told to stop: with the real helm, and real kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from mesh.lab import Lab
from mesh.world import HelmJob
from mesh.world.helm.children import Child, Children, alive, lock_path, locked
from mesh.world.helm.client import connect
from mesh.world.helm.errors import HelmBusy, HelmStopped
from mesh.world.helm.releases import FIELDS, LABELS, newest, unlock
from mesh.world.kube import client as kubes
from mesh.world.resources import SECRET

Tool = Callable[..., str]

NEVER = """
apiVersion: batch/v1
kind: Job
metadata:
  name: never
  annotations: {"helm.sh/hook": "pre-install,pre-upgrade", "helm.sh/hook-delete-policy": before-hook-creation}
spec:
  suspend: true
  template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}
"""

UPGRADE = """
import os, sys
from pathlib import Path
from mesh.world import HelmJob
from mesh.world.helm.client import connect
run_dir, chart, namespace = sys.argv[1:]
helm = connect([("one", "cluster1", "")], os.environ, run_dir=Path(run_dir))["one"]
helm.upgrade(HelmJob("tiny", namespace, chart, "", "", {"x": "hunter2"}))
"""


@pytest.fixture
def environment(lab: Lab) -> Mapping[str, str]:
    return {**os.environ, **lab.environment()}


@pytest.fixture
def namespace(kubectl: Tool, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"child-{abs(hash(request.node.name)) % 10**8}"
    kubectl("cluster1", "create", "namespace", name)
    yield name
    kubectl("cluster1", "delete", "namespace", name, "--wait=false")


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A chart whose installation ends only when helm does: its hook is a Job that never runs."""
    folder = tmp_path / "chart"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("{apiVersion: v2, name: tiny, version: 0.1.0}")
    (folder / "templates" / "never.yaml").write_text(NEVER)
    return folder


def soon(look: Callable[[], bool]) -> None:
    """Look until it is so, for a minute at most."""
    ends = time.monotonic() + 60
    while not look():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.02)


def test_a_helm_whose_parent_was_killed_is_known_until_it_ends(
    environment: Mapping[str, str], namespace: str, chart: Path, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    where = (run_dir, "one", namespace, "tiny")
    argv = [sys.executable, "-c", UPGRADE, str(run_dir), str(chart), namespace]
    cli = connect([("one", "cluster1", "")], environment, run_dir=run_dir)["one"]
    kube = kubes.connect([("one", "cluster1", "")], environment)["one"]

    def status() -> str:
        listed = kube.list(SECRET, namespace=namespace, fields=FIELDS, labels=LABELS)
        return "".join(view.status for view in newest(listed).values())

    assert alive(*where) is None
    parent = subprocess.Popen(argv, env=dict(environment), stderr=subprocess.DEVNULL)
    soon(lambda: status() == "pending-install")
    parent.kill()
    parent.wait()
    child = alive(*where)
    assert child is not None
    try:
        assert child.pid > 0
        assert child.command == "helm upgrade tiny"
        assert cli.at_work("tiny", namespace) == str(child)
        with pytest.raises(HelmBusy, match=rf"pid {child.pid}"):
            cli.upgrade(HelmJob("tiny", namespace, str(chart), "", "", {}))
        assert list(run_dir.glob("*.values.json"))
    finally:
        os.kill(child.pid, signal.SIGKILL)
    soon(lambda: alive(*where) is None)
    assert cli.at_work("tiny", namespace) == ""

    (chart / "templates" / "never.yaml").unlink()
    (view,) = newest(kube.list(SECRET, namespace=namespace, fields=FIELDS, labels=LABELS)).values()
    assert view.pending
    unlock(kube, view.secret)
    fresh = connect([("one", "cluster1", "")], environment, run_dir=run_dir)["one"]
    fresh.upgrade(HelmJob("tiny", namespace, str(chart), "", "", {}))
    assert status() == "deployed"
    assert not list(run_dir.glob("*.values.json"))


def test_a_helm_that_is_told_to_stop_marks_its_release_as_failed(
    environment: Mapping[str, str], namespace: str, chart: Path, tmp_path: Path, helm: Tool
) -> None:
    children = Children()
    cli = connect([("one", "cluster1", "")], environment, run_dir=tmp_path / "run", children=children)["one"]
    ended: list[Exception] = []

    def work() -> None:
        try:
            cli.upgrade(HelmJob("tiny", namespace, str(chart), "", "", {}))
        except HelmStopped as error:
            ended.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    soon(lambda: "pending-install" in helm("cluster1", "list", "-n", namespace, "-o", "json"))
    assert len(children.pids()) == 1
    assert children.stop() == children.pids() or not children.pids()
    thread.join(60)
    assert not thread.is_alive()
    assert len(ended) == 1
    assert not children.pids()
    assert '"status":"failed"' in helm("cluster1", "list", "-n", namespace, "-o", "json")


def test_a_helm_at_its_deadline_is_ended(
    environment: Mapping[str, str], namespace: str, chart: Path, tmp_path: Path
) -> None:
    cli = connect([("one", "cluster1", "")], environment, run_dir=tmp_path / "run", timeout=1)["one"]
    with pytest.raises(HelmStopped):
        cli.upgrade(HelmJob("tiny", namespace, str(chart), "", "", {}))


def test_helms_that_run_at_a_time_are_bounded(tmp_path: Path) -> None:
    fake = tmp_path / "helm"
    fake.write_text(
        f"#!/bin/sh\n[ $1 = version ] && echo v4.3.1 && exit\n"
        f"echo + >> {tmp_path}/log; sleep 0.2; echo - >> {tmp_path}/log\n"
    )
    fake.chmod(0o700)
    clusters = [(f"c{number}", "x", "") for number in range(5)]
    helms = connect(clusters, {"PATH": f"{tmp_path}:/bin:/usr/bin"}, run_dir=tmp_path / "run", processes=2)
    threads = [threading.Thread(target=helm.uninstall, args=("a", "b")) for helm in helms.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    running, most = 0, 0
    for line in (tmp_path / "log").read_text().split():
        running += 1 if line == "+" else -1
        most = max(most, running)
    assert (running, most) == (0, 2)


def test_a_lock_whose_holder_was_killed_before_it_wrote_its_name_still_tells(tmp_path: Path) -> None:
    path = lock_path(tmp_path, "one", "ns", "tiny")
    with locked(path, "release tiny"):
        assert alive(tmp_path, "one", "ns", "tiny") == Child()
        assert "pid unknown" in str(Child())
        with pytest.raises(HelmBusy), locked(path, "release tiny"):
            pass
    assert alive(tmp_path, "one", "ns", "tiny") is None


def test_releases_do_not_share_a_lock(tmp_path: Path) -> None:
    names = [("a", "b-c", "d"), ("a-b", "c", "d"), ("a", "b", "c-d"), ("a/b", "c", "d"), ("a", "b+c", "d")]
    assert len({lock_path(tmp_path, *name) for name in names}) == len(names)
