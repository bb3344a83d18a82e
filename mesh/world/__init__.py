"""The outside world as one argument: API servers, helm, certificates, files, the clock.

The engine and the kinds import this module for its types; the modules beside it do the real I/O,
each the only importer of its third-party package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypedDict, Unpack

from mesh.world.resources import ResourceType

Object = dict[str, Any]
"""A Kubernetes object as JSON gives it."""


class Selection(TypedDict, total=False):
    """Which objects of a collection a LIST returns, and how much of each; without a key, all of it."""

    namespace: str
    labels: str
    fields: str
    metadata_only: bool


class Kube(Protocol):
    """One API server, spoken to in raw objects.

    Every call has a deadline and retries what may be retried. Raises the errors of
    `mesh.world.kube.errors`: Unreachable, Forbidden, Missing, Conflict, Invalid, …
    """

    cluster: str
    context: str

    @property
    def server(self) -> str:
        """The address of the API server, as the kubeconfig has it."""

    def bearing(self, token: str, ca: bytes = b"") -> Kube:
        """The same API server as the holder of a token, verified by `ca` (PEM) if one is given."""

    def within(self, seconds: float) -> Kube:
        """The same API server, asked once and given up after so many seconds."""

    def get_path(self, path: str) -> Object:
        """GET any path (`/version`, `/apis/…`); raise `Missing` on 404."""

    def get_text(self, path: str) -> str:
        """GET any path that does not answer in JSON, such as a pod's port through the server's proxy."""

    def time(self) -> datetime:
        """Ask what time it is there, to the second."""

    def list(self, resource: ResourceType, **selection: Unpack[Selection]) -> list[Object]:
        """Return every object of a collection (paged inside); [] if the resource is not served."""

    def resource_of(self, obj: Object) -> ResourceType:
        """Say which API resource an object belongs to; raise `Missing` if it is not served."""

    def get(self, resource: ResourceType, namespace: str, name: str) -> Object | None:
        """Return one object, or None if it is not there (or its resource is not served)."""

    def apply(self, obj: Object, *, manager: str, force: bool = False, dry_run: bool = False) -> Object:
        """Server-side apply; return the object that results. `metadata.uid`, if given, must match."""

    def create(self, obj: Object, *, manager: str, dry_run: bool = False) -> Object:
        """POST an object; raise `AlreadyExists`."""

    def replace(self, obj: Object, *, manager: str) -> Object:
        """PUT an object with the resourceVersion it carries; raise `Conflict` if it moved."""

    def delete(self, resource: ResourceType, namespace: str, name: str, *, uid: str = "") -> bool:
        """Delete one object (only if it has that uid, when given); False if it was not there."""


class Helm(Protocol):
    """The helm program, bound to one cluster."""

    def template(
        self, job: HelmJob, *, kube_version: str, upgrade: bool, api_versions: Iterable[str] = ()
    ) -> list[Object]:
        """Render a chart without asking the cluster; hooks, tests and the crds folder left out."""

    def upgrade(self, job: HelmJob, *, force_conflicts: bool = False) -> None:
        """Install or upgrade a release; does not wait for its pods."""

    def uninstall(self, release: str, namespace: str) -> None:
        """Uninstall a release; succeed if there is none."""

    def at_work(self, release: str, namespace: str) -> str:
        """Say which helm process, of this run or of an earlier one, is at work on it; "" if none."""


@dataclass(frozen=True, slots=True)
class HelmJob:
    """What helm is asked to render or install; `ref` and `repo` as in `mesh.model.spec.Chart`.

    `labels` go on helm's own record of the release: whose it is.
    """

    release: str
    namespace: str
    ref: str
    repo: str
    version: str
    values: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)


class Clock(Protocol):
    """Time, as an argument."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that only go forward."""

    def sleep(self, seconds: float) -> None:
        """Wait; return early when the run is asked to stop."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything a run may touch. `kubes` holds one entry per reachable or unreachable cluster.

    `env` is the process environment (a snapshot); `folder` is that of the desired-state file;
    `say` tells the person who watches what a worker is doing now.
    """

    kubes: Mapping[str, Kube]
    helms: Mapping[str, Helm]
    clock: Clock
    env: Mapping[str, str]
    folder: Path
    say: Callable[[str, str], None] = field(default=lambda _cluster, _text: None)

    def kube(self, cluster: str) -> Kube:
        """Return the API server of a cluster of the mesh."""
        return self.kubes[cluster]

    def helm(self, cluster: str) -> Helm:
        """Return helm bound to a cluster of the mesh."""
        return self.helms[cluster]
