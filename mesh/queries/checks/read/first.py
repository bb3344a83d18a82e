"""Read the facts of every cluster: the LISTs of a plan and a few more, in parallel; writes nothing.

A second, smaller round (`mesh.queries.checks.read.second`) reads what depends on the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mesh.engine.observe import uid_of
from mesh.errors import MeshError
from mesh.istio.solo import licence_secret
from mesh.model import Key, Place, Unread
from mesh.model.bounded_text import SMALL, Unfit, from_base64
from mesh.model.spec import Cluster, Mesh
from mesh.providers.chart import NOT_SUPERSEDED, views_in
from mesh.queries.checks.facts import ClusterFacts, Rows, place
from mesh.queries.checks.read.queries import QUERIES, Query
from mesh.queries.checks.read.second import SECOND, is_flat
from mesh.queries.checks.rules.upstream import public
from mesh.sdk.contract import Registry
from mesh.walk import fan
from mesh.world import Object, World
from mesh.world.guarded import guarded
from mesh.world.kube.errors import Unauthorized, Unreachable
from mesh.world.resources import SECRET
from mesh.world.snapshot import Snapshot

if TYPE_CHECKING:
    from mesh.world.pki import Inspection

CACERTS, ROOT_KEY = "cacerts", "root-cert.pem"


def read_facts(
    mesh: Mesh,
    snapshots: Mapping[str, Snapshot],
    recorded: Mapping[Key, Place],
    kinds: Registry,
    *,
    dry_runs: bool = True,
) -> dict[str, ClusterFacts]:
    """Return the facts of every cluster of the file; `recorded` are the places of the state.

    Without `dry_runs`, nothing is written as a dry run, and `tried` is empty.
    """
    readers = {each.name: _Reader(mesh, each, snapshots[each.name]) for each in mesh.clusters}
    first = fan(lambda name: _first(readers[name]), readers)
    alive = [name for name, facts in first.items() if not facts.unreachable]
    jobs = [(name, part) for name in alive for part in (*QUERIES, *PARTS)]
    answers = fan(lambda job: readers[job[0]].part(job[1]), jobs)
    facts = {name: _filled(found, name, answers) for name, found in first.items()}
    flat = any(is_flat(facts[name]) for name in alive)
    unasked = {part for part, is_asked in (("addresses", flat), ("tried", dry_runs)) if not is_asked}
    again = [(name, part) for name in alive for part in SECOND if part not in unasked]
    more = fan(lambda job: _second(job[1], snapshots[job[0]], facts[job[0]]), again)
    facts = {name: _filled(found, name, more) for name, found in facts.items()}
    stray = fan(lambda name: _stray(readers[name], recorded, kinds), alive)
    return {name: replace(found, stray=stray.get(name, ())) for name, found in facts.items()}


class _Reader:
    """One cluster, and the way to read each part of it."""

    def __init__(self, mesh: Mesh, cluster: Cluster, snapshot: Snapshot) -> None:
        self.mesh, self.cluster, self.snapshot = mesh, cluster, snapshot
        self.world: World = snapshot.world

    def part(self, name: str) -> Any:
        """One collection or part; what cannot be read is `Unread`."""
        read = partial(self.rows, QUERIES[name]) if name in QUERIES else partial(PARTS[name], self)
        return guarded(f"cluster {self.cluster.name}: the {name}", read)

    def rows(self, query: Query) -> Rows:
        """The objects of a query, each namespace asked once."""
        return tuple(
            obj
            for namespace in sorted(query.where(self.cluster))
            for obj in self.snapshot.list(
                query.resource,
                namespace=namespace,
                labels=query.labels,
                fields=query.fields,
                metadata_only=query.metadata_only,
            )
        )

    def version(self) -> str:
        """The version of the API server."""
        return str(self.snapshot.get_path("/version")["gitVersion"])

    def skew(self) -> float:
        """Return by how many seconds its clock is ahead; its Date header resolves to a second."""
        return (self.world.kube(self.cluster.name).time() - self.world.clock.now()).total_seconds()

    def groups(self) -> frozenset[str]:
        """The API versions that the server serves."""
        listed = self.snapshot.get_path("/apis")["groups"]
        return frozenset(each["groupVersion"] for group in listed for each in group["versions"])

    def secrets(self) -> Rows:
        """The Secrets of istiod's namespace and of the licence, without the values; see `_without_values`."""
        return tuple(_without_values(obj) for obj in self._secrets())

    def _secrets(self) -> list[Object]:
        where = licence_secret(self.mesh, self.cluster).namespace
        return [
            obj
            for namespace in sorted({self.cluster.namespace, where})
            for obj in self.snapshot.list(SECRET, namespace=namespace, labels=NOT_SUPERSEDED)
        ]

    def releases(self) -> Mapping[tuple[str, str], Any]:
        """The Helm releases in the namespaces of the charts."""
        namespaces = {chart.namespace for chart in self.cluster.charts.values()}
        return {
            name: view
            for namespace in sorted(namespaces)
            for name, view in views_in(self.snapshot, namespace).items()
        }

    def authority(self) -> Inspection | None:
        """The CA in `cacerts` with its problems; None if the Secret is missing."""
        from mesh.world import pki

        wanted = (self.cluster.namespace, CACERTS)
        found = next((obj for obj in self._secrets() if place(obj) == wanted), None)
        if found is None:
            return None
        return pki.inspect_bundle(pki.bundle_from(found.get("data") or {}), self.world.clock.now())

    def published(self) -> Mapping[str, frozenset[str]]:
        """The roots of trust that istiod has published, by namespace."""
        from mesh.world import pki

        return {
            place(obj)[0]: pki.fingerprints_in((obj.get("data") or {}).get(ROOT_KEY, ""))
            for obj in self.rows(QUERIES["roots"])
        }


