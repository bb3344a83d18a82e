"""The resources of a group version, read once per run, and again when a kind is missing."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from mesh.errors import KubeError
from mesh.model.bounded_text import Unfit
from mesh.world import Object
from mesh.world.kube.errors import Missing
from mesh.world.resources import ResourceType
from mesh.world.shapes import fitted

LIST = {"resources": [{"name!": str, "kind!": str, "namespaced": bool}]}


class Served:
    """The resources that an API server serves, as far as read; used from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[str, tuple[ResourceType, ...]] = {}

    def of(self, api: str, kind: str, get_path: Callable[[str], Object]) -> tuple[ResourceType, ...]:
        """Return the resources of a group version; read again if `kind` is missing: a CRD may be new."""
        with self._lock:
            known = self._known.get(api, ())
        if any(resource.kind == kind for resource in known):
            return known
        group, _, version = api.rpartition("/")
        try:
            found = fitted(get_path(f"/apis/{api}" if group else f"/api/{api}"), LIST)
        except Missing:
            found = {}
        except Unfit as error:
            raise KubeError(f"the list of what {api} serves cannot be used: {error}") from None
        served = tuple(
            ResourceType(group, version, one["name"], one["kind"], namespaced=one.get("namespaced", False))
            for one in found.get("resources", ())
            if "/" not in one["name"]
        )
        with self._lock:
            self._known[api] = served
        return served
