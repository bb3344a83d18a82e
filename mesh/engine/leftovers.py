"""What a destroy leaves in the clusters because mesh does not manage it, by name."""

from __future__ import annotations

from collections.abc import Iterable

from mesh.errors import KubeError
from mesh.istio.names import ROOT_CONFIG_MAP
from mesh.walk import fan
from mesh.world import Object, World
from mesh.world.resources import CONFIG_MAP, CRD

KEPT = "helm.sh/resource-policy"
ISTIO = ".istio.io"


def leftovers(clusters: Iterable[str], world: World) -> tuple[str, ...]:
    """Return a line for each part of Istio that stays in a cluster."""
    names = sorted(clusters)
    found = fan(lambda name: _left(name, world), names)
    return tuple(line for name in names for line in found[name])


def _left(cluster: str, world: World) -> list[str]:
    kube = world.kube(cluster)
    try:
        published = kube.list(CONFIG_MAP, fields=f"metadata.name={ROOT_CONFIG_MAP}", metadata_only=True)
        crds = [obj for obj in kube.list(CRD, metadata_only=True) if _is_kept(obj)]
    except KubeError as error:
        return [f"cluster {cluster}: leftovers could not be read: {error.message}"]
    lines = []
    if published:
        where = ", ".join(sorted(str(obj["metadata"]["namespace"]) for obj in published))
        lines.append(f"cluster {cluster}: ConfigMap {ROOT_CONFIG_MAP} created by istiod stays in {where}")
    if crds:
        what = "custom resources may use them"
        lines.append(f"cluster {cluster}: {len(crds)} CRDs of the chart base stay: {what} ({_few(crds)})")
    return lines


def _is_kept(crd: Object) -> bool:
    meta = crd["metadata"]
    return str(meta["name"]).endswith(ISTIO) and (meta.get("annotations") or {}).get(KEPT) == "keep"


def _few(objects: list[Object]) -> str:
    names = sorted(str(obj["metadata"]["name"]) for obj in objects)
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
