"""What a person does to a mesh with kubectl and helm, and what they then look at."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mesh.lab import Lab, gateway_api_crds
from tests.conftest import output
from tests.lab.standin import guide
from tests.lab.standin.guide import EDGE, LICENCE, SYSTEM

T = TypeVar("T")

CONNECTED = "gloo.solo.io/PeerConnected"
SUCCEEDED = "gloo.solo.io/PeeringSucceeded"
DATA_PLANE = "gloo.solo.io/PeerDataPlaneProgrammed"


def eventually(look: Callable[[], T], wanted: Callable[[T], bool], *, within: float = 60) -> T:
    """Look until what is seen is wanted; a failed test that shows the last sight when it never is."""
    end = time.monotonic() + within
    while True:
        seen = look()
        if wanted(seen):
            return seen
        assert time.monotonic() < end, f"still not after {within} s: {seen}"
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Hand:
    """kubectl and helm on the two clusters of a lab."""

    lab: Lab
    charts: Path

    def other(self, cluster: str) -> str:
        """The name of the other cluster."""
        return "cluster2" if cluster == "cluster1" else "cluster1"

    def kubectl(self, cluster: str, *args: str, stdin: str = "") -> str:
        """What kubectl prints."""
        return self._run(["kubectl", "--context", cluster, *args], stdin)

    def helm(self, cluster: str, *args: str, stdin: str = "") -> str:
        """What helm prints."""
        return self._run(["helm", "--kube-context", cluster, *args], stdin)

    def get(self, cluster: str, kind: str, name: str, namespace: str = SYSTEM) -> dict[str, Any]:
        """An object; {} when it is not there."""
        text = self.kubectl(cluster, "get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found")
        found: dict[str, Any] = json.loads(text or "{}")
        return found

    def apply(self, cluster: str, manifest: str) -> None:
        """Apply a manifest over whatever anybody else did."""
        self.kubectl(cluster, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest)

    def install(self, cluster: str, cacerts: dict[str, str] | None) -> None:
        """The guide's steps for one cluster, without links."""
        crds = str(gateway_api_crds())
        self.kubectl(cluster, "apply", "--server-side", "-f", crds)
        self.kubectl(cluster, "wait", "--for=condition=Established", "crd", "--all", "--timeout=90s")
        for namespace in (SYSTEM, EDGE):
            self.apply(cluster, f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}")
        if cacerts is not None:
            self.cacerts(cluster, cacerts)
        self.secret(cluster, LICENCE, {"license-key": "a-good-key"})
        self.chart(cluster, "istio-base", "base", 'defaultRevision: ""\nprofile: ambient\n')
        self.istiod(cluster)
        self.chart(cluster, "istio-cni", "cni", guide.CNI)
        self.chart(cluster, "ztunnel", "ztunnel", guide.ztunnel(cluster))
        self.label_network(cluster, cluster)
        self.apply(cluster, guide.eastwest(cluster))

    def istiod(self, cluster: str) -> None:
        """Install or upgrade istiod with the guide's values, until it is ready."""
        self.chart(cluster, "istiod", "istiod", guide.istiod(cluster))
        self.rolled_out(cluster)

    def reinstalled(self, cluster: str, values: str, *sets: str) -> None:
        """Uninstall istiod and install it with other values: nothing of an earlier hand is left."""
        self.helm(cluster, "uninstall", "istiod", "-n", SYSTEM)
        self.alone(cluster, SYSTEM, "app=istiod", 0)
        self.chart(cluster, "istiod", "istiod", values, *sets)
        self.rolled_out(cluster)

    def chart(self, cluster: str, release: str, chart: str, values: str, *sets: str) -> None:
        """`helm upgrade --install` one of the charts over whatever anybody else did."""
        self.helm(
            cluster,
            *("upgrade", "--install", "--force-conflicts", release, str(self.charts / chart)),
            *("-n", SYSTEM, "-f", "-"),
            *(part for one in sets for part in ("--set", one)),
            stdin=values,
        )

    def rolled_out(self, cluster: str) -> None:
        """Wait until every istiod pod is the newest and ready."""
        self.kubectl(cluster, "rollout", "status", "deployment/istiod", "-n", SYSTEM, "--timeout=90s")

    def alone(self, cluster: str, namespace: str, selector: str, count: int = 1) -> None:
        """Wait until so many pods are there, and none that goes or comes beside them."""
        eventually(
            lambda: self.kubectl(
                *(cluster, "get", "pods", "-n", namespace, "-l", selector),
                *("-o", "jsonpath={range .items[*]}{.metadata.deletionTimestamp}{'!'}{end}"),
            ),
            lambda seen: seen == "!" * count,
        )

    def hold(self, cluster: str, namespace: str, selector: str) -> None:
        """Keep the one pod from being ready, once the change that brought it is through."""
        self.alone(cluster, namespace, selector)
        self._annotate(cluster, namespace, selector, "=true")

    def let_go(self, cluster: str, namespace: str, selector: str) -> None:
        """Take back `hold`."""
        self._annotate(cluster, namespace, selector, "-")

    def _annotate(self, cluster: str, namespace: str, selector: str, value: str) -> None:
        change = f"lab.meshform.io/hold{value}"
        self.kubectl(cluster, "annotate", "--overwrite", "pods", "-n", namespace, "-l", selector, change)

    def restart(self, cluster: str) -> None:
        """Replace the istiod pods."""
        self.kubectl(cluster, "delete", "pods", "-n", SYSTEM, "-l", "app=istiod")
        self.rolled_out(cluster)

    def environment(self, cluster: str, *changes: str) -> None:
        """`kubectl set env` on istiod: NAME=VALUE or NAME-."""
        self.kubectl(cluster, "set", "env", "deployment/istiod", "-n", SYSTEM, *changes)
        self.rolled_out(cluster)

    def cacerts(self, cluster: str, files: dict[str, str]) -> None:
        """Create or replace the Secret `cacerts`."""
        self.secret(cluster, "cacerts", files)

    def secret(self, cluster: str, name: str, files: dict[str, str]) -> None:
        """Create or replace a Secret in istio-system, whole."""
        about = {"name": name, "namespace": SYSTEM}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": about, "stringData": files}
        verb = "replace" if self.get(cluster, "secret", name) else "create"
        self.kubectl(cluster, verb, "-f", "-", stdin=json.dumps(body))

    def label_network(self, cluster: str, value: str) -> None:
        """Label istio-system with a network; "" takes the label away."""
        change = f"topology.istio.io/network={value}" if value else "topology.istio.io/network-"
        self.kubectl(cluster, "label", "--overwrite", "namespace", SYSTEM, change)

    def address(self, cluster: str) -> str:
        """The address of the cluster's east-west gateway, once it has the one of its load balancer."""
        addresses = eventually(
            lambda: self._addresses(cluster),
            lambda seen: bool(seen[0]) and seen[0] == seen[1],
        )
        return addresses[0][0]

    def _addresses(self, cluster: str) -> tuple[list[str], list[str]]:
        """What the programmed gateway says and what its Service has: after a change one follows the other."""
        gateway = self.get(cluster, "gateway", "istio-eastwest", EDGE)
        service = self.get(cluster, "service", "istio-eastwest", EDGE)
        if _status(gateway, "Programmed") != "True" or service["spec"]["type"] != "LoadBalancer":
            return [], []
        balanced = service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
        return (
            [one["value"] for one in gateway["status"].get("addresses", [])],
            [one.get("ip") or one["hostname"] for one in balanced],
        )

    def link(self, cluster: str, target: str) -> None:
        """Let `cluster` call `target`."""
        self.apply(cluster, guide.peer(target, self.address(target)))

    def conditions(
        self, cluster: str, name: str = "", namespace: str = EDGE
    ) -> dict[str, tuple[str, str, str]]:
        """Status, reason and message of each condition of a peer gateway that is about its newest state."""
        gateway = self.get(cluster, "gateway", name or f"istio-remote-peer-{self.other(cluster)}", namespace)
        return {
            one["type"]: (one["status"], one["reason"], one["message"])
            for one in gateway.get("status", {}).get("conditions", ())
            if one.get("observedGeneration") == gateway["metadata"]["generation"]
        }

    def healthy(self, cluster: str) -> None:
        """Wait until the cluster's peer gateway says that all is well."""
        eventually(
            lambda: self.conditions(cluster),
            lambda seen: all(
                seen.get(kind, ("",))[0] == "True" for kind in (CONNECTED, SUCCEEDED, DATA_PLANE)
            ),
        )

    def log(self) -> str:
        """What the stand-in has written so far."""
        return self.lab.log("-", "standin").read_text()

    def _run(self, argv: list[str], stdin: str) -> str:
        return output(self.lab, argv, stdin, timeout=120)


def _status(value: dict[str, Any], kind: str) -> str:
    conditions = value.get("status", {}).get("conditions", ())
    return next((one["status"] for one in conditions if one["type"] == kind), "")
