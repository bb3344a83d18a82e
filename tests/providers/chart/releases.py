"""Releases as helm stores them, and objects as its charts leave them in a cluster."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from mesh.model import Live
from mesh.world import Object
from mesh.world.helm.releases import ReleaseView, newest

NAMESPACE = "istio-system"
TIME = "2026-05-01T00:00:00Z"


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def chart(name: str = "istiod", version: str = "1.29.1", **more: Any) -> dict[str, Any]:
    """A chart as a release holds it."""
    return {"metadata": {"name": name, "version": version}, "templates": [], "files": [], **more}


def secret(
    about: dict[str, Any] | None = None,
    *,
    release: str = "istiod",
    namespace: str = NAMESPACE,
    revision: int = 1,
    status: str = "deployed",
    config: dict[str, Any] | None = None,
    manifest: str = "",
    **labels: str,
) -> Object:
    """The Secret of one revision of a release."""
    payload = {
        "name": release,
        "namespace": namespace,
        "version": revision,
        "info": {"status": status},
        "chart": about or chart(),
        "config": config or {},
        "manifest": manifest,
    }
    packed = base64.b64encode(gzip.compress(json.dumps(payload).encode())).decode()
    return {
        "type": "helm.sh/release.v1",
        "metadata": {
            "name": f"sh.helm.release.v1.{release}.v{revision}",
            "namespace": namespace,
            "uid": f"{namespace}/{release}/{revision}",
            "labels": {
                "owner": "helm",
                "name": release,
                "version": str(revision),
                "status": status,
                **labels,
            },
        },
        "data": {"release": coded(packed)},
    }


def view(*revisions: Object) -> ReleaseView:
    """The release that some revisions are of."""
    (found,) = newest(revisions or [secret()]).values()
    return found


def live(found: ReleaseView, version: str = "1.29.1") -> Live:
    """A release as it is observed."""
    return Live({"version": version}, "token", status={"view": found, "nodes": 2, "published": {}})


def written(manager: str, fields: dict[str, Any]) -> dict[str, Any]:
    """An entry of managedFields."""
    return {"manager": manager, "operation": "Update", "time": TIME, "fieldsV1": fields}


def workload(
    name: str, *managers: dict[str, Any], release: str = "istiod", label: str = "", **body: Any
) -> Object:
    """A workload or ConfigMap of a release, as the API server returns it."""
    annotations = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": NAMESPACE}
    meta = {"name": name, "namespace": NAMESPACE, "annotations": annotations, "managedFields": list(managers)}
    return {"metadata": {**meta, "labels": {"helm.sh/chart": label} if label else {}}, **body}
