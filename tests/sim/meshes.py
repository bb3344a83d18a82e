"""The meshes of the simulation: their files, and what a cluster looks like that matches one."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import Any

from tests.sim.api import Object
from tests.sim.cluster import CRDS, DAEMON_SETS, DEPLOYMENTS, GATEWAYS, NAMESPACES, REMOTE, Cluster

GROUP = "gateway.networking.k8s.io"
BUNDLE = (("gatewayclasses", "GatewayClass", "Cluster"), ("gateways", "Gateway", "Namespaced"))
ABOUT = {f"{GROUP}/bundle-version": "v1.4.0", f"{GROUP}/channel": "standard"}
MARK = "meshform.io/mesh"
SYSTEM, EASTWEST = "istio-system", "istio-eastwest"
RELEASES = {"istio-base": "base", "istiod": "istiod", "istio-cni": "cni", "ztunnel": "ztunnel"}

Link = tuple[str, str]


def bundle() -> str:
    """Return the file of the Gateway API's CRDs, small; JSON in YAML is read fast."""
    return "".join(
        "---\n"
        + json.dumps(
            {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": f"{plural}.{GROUP}", "annotations": ABOUT},
                "spec": {
                    "group": GROUP,
                    "scope": scope,
                    "names": {"plural": plural, "kind": kind},
                    "versions": [{"name": "v1"}],
                },
            }
        )
        + "\n"
        for plural, kind, scope in BUNDLE
    )


@dataclass(frozen=True)
class Wish:
    """What the file says: a value of istiod, and the links; `destroyed`: nothing of it."""

    clusters: tuple[str, ...]
    value: str = "0"
    links: frozenset[Link] = frozenset()
    destroyed: bool = False

    @classmethod
    def of(cls, names: Iterable[str]) -> Wish:
        """Return a full mesh."""
        clusters = tuple(names)
        return cls(clusters, links=frozenset(permutations(clusters, 2)))

    def changed(self, **how: Any) -> Wish:
        return replace(self, **how)

    def said(self) -> str:
        """Return it in a few words."""
        return f"value {self.value}, links {' '.join('>'.join(each) for each in sorted(self.links)) or '-'}"

    def text(self) -> str:
        """Return the mesh file."""
        links = ", ".join(f"{{from: [{one}], to: [{two}]}}" for one, two in sorted(self.links))
        clusters = ", ".join(f"{{name: {name}}}" for name in self.clusters)
        return f"""
apiVersion: mesh/v1
kind: Mesh
metadata: {{name: demo}}
spec:
  istio: {{version: 1.30.2-solo, license: {{env: KEY}}}}
  gatewayAPI: {{source: crds.yaml, version: v1.4.0}}
  rollout: {{gate: ready}}
  defaults: {{values: {{istiod: {{env: {{TRY: "{self.value}"}}}}}}}}
  clusters: [{clusters}]
  links: [{links}]
"""

    def write(self, folder: Path) -> None:
        """Put the file into a folder."""
        (folder / "mesh.yaml").write_text(self.text(), "utf-8")

    def differences(self, clusters: Mapping[str, Cluster], config: Path) -> list[str]:
        """Return in what the clusters differ from this wish."""
        found = []
        for name in self.clusters:
            one = clusters[name]
            found += [
                f"{name}: {each}" for each in (_left(one) if self.destroyed else self._missing(one, config))
            ]
        return found

    def _missing(self, one: Cluster, config: Path) -> Iterator[str]:
        for plural, _, _ in BUNDLE:
            if one.get(CRDS, "", f"{plural}.{GROUP}") is None:
                yield f"no CRD {plural}"
        for name in (SYSTEM, EASTWEST):
            found = one.get(NAMESPACES, "", name)
            if found is None or found.get("status", {}).get("phase") == "Terminating":
                yield f"no namespace {name}"
        network = (one.get(NAMESPACES, "", SYSTEM) or {"metadata": {}})["metadata"].get("labels", {})
        if network.get("topology.istio.io/network") != one.name:
            yield "no label of the network"
        yield from _other_root(one, config)
        yield from self._releases(one)
        if one.get(GATEWAYS, EASTWEST, "istio-eastwest") is None:
            yield "no east-west gateway"
        wanted = {target for source, target in self.links if source == one.name}
        there = {key[2].removeprefix("istio-remote-peer-") for key, _ in peers(one)}
        if wanted != there:
            yield f"links to {sorted(there)}, not to {sorted(wanted)}"

    def _releases(self, one: Cluster) -> Iterator[str]:
        for release, chart in RELEASES.items():
            newest = newest_of(one, release)
            if newest is None or newest["info"]["status"] != "deployed":
                yield f"release {release} is {newest and newest['info']['status']}"
            elif chart == "istiod" and newest["config"]["env"]["TRY"] != self.value:
                yield f"istiod has value {newest['config']['env']['TRY']}, not {self.value}"
            elif chart != "base":
                yield from _other_workload(one, chart, newest)


