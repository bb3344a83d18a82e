"""The ports of pods: what is asked, and what silence means."""

from __future__ import annotations

import pytest

from mesh.model import Unread
from mesh.queries.checks.read.pod_ports import ISTIOD, NO_DATA_PLANE, ask, is_fake
from tests.support.check_facts import node, pod
from tests.support.check_server import Server

FAKE = node()
FAKE["status"]["nodeInfo"]["containerRuntimeVersion"] = "kwok://v1"
RUNNING = {"status": {"phase": "Running"}}
ISTIOD_POD = pod("istiod-1", labels={"app": "istiod"}, **RUNNING)
ZTUNNEL = pod("zt-1", labels={"app": "ztunnel"}, **RUNNING)
PREFIX = "/api/v1/namespaces/istio-system/pods"


@pytest.mark.parametrize("nodes", [(), (FAKE,)], ids=["none", "fake"])
def test_pods_of_no_node_or_of_fake_ones_are_not_asked(nodes: tuple[dict[str, object], ...]) -> None:
    server = Server()
    found = ask(server, (ISTIOD_POD, ZTUNNEL), nodes, by_remote_secrets=False)  # type: ignore[arg-type]  # it answers as far as needed
    assert found == {name: Unread(NO_DATA_PLANE) for name in (*ISTIOD, "ztunnels")}
    assert server.asked == []


def test_one_istiod_and_every_running_ztunnel_are_asked() -> None:
    texts = {
        f"{PREFIX}/istiod-1:15014/proxy/metrics": "a 1",
        f"{PREFIX}/istiod-1:15014/debug/license": "VALID",
        f"{PREFIX}/zt-1:15000/config_dump": "{}",
    }
    waiting = pod("zt-2", labels={"app": "ztunnel"})
    found = ask(Server(texts=texts), (ISTIOD_POD, ZTUNNEL, waiting), (node(),), by_remote_secrets=False)  # type: ignore[arg-type]  # as above
    assert found == {
        "licence": "VALID",
        "metrics": "a 1",
        "clusters": Unread(f"{NO_DATA_PLANE}: connection refused"),
        "ztunnels": {"zt-1": "{}"},
    }


def test_what_istiod_knows_of_the_mesh_is_asked_where_links_are_remote_secrets() -> None:
    server = Server(texts={f"{PREFIX}/istiod-1:15014/debug/ambientz": "{}"})
    found = ask(server, (ISTIOD_POD,), (node(),), by_remote_secrets=True)  # type: ignore[arg-type]  # as above
    assert found["known"] == "{}"


def test_without_an_istiod_its_answers_are_unread() -> None:
    found = ask(Server(), (), (node(),), by_remote_secrets=False)  # type: ignore[arg-type]  # as above
    assert found == {**dict.fromkeys(ISTIOD, Unread("no istiod runs")), "ztunnels": {}}


def test_only_nodes_of_kwok_are_fake() -> None:
    assert [is_fake(FAKE), is_fake(node()), is_fake({})] == [True, False, False]
