"""The outside world as one argument: API servers, helm, certificates, files, the clock.

The engine and the kinds import this module for its types; the modules beside it do the real I/O,
each the only importer of its third-party package.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypedDict, Unpack

from mesh.world.fingerprint_keys import FingerprintKeys
from mesh.world.fingerprints import Fingerprints
from mesh.world.resources import ResourceType

Object = dict[str, Any]
"""A Kubernetes object as JSON gives it."""


class Selection(TypedDict, total=False):
    """Which objects of a collection a LIST returns, and how much of each; without a key, everything."""

    namespace: str
    labels: str
    fields: str
    metadata_only: bool


class Kube(Protocol):
    """One API server, used with raw objects.

    Every call has a deadline and repeats what is safe to repeat. Raises the errors of
    `mesh.world.kube.errors`: Unreachable, Forbidden, Missing, Conflict, Invalid, …
    """

    cluster: str
    context: str

    @property
    def server(self) -> str:
        """The address of the API server, as in the kubeconfig."""

    def bearing(self, token: str, ca: bytes = b"") -> Kube:
        """Return the same API server with a token for credentials, verified by `ca` (PEM) if one is given."""

    def within(self, seconds: float) -> Kube:
        """Return the same API server with one attempt per call, of so many seconds."""

    def get_path(self, path: str) -> Object:
        """GET any path (`/version`, `/apis/…`); raise `Missing` on 404."""

    def get_text(self, path: str) -> str:
        """GET any path with an answer other than JSON, such as a pod's port through the server's proxy."""

    def port_text(self, namespace: str, pod: str, port: int, asked: str) -> str:
        """GET a path of a pod's port, to which the request comes from the pod's own loopback."""

    def time(self) -> datetime:
        """Return the time of the server, to the second."""

    def list(self, resource: ResourceType, **selection: Unpack[Selection]) -> list[Object]:
        """Return every object of a collection (paged inside); [] if the resource is not served."""

    def resource_of(self, obj: Object) -> ResourceType:
        """Return the API resource of an object; raise `Missing` if it is not served."""

    def get(self, resource: ResourceType, namespace: str, name: str) -> Object | None:
        """Return one object, or None if it (or its resource) does not exist."""

    def apply(self, obj: Object, *, manager: str, force: bool = False, dry_run: bool = False) -> Object:
        """Server-side apply; return the resulting object. `metadata.uid`, if given, must match."""

    def create(self, obj: Object, *, manager: str, dry_run: bool = False) -> Object:
        """POST an object; raise `AlreadyExists`."""

    def replace(self, obj: Object, *, manager: str) -> Object:
        """PUT an object with the resourceVersion it carries; raise `Conflict` if it has changed."""

    def delete(self, resource: ResourceType, namespace: str, name: str, *, uid: str = "") -> bool:
        """Delete one object (only if it has that uid, when given); False if it did not exist."""


class Helm(Protocol):
    """The helm program, bound to one cluster."""

    def template(
        self, job: HelmJob, *, kube_version: str, upgrade: bool, api_versions: Iterable[str] = ()
    ) -> list[Object]:
        """Render a chart without asking the cluster; hooks, tests and the crds folder left out."""

    def pinned(self, job: HelmJob) -> tuple[HelmJob, str]:
        """Return the job with a private copy of its chart, made once a run, and the digest of its bytes."""

    def version(self) -> str:
        """Return the version of the program."""

    def upgrade(self, job: HelmJob, *, force_conflicts: bool = False) -> None:
        """Install or upgrade a release; does not wait for its pods."""

    def uninstall(self, release: str, namespace: str) -> None:
        """Uninstall a release; succeed if there is none."""

    def at_work(self, release: str, namespace: str) -> str:
        """Return the helm process, of this run or an earlier one, at work on a release; "" if none."""


@dataclass(frozen=True, slots=True)
class HelmJob:
    """A chart to render or install; `ref` and `repo` as in `mesh.model.spec.Chart`.

    `labels` go on helm's record of the release, to name its owner. With `hooks`, a rendering has them too.
    """

    release: str
    namespace: str
    ref: str
    repo: str
    version: str
    values: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    hooks: bool = False


class Clock(Protocol):
    """Time, as an argument."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that only go forward."""

    def sleep(self, seconds: float) -> None:
        """Wait; return early when the run should stop."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything a run may touch. `kubes` has one entry per cluster, reachable or not.

    `env` is a copy of the process environment; `folder` is that of the mesh file; `say` reports what a
    worker is waiting for. `keys` are those of the fingerprints of hidden values. `fingerprint` stands for a
    secret in a plan: equal for equal texts, useless without its key.
    """

    kubes: Mapping[str, Kube]
    helms: Mapping[str, Helm]
    clock: Clock
    env: Mapping[str, str]
    folder: Path
    say: Callable[[str, str], None] = field(default=lambda _cluster, _text: None)
    keys: FingerprintKeys = field(default_factory=FingerprintKeys, repr=False)
    fingerprint: Callable[[str], str] = field(default=Fingerprints(secrets.token_bytes(32)))

    def kube(self, cluster: str) -> Kube:
        """Return the API server of a cluster of the mesh."""
        return self.kubes[cluster]

    def helm(self, cluster: str) -> Helm:
        """Return helm bound to a cluster of the mesh."""
        return self.helms[cluster]