def _other_workload(one: Cluster, chart: str, newest: Object) -> Iterator[str]:
    live = one.get(DEPLOYMENTS if chart == "istiod" else DAEMON_SETS, SYSTEM, chart)
    wanted = json.dumps(newest["config"], sort_keys=True)
    if live is None or live["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] != wanted:
        yield f"the workload of {chart} is not that of its release"


def _other_root(one: Cluster, config: Path) -> Iterator[str]:
    secret = one.get("secrets", SYSTEM, "cacerts")
    if secret is None:
        yield "no cacerts"
    elif base64.b64decode(secret["data"]["root-cert.pem"]).decode() != root_of(config):
        yield "cacerts of another root"
    if one.get("secrets", SYSTEM, "solo-istio-license") is None:
        yield "no licence"


def root_of(config: Path) -> str:
    """Return the root certificate on disk; "" if there is none."""
    path = config / "mesh" / "demo" / "root.crt"
    return path.read_text("utf-8") if path.exists() else ""


def _left(one: Cluster) -> Iterator[str]:
    """Yield what a destroy should have removed."""
    for release in RELEASES:
        if newest_of(one, release) is not None:
            yield f"release {release} stays"
    for name in ("cacerts", "solo-istio-license"):
        if one.get("secrets", SYSTEM, name) is not None:
            yield f"Secret {name} stays"
    for key, obj in one.of(GATEWAYS):
        if obj["metadata"].get("labels", {}).get(MARK):
            yield f"Gateway {key[2]} stays"
    if one.get("configmaps", SYSTEM, "mesh-demo-state") is not None:
        yield "its copy of the state stays"
    for name in (SYSTEM, EASTWEST):
        found = one.get(NAMESPACES, "", name)
        if found is not None and found["metadata"].get("labels", {}).get(MARK) and not _users(one, name):
            yield f"namespace {name} stays"


def _users(one: Cluster, namespace: str) -> bool:
    return any(key[1] == namespace and key[2].startswith("users-") for key in one.api.store.objects)


def peers(one: Cluster) -> list[tuple[tuple[str, str, str], Object]]:
    """Return the links of a cluster."""
    return [(key, obj) for key, obj in one.of(GATEWAYS) if obj["spec"].get("gatewayClassName") == REMOTE]


_unpacked: dict[str, Object] = {}


def newest_of(one: Cluster, release: str) -> Object | None:
    """Return the newest revision of a release."""
    found = [
        obj for key, obj in one.of("secrets", SYSTEM) if key[2].startswith(f"sh.helm.release.v1.{release}.v")
    ]
    if not found:
        return None
    data = max(found, key=lambda obj: int(obj["metadata"]["labels"]["version"]))["data"]["release"]
    if data not in _unpacked:
        _unpacked[data] = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(data))))
    return _unpacked[data]