PARTS: Mapping[str, Callable[[_Reader], Any]] = {
    "version": _Reader.version,
    "skew": _Reader.skew,
    "groups": _Reader.groups,
    "secrets": _Reader.secrets,
    "releases": _Reader.releases,
    "authority": _Reader.authority,
    "published": _Reader.published,
}
"""Parts that are more than one LIST, by the attribute of `ClusterFacts`; `secrets` goes into `seen`."""

FIELDS = frozenset(PARTS) - {"secrets"}


def _first(reader: _Reader) -> ClusterFacts:
    """Whether the cluster answers, by the first LIST; no other request is sent to one that does not."""
    try:
        uid = uid_of(reader.rows(QUERIES["namespaces"]))  # type: ignore[arg-type]  # a tuple serves as well
    except (Unreachable, Unauthorized) as error:
        return ClusterFacts(reader.cluster, unreachable=error.message)
    except (MeshError, KeyError, TypeError):
        return ClusterFacts(reader.cluster)
    return ClusterFacts(reader.cluster, uid=uid)


def _second(name: str, snapshot: Snapshot, facts: ClusterFacts) -> Any:
    return guarded(f"cluster {snapshot.cluster}: the {name}", lambda: SECOND[name](snapshot, facts))


def _filled(facts: ClusterFacts, cluster: str, answers: Mapping[tuple[str, str], Any]) -> ClusterFacts:
    mine = {part: found for (name, part), found in answers.items() if name == cluster}
    fields = {part: found for part, found in mine.items() if part in FIELDS | {"tried", "ports"}}
    rows = {part: found for part, found in mine.items() if part not in fields}
    return replace(facts, seen={**facts.seen, **rows}, **fields)


def _without_values(secret: Object) -> Object:
    """A Secret without its values, since reports print evidence: only the names of the keys with a value."""
    kept = [name for name, value in (secret.get("data") or {}).items() if _decoded(value).strip()]
    known = {"metadata": secret["metadata"], "type": secret.get("type", "Opaque"), "keys": sorted(kept)}
    remote = (secret["metadata"].get("labels") or {}).get("istio/multiCluster") == "true"
    return {**known, "remote": public(secret)} if remote else known


def _decoded(value: str) -> bytes:
    try:
        return from_base64(value or "", SMALL)
    except Unfit:
        return b""


def _stray(reader: _Reader, recorded: Mapping[Key, Place], kinds: Registry) -> tuple[str, ...] | Unread:
    """Return what carries this mesh's label and is not in the state.

    An object is known by its place too: the address in its annotation is that of the last write, and
    `mesh state rename` changes addresses without a write.
    """
    known = {
        (key.kind, place.namespace, place.name)
        for key, place in recorded.items()
        if key.cluster == reader.cluster.name
    }
    return guarded(
        f"cluster {reader.cluster.name}: what carries the mesh's mark",
        lambda: tuple(
            sorted(
                f"{key} ({where.namespace}/{where.name})"
                for kind in kinds.values()
                for key, where in kind.owned(reader.mesh.name, reader.snapshot).items()
                if key not in recorded and (key.kind, where.namespace, where.name) not in known
            )
        ),
    )
