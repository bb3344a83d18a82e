"""Changes that break a healthy mesh, and those that fix it again, by kubectl and helm."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from tests.lab.standin.guide import EDGE, LICENCE, SYSTEM
from tests.lab.standin.hand import eventually
from tests.queries.checks.on_lab.conftest import Rig

Change = Callable[[Rig], object]

EASTWEST_POD = "gateway.networking.k8s.io/gateway-name=istio-eastwest"
PEER = "istio-remote-peer-cluster2"
OF_US = ("--field-manager=mesh/link",)
"""A change in the name of the one writer that the object has: no second one is left behind."""


def nothing(_rig: Rig) -> None:
    """For what leaves nothing behind."""


def both(*changes: Change) -> Change:
    return lambda rig: [change(rig) for change in changes]


def kubectl(*args: str, cluster: str = "cluster1") -> Change:
    return lambda rig: rig.hand.kubectl(cluster, *args)


def made(body: dict[str, Any], *, cluster: str = "cluster1") -> Change:
    return lambda rig: rig.hand.kubectl(cluster, "create", "-f", "-", stdin=json.dumps(body))


def gone(body: dict[str, Any], *, cluster: str = "cluster1") -> Change:
    return lambda rig: rig.hand.kubectl(
        cluster, "delete", "--ignore-not-found", "-f", "-", stdin=json.dumps(body)
    )


def merged(kind: str, name: str, change: dict[str, Any], *more: str, namespace: str = SYSTEM) -> Change:
    where = ("-n", namespace) if namespace else ()
    return kubectl("patch", kind, name, *where, "--type=merge", "-p", json.dumps(change), *more)


def peer(change: dict[str, Any]) -> Change:
    return merged("gateway", PEER, change, *OF_US, namespace=EDGE)


def annotations(**values: str | None) -> dict[str, Any]:
    """`gateway_istio_io__trust_domain` would be unreadable: the part before `/` is given by the caller."""
    return {"metadata": {"annotations": values}}


def environment(*changes: str, cluster: str = "cluster1") -> Change:
    return lambda rig: rig.hand.environment(cluster, *changes)


def ztunnel(*args: str) -> Change:
    """Change the DaemonSet of ztunnel and wait until its pods are the newest."""

    def done(rig: Rig) -> None:
        rig.hand.kubectl("cluster1", "set", args[0], "ds/ztunnel", "-n", SYSTEM, *args[1:])
        rig.hand.kubectl("cluster1", "rollout", "status", "ds/ztunnel", "-n", SYSTEM, "--timeout=90s")

    return done


def cacerts(files: Callable[[Rig], dict[str, str]], cluster: str = "cluster2") -> tuple[Change, Change]:
    """Another `cacerts`, and the one that was there."""
    return secret("cacerts", files, cluster)


def secret(
    name: str, files: Callable[[Rig], dict[str, str]], cluster: str = "cluster1"
) -> tuple[Change, Change]:
    """Other data in a Secret (none of it: no Secret), and what was there."""
    kept: list[dict[str, Any]] = []

    def other(rig: Rig) -> None:
        kept.append(rig.hand.get(cluster, "secret", name))
        wanted = files(rig)
        rig.hand.kubectl(cluster, "delete", "secret", name, "-n", SYSTEM)
        if wanted:
            encoded = {key: base64.b64encode(value.encode()).decode() for key, value in wanted.items()}
            body = {**bare(kept[-1]), "data": encoded}
            rig.hand.kubectl(cluster, "create", "-f", "-", stdin=json.dumps(body))

    def back(rig: Rig) -> None:
        rig.hand.kubectl(cluster, "delete", "secret", name, "-n", SYSTEM, "--ignore-not-found")
        rig.hand.kubectl(cluster, "create", "-f", "-", stdin=json.dumps(bare(kept[-1])))

    return other, back


def bare(obj: dict[str, Any]) -> dict[str, Any]:
    """An object without what the server put there."""
    meta = {key: obj["metadata"].get(key) for key in ("name", "namespace", "labels", "annotations")}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": meta}


def shown(rig: Rig, cluster: str) -> dict[str, str]:
    """The files of a cluster's `cacerts`."""
    data = rig.hand.get(cluster, "secret", "cacerts")["data"]
    return {name: base64.b64decode(value).decode() for name, value in data.items()}


def without_key(rig: Rig) -> dict[str, str]:
    return {name: text for name, text in shown(rig, "cluster2").items() if name != "ca-key.pem"}


def asleep(rig: Rig) -> None:
    """No istiod runs in cluster1: nothing there restores what is changed."""
    rig.hand.kubectl("cluster1", "scale", "deployment/istiod", "-n", SYSTEM, "--replicas=0")
    rig.hand.alone("cluster1", SYSTEM, "app=istiod", 0)


def awake(rig: Rig) -> None:
    rig.hand.kubectl("cluster1", "scale", "deployment/istiod", "-n", SYSTEM, "--replicas=1")
    rig.hand.rolled_out("cluster1")
    rig.hand.healthy("cluster1")


def held(selector: str, namespace: str = SYSTEM) -> tuple[Change, Change]:
    """Pods that are not ready, and ready again."""
    change = ("annotate", "--overwrite", "pods", "-n", namespace, "-l", selector)
    return kubectl(*change, "lab.meshform.io/hold=true"), kubectl(*change, "lab.meshform.io/hold-")


def unlinked() -> tuple[Change, Change]:
    """No peer in cluster1, and the one that was there."""
    kept: list[dict[str, Any]] = []

    def cut(rig: Rig) -> None:
        kept.append(rig.hand.get("cluster1", "gateway", PEER, EDGE))
        rig.hand.kubectl("cluster1", "delete", "gateway", PEER, "-n", EDGE)

    def back(rig: Rig) -> None:
        rig.hand.kubectl("cluster1", "create", *OF_US, "-f", "-", stdin=json.dumps(bare(kept[-1])))
        rig.hand.healthy("cluster1")
        # An apply records the new uid: mesh would leave the object of a stranger where it is.
        rig.mesh.applied()

    return cut, back


def failed_upgrade(rig: Rig) -> None:
    """A release whose newest revision failed: no API server takes a variable of such a name."""
    values = ("--reuse-values", "--set-json", 'env={"a=b":"c"}')
    command = ("upgrade", "ztunnel", str(rig.hand.charts / "ztunnel"), "-n", SYSTEM, *values)
    try:
        rig.hand.helm("cluster1", *command)
    except AssertionError:
        return
    raise AssertionError("helm got it through")


def last_revision_gone(rig: Rig) -> None:
    """Forget the failed revision."""
    newest = "-l", "owner=helm,name=ztunnel,status=failed"
    rig.hand.kubectl("cluster1", "delete", "secret", "-n", SYSTEM, *newest)


def settled(rig: Rig) -> None:
    """Wait until both links are up."""
    for cluster in ("cluster1", "cluster2"):
        rig.hand.healthy(cluster)


def ready_pods(rig: Rig, namespace: str, count: int) -> None:
    eventually(
        lambda: rig.hand.kubectl(
            *("cluster1", "get", "pods", "-n", namespace),
            *("-o", "jsonpath={range .items[*]}{.status.conditions[?(@.type=='Ready')].status} {end}"),
        ).split(),
        lambda seen: seen == ["True"] * count,
    )


LICENCE_GONE = secret(LICENCE, lambda _rig: {})
