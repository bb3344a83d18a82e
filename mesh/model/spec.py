"""The resolved desired state: every default is applied and every file is read.

`mesh.config.decode` creates these from the YAML document; `mesh.planner.expand` and `mesh.istio` turn
them into resources. Nothing here comes from a cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any, Literal

from mesh.model import Key, Origin

Component = Literal["base", "istiod", "cni", "ztunnel"]
COMPONENTS: tuple[Component, ...] = ("base", "istiod", "cni", "ztunnel")


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A Secret that mesh does not manage; it has the same name in every cluster."""

    name: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Licence:
    """Source of the licence key: exactly one of the three is set; none for upstream."""

    env: str = ""
    file: str = ""
    secret: SecretRef | None = None
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class GenerateCA:
    """mesh generates the root key once, in a file that the user keeps; "" is the default path."""

    key_file: str = ""


@dataclass(frozen=True, slots=True)
class FilesCA:
    """The root, or the CA that signs the intermediates, is a certificate and key in PEM files."""

    cert: str
    key: str


@dataclass(frozen=True, slots=True)
class CommandCA:
    """The user's program signs: PEM request in, PEM chain out (own certificate first, root last)."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExistingCA:
    """Every cluster already has its `cacerts`; mesh only verifies that they share a root."""


CA = GenerateCA | FilesCA | CommandCA | ExistingCA
KeyAlgorithm = Literal["ecdsa-p256", "ecdsa-p384", "rsa-4096"]


@dataclass(frozen=True, slots=True)
class Intermediate:
    """Settings of a cluster's intermediate certificate."""

    validity: timedelta = timedelta(days=365)
    renew_before: timedelta = timedelta(days=90)
    key: KeyAlgorithm = "ecdsa-p256"


@dataclass(frozen=True, slots=True)
class RootOfTrust:
    """The CA that signs the clusters' intermediates, and its settings.

    `migrate` is how clusters with another root move to this one ("": they do not); `backup` is the
    path prefix of the files that a replaced `cacerts` is saved to, as written in the mesh file.
    """

    ca: CA = GenerateCA()
    root_validity: timedelta = timedelta(days=3650)
    root_key: KeyAlgorithm = "ecdsa-p384"
    intermediate: Intermediate = Intermediate()
    origin: Origin = Origin()
    migrate: Literal["", "restart"] = ""
    backup: str = ""


@dataclass(frozen=True, slots=True)
class GatewayAPI:
    """The Kubernetes Gateway API CRDs. `source` is a URL or a path (file or folder of YAML files).

    A path is absolute. `sha256` pins the bytes of a URL (always) or of a file; for a folder, the
    concatenation of its files in name order. "" pins nothing.
    """

    version: str
    source: str
    sha256: str = ""
    safe_upgrades: bool = False
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class Chart:
    """One Helm release of one cluster.

    `ref` is helm's CHART argument (`oci://…/istiod`, the absolute path of a folder or archive, or a
    name in `repo`); `version` is "" for an archive, which only helm opens. `values` are the user's
    values, files and inline merged, without computed values.
    """

    component: Component
    ref: str
    repo: str
    version: str
    release: str
    namespace: str
    values: Mapping[str, Any] = field(default_factory=dict)
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class EastWest:
    """The east-west gateway of a cluster."""

    namespace: str = "istio-eastwest"
    name: str = "istio-eastwest"
    service: Literal["LoadBalancer", "NodePort"] = "LoadBalancer"
    region: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster of the mesh. `name` is only its address; its identity is three of the next fields.

    `api_server` is the URL at which other clusters of an upstream mesh reach its API server, "" for
    the server of its context; `allow_loopback` is for labs, with all clusters on one machine.
    """

    name: str
    context: str
    kubeconfig: str
    cluster_name: str
    network: str
    trust_domain: str
    namespace: str
    charts: Mapping[Component, Chart]
    eastwest: EastWest
    adopt: bool = False
    origin: Origin = Origin()
    api_server: str = ""
    allow_loopback: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """Workloads in `source` can call services in `target`."""

    source: str
    target: str
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class Automatic:
    """A management plane creates the links: it runs in cluster `management`, in `namespace`.

    `source` is the repository of its charts ("": the chart stored in each release), and `version` the
    version of its charts ("": the installed one).
    """

    management: str
    namespace: str = "gloo-mesh"
    source: str = ""
    version: str = ""
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class Rollout:
    """How disruptive changes are rolled out: how many clusters at a time, which first, with what pause.

    `gate` is the condition for the next cluster: earlier ones are ready, or their checks pass as well.
    `settle` is how long the checks must keep passing after the last step, in seconds.
    """

    clusters: int = 1
    first: tuple[str, ...] = ()
    pause: timedelta = timedelta()
    gate: Literal["check", "ready"] = "check"
    settle: int = 6


@dataclass(frozen=True, slots=True)
class ListedResource:
    """A resource that the mesh file lists. Its kind reads the `values`.

    `path` is where it is in the file; `origins` are the positions of its parts, by the path inside it.
    """

    key: Key
    values: Mapping[str, Any]
    needs: tuple[Key, ...] = ()
    path: str = ""
    origins: Mapping[tuple[str | int, ...], Origin] = field(default_factory=dict)

    def origin(self, trail: tuple[str | int, ...] = ()) -> Origin:
        """Return the position of a part; if it is absent, that of the nearest part around it."""
        while trail and trail not in self.origins:
            trail = trail[:-1]
        return self.origins.get(trail, Origin())


@dataclass(frozen=True, slots=True)
class Ignore:
    """A field of objects of Helm releases that others may change.

    `name`, `cluster` and `path` may hold `*` for any text. A path covers all that is in it.
    """

    kind: str
    path: str
    name: str = "*"
    cluster: str = "*"
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class Mesh:
    """The desired state of one mesh.

    `variant` is "" for the guide's default. `sensitive` are dotted paths in the values of any chart.
    `digest` covers every file that was read. `mesh_id` is for upstream only. `through` are the
    intermediate versions before `version`, one per minor version, oldest first. `leave` are the
    resources to leave to another owner, with their positions in the file; `prevent_destroy` the patterns
    of what no plan may destroy, likewise. `ignore` are the fields of Helm releases' objects that others may
    change.
    """

    name: str
    distribution: Literal["solo", "upstream"]
    version: str
    hub: str
    tag: str
    variant: str
    licence: Licence
    root: RootOfTrust
    gateway_api: GatewayAPI
    clusters: tuple[Cluster, ...]
    links: tuple[Link, ...]
    sensitive: tuple[str, ...] = ()
    rollout: Rollout = Rollout()
    automatic: Automatic | None = None
    file: str = ""
    digest: str = ""
    mesh_id: str = ""
    through: tuple[str, ...] = ()
    leave: Mapping[Key, Origin] = field(default_factory=dict)
    resources: tuple[ListedResource, ...] = ()
    prevent_destroy: Mapping[str, Origin] = field(default_factory=dict)
    ignore: tuple[Ignore, ...] = ()

    def cluster(self, name: str) -> Cluster:
        """Return the cluster with a name; raise KeyError if there is none."""
        for cluster in self.clusters:
            if cluster.name == name:
                return cluster
        raise KeyError(name)

    def ignored_in(self, cluster: str) -> tuple[Ignore, ...]:
        """Return the rules of `ignore` that hold in a cluster."""
        return tuple(rule for rule in self.ignore if fnmatchcase(cluster, rule.cluster))
