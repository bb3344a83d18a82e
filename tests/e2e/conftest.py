"""A mesh of two clusters, applied once for all tests here; each test leaves it as it found it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.lab import Lab, gateway_api_crds
from tests.conftest import Tool, granted
from tests.e2e.hands import Mesh, everything, home, swept

BOUND = ("--clusterrole=reader", "--serviceaccount=default:reader")

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@dataclass
class Before:
    """What every cluster held before the first apply, and what came of that apply."""

    objects: dict[str, set[str]] = field(default_factory=dict)


@pytest.fixture(scope="package")
def world(
    lab: Lab,
    kubectl: Tool,
    tmp_path_factory: pytest.TempPathFactory,
    eventually: Callable[..., Any],
) -> Iterator[tuple[Mesh, Before]]:
    """A user's folder and two clusters, the mesh applied.

    cluster1 had the Gateway API and a namespace `istio-eastwest` before; cluster2 had nothing.
    """
    mesh, before = home(lab, tmp_path_factory.mktemp("e2e") / "home"), Before()
    for cluster in lab.contexts:
        swept(kubectl, cluster)
        going = ("get", "namespaces", "--field-selector", "status.phase=Terminating", "-o", "name")
        assert eventually(partial(kubectl, cluster, *going), until=lambda seen: not seen, seconds=100) == ""
    kubectl("cluster1", "create", "namespace", "istio-eastwest")
    kubectl("cluster1", "apply", "--server-side", "-f", str(gateway_api_crds()))
    for cluster in lab.contexts:
        before.objects[cluster] = everything(kubectl, cluster)
    mesh.applied()
    yield mesh, before
    mesh("destroy", "--yes", "--ignore-enrolled", "--crds")
    for cluster in lab.contexts:
        swept(kubectl, cluster)


@pytest.fixture
def before(world: tuple[Mesh, Before]) -> Before:
    return world[1]


@pytest.fixture
def mesh(world: tuple[Mesh, Before], request: pytest.FixtureRequest) -> Iterator[Mesh]:
    """The command line on the applied mesh. What a failed test left broken is mended for the next one."""
    one = world[0]
    text = one.file.read_bytes()
    yield one
    changed = one.file.read_bytes() != text
    one.file.write_bytes(text)
    if changed or request.node.stash.get(FAILED, False):
        one.applied()


@pytest.fixture
def reader(lab: Lab, kubectl: Tool, tmp_path: Path) -> Iterator[Path]:
    """A kubeconfig whose user may get, list and watch everything, and write nothing."""
    config = yaml.safe_load(lab.kubeconfig.read_text())
    users = {context["name"]: context["context"]["user"] for context in config["contexts"]}
    for cluster in lab.contexts:
        kubectl(cluster, "create", "serviceaccount", "reader", "-n", "default")
        kubectl(cluster, "create", "clusterrole", "reader", "--verb=get,list,watch", "--resource=*.*")
        kubectl(cluster, "create", "clusterrolebinding", "reader", *BOUND)
        granted(kubectl, cluster, "reader", "list", "nodes")
        token = kubectl(cluster, "create", "token", "reader", "-n", "default").strip()
        for user in config["users"]:
            if user["name"] == users[cluster]:
                user["user"] = {"token": token}
    path = tmp_path / "reader.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    yield path
    for cluster in lab.contexts:
        kubectl(cluster, "delete", "clusterrolebinding,clusterrole", "reader")
        kubectl(cluster, "delete", "serviceaccount", "reader", "-n", "default")
