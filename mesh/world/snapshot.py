"""One cluster as one run read it: each LIST and each GET is sent once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Unpack

from mesh.errors import KubeError, MeshError
from mesh.world import Object, Selection, World
from mesh.world.resources import ResourceType


@dataclass(slots=True)
class _Read:
    """One read: made by the first thread that asks; the others wait for it."""

    lock: Lock = field(default_factory=Lock)
    done: bool = False
    value: Any = None
    error: Exception | None = None


@dataclass(slots=True)
class Snapshot:
    """A cluster with every answer kept, so that all kinds see it at one moment and none asks twice.

    Kinds read on several threads. `dict.setdefault` is atomic, so two threads that ask the same share one
    lock, and the second waits for the first instead of sending the request again. An error is kept like a
    value: a cluster that timed out is not asked once per kind.
    """

    cluster: str
    world: World
    _reads: dict[object, _Read] = field(default_factory=dict)

    def list(self, resource: ResourceType, **selection: Unpack[Selection]) -> list[Object]:
        """Return a collection; raise what `Kube.list` raises, the same at every call."""
        kube = self.world.kube(self.cluster)
        asked = frozenset((name, value) for name, value in selection.items() if value)
        found: list[Object] = self.remember((resource, asked), lambda: kube.list(resource, **selection))
        return found

    def get_path(self, path: str) -> Object:
        """GET any path once."""
        found: Object = self.remember(path, lambda: self.world.kube(self.cluster).get_path(path))
        return found

    def read_before(self) -> Snapshot:
        """Return what was read until now: there, a LIST that was not made raises KubeError."""
        return _ReadBefore(self.cluster, self.world, self._reads)

    def remember(self, key: object, read: Callable[[], Any]) -> Any:
        """Call `read` once for a key; return its value, or raise its error, at every call."""
        one = self._reads.setdefault(key, _Read())
        with one.lock:
            if not one.done:
                try:
                    one.value = read()
                except Exception as error:  # noqa: BLE001  # kept, and raised again at every call
                    one.error = _bare(error)
                one.done = True
        if one.error is not None:
            raise one.error
        return one.value


class _ReadBefore(Snapshot):
    """A cluster as far as it was read."""

    def remember(self, key: object, read: Callable[[], Any]) -> Any:
        """Return the value of a read that was made."""
        one = self._reads.get(key)
        if one is None or not one.done:
            raise KubeError(f"cluster {self.cluster}: it was not read")
        return super().remember(key, read)


def _bare(error: Exception) -> Exception:
    """Return an error without the frames that it was raised in: they hold the answer that did not fit."""
    if isinstance(error, MeshError):
        error.__context__ = error.__cause__ = None
        return error.with_traceback(None)
    return error
