"""The objects of a release: its workloads and ConfigMaps, and why pods are not ready."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mesh.model import Place
from mesh.providers.chart.locator import ReleaseLocator
from mesh.providers.chart.trust import published
from mesh.sdk.rollout_status import of_release, why_not
from mesh.world import Object
from mesh.world.resources import CONFIG_MAP, DAEMON_SET, DEPLOYMENT, NODE, POD
from mesh.world.snapshot import Snapshot


def listed(place: Place, snapshot: Snapshot) -> list[Object]:
    """Return the workloads and ConfigMaps of the release's namespace, which are read in bulk anyway."""
    return [
        {**obj, "kind": resource.kind}
        for resource in (DEPLOYMENT, DAEMON_SET, CONFIG_MAP)
        for obj in snapshot.list(resource, namespace=place.namespace)
    ]


def standing(place: Place, wanted: Place, objects: Iterable[Object], snapshot: Snapshot) -> dict[str, Any]:
    """Return the status of a release: its nodes, why its pods are not ready, and the published roots."""
    pods = (obj for obj in objects if obj["kind"] != CONFIG_MAP.kind)
    workloads = of_release(pods, place.name, place.namespace)
    nodes = len(snapshot.list(NODE, metadata_only=True)) if workloads else 0
    return {
        "nodes": nodes,
        "troubles": _troubles(workloads, nodes, place, snapshot),
        "published": published(snapshot) if ReleaseLocator.of(wanted).roots else {},
    }


def _troubles(workloads: Iterable[Object], nodes: int, place: Place, snapshot: Snapshot) -> list[str]:
    """Return why workloads of a release are not ready; only their pods are read."""

    def pods(workload: Object) -> list[Object]:
        labels = ",".join(f"{k}={v}" for k, v in workload["spec"]["selector"]["matchLabels"].items())
        return snapshot.list(POD, namespace=place.namespace, labels=labels)

    return [why for obj in workloads if (why := why_not(obj, nodes, pods))]
