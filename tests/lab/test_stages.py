"""What becomes of nodes, pods and services in a lab cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from mesh.lab import Lab

Tool = Callable[..., str]
Eventually = Callable[..., Any]

PODS = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: a, image: example/agent:1}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: held}
spec:
  selector: {matchLabels: {app: held}}
  template:
    metadata:
      labels: {app: held}
      annotations: {lab.meshform.io/hold: "true", lab.meshform.io/hold-reason: CrashLoopBackOff}
    spec: {containers: [{name: a, image: example/held:1}, {name: b, image: example/held:1}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: example/once:1}]}}}
"""

SERVICES = """
{apiVersion: v1, kind: Service, metadata: {name: plain}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
---
apiVersion: v1
kind: Service
metadata: {name: named, annotations: {lab.meshform.io/address: hostname}}
spec: {type: LoadBalancer, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: pending, annotations: {lab.meshform.io/address: none}}
spec: {type: LoadBalancer, ports: [{port: 80}]}
"""


@pytest.fixture(scope="module")
def namespace(kubectl: Tool, lab: Lab) -> Iterator[str]:
    for context in lab.contexts:
        kubectl(context, "create", "namespace", "stages")
        kubectl(context, "apply", "-n", "stages", "-f", "-", stdin=PODS + "---" + SERVICES)
    yield "stages"
    for context in lab.contexts:
        kubectl(context, "delete", "namespace", "stages", "--wait=false")


@pytest.fixture
def read(kubectl: Tool, namespace: str) -> Callable[..., Any]:
    def items(kind: str, *args: str, context: str = "cluster1") -> Any:
        return json.loads(kubectl(context, "get", kind, "-n", namespace, "-o", "json", *args))

    return items


def test_every_node_is_ready_and_knows_where_it_is(kubectl: Tool, lab: Lab) -> None:
    for context in lab.contexts:
        nodes = json.loads(kubectl(context, "get", "nodes", "-o", "json"))["items"]
        assert [node["metadata"]["name"] for node in nodes] == ["node-1", "node-2"]
        for node in nodes:
            assert "taints" not in node["spec"]
            assert node["metadata"]["labels"]["topology.kubernetes.io/region"] == "lab"


def test_a_daemon_set_becomes_ready_on_every_node(read: Callable[..., Any], eventually: Eventually) -> None:
    status = eventually(
        lambda: read("daemonset", "agent")["status"], until=lambda status: status.get("numberReady") == 2
    )
    assert status["desiredNumberScheduled"] == status["numberReady"] == 2


def test_a_job_completes(read: Callable[..., Any], eventually: Eventually) -> None:
    assert eventually(lambda: read("job", "once")["status"].get("succeeded"), until=bool) == 1


def test_a_pod_born_with_the_annotation_never_becomes_ready(
    read: Callable[..., Any], eventually: Eventually
) -> None:
    def waiting() -> Any:
        (pod,) = read("pods", "-l", "app=held")["items"]
        return pod["status"].get("containerStatuses"), pod["status"]

    statuses, status = eventually(waiting, until=lambda seen: bool(seen[0]))
    assert status["phase"] == "Running"
    ready = {one["type"]: one for one in status["conditions"]}["Ready"]
    assert (ready["status"], ready["message"]) == ("False", "containers with unready status: [a b]")
    assert statuses[0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"


def test_a_live_pod_can_be_held_and_let_go(
    read: Callable[..., Any], kubectl: Tool, namespace: str, eventually: Eventually
) -> None:
    def ready() -> Any:
        return read("daemonset", "agent")["status"].get("numberReady")

    eventually(ready, until=lambda number: number == 2)
    name = read("pods", "-l", "app=agent")["items"][0]["metadata"]["name"]
    kubectl("cluster1", "annotate", "pod", name, "-n", namespace, "lab.meshform.io/hold=true")
    assert eventually(ready, until=lambda number: number == 1) == 1
    (status,) = read("pod", name)["status"]["containerStatuses"]
    assert status["state"]["waiting"] == {
        "reason": "ImagePullBackOff",
        "message": 'Back-off pulling image "example/agent:1"',
    }
    kubectl("cluster1", "annotate", "pod", name, "-n", namespace, "lab.meshform.io/hold-")
    assert eventually(ready, until=lambda number: number == 2) == 2
    conditions = {one["type"]: one for one in read("pod", name)["status"]["conditions"]}
    assert "message" not in conditions["Ready"]


def ingress(read: Callable[..., Any], name: str, context: str = "cluster1") -> Any:
    return read("service", name, context=context)["status"]["loadBalancer"].get("ingress")


def test_load_balancers_of_all_clusters_have_addresses_of_their_own(
    read: Callable[..., Any], lab: Lab, eventually: Eventually
) -> None:
    found = []
    for context in lab.contexts:
        (address,) = eventually(partial(ingress, read, "plain", context), until=bool)
        found.append(address["ip"])
    assert len(set(found)) == 2
    assert all(address.startswith("100.") for address in found)


def test_a_load_balancer_can_have_a_hostname(read: Callable[..., Any], eventually: Eventually) -> None:
    (address,) = eventually(lambda: ingress(read, "named"), until=bool)
    assert address["hostname"].endswith(".lab.internal")


def test_a_load_balancer_can_be_left_without_an_address_and_get_one(
    read: Callable[..., Any], kubectl: Tool, namespace: str, eventually: Eventually
) -> None:
    eventually(lambda: ingress(read, "plain"), until=bool)
    assert ingress(read, "pending") is None
    kubectl("cluster1", "annotate", "service", "pending", "-n", namespace, "lab.meshform.io/address-")
    assert eventually(lambda: ingress(read, "pending"), until=bool)
