"""A cluster's intermediate: the Secret `cacerts` that its istiod signs workload certificates with.

Its attrs are issuer and profile; fingerprint, serial and dates are outputs; neither holds the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from mesh.errors import KubeError, MeshError, RefusedError, StalePlanError
from mesh.model import NO_CLUSTER, READY, Attrs, Found, Key, Live, Place, Ready, Touch, Unread, never
from mesh.model.spec import CommandCA, ExistingCA
from mesh.providers.cert import migration
from mesh.providers.cert.document import secret
from mesh.providers.cert.migration import moves, wanted_root
from mesh.providers.cert.observe import (
    MANAGER,
    UNPLUGGED,
    as_published,
    istiods,
    live_cacerts,
    renewal,
    without_cacerts,
)
from mesh.providers.cert.specs import CACERTS, IntermediateSpec, cacerts_place, context
from mesh.sdk.capabilities import Renewable, Traced
from mesh.sdk.contract import Last, Preview, Provider
from mesh.sdk.kube_object import find, place_of, written_in
from mesh.sdk.managed_fields import ADDRESS_ANNOTATION, MESH_LABEL
from mesh.sdk.on_conflict import on_conflict
from mesh.sdk.recorded_snapshot import recorded
from mesh.sdk.unreadable import unreadable
from mesh.world import Object, World
from mesh.world.helm.releases import NOT_SUPERSEDED
from mesh.world.kube.errors import AlreadyExists, Forbidden
from mesh.world.resources import DEPLOYMENT, SECRET
from mesh.world.snapshot import Snapshot


class Cacerts(Provider[IntermediateSpec], Renewable[IntermediateSpec], Traced):
    """One intermediate a cluster; another owner's is kept if it has the mesh's root."""

    kind = "cert"
    waits = False

    def wanted(self, spec: IntermediateSpec, live: Found, last: Last | None) -> Attrs:
        """Return the profile if mesh signs it, the live attrs if another owner does."""
        if isinstance(live, Live) and (moves(spec, live) or live.status["by"] == UNPLUGGED):
            return _profile(spec, None)
        if isinstance(live, Live) and (isinstance(spec.ca, ExistingCA) or not _is_ours(spec, live, last)):
            return live.attrs
        return _profile(spec, live)

    def due(self, spec: IntermediateSpec, live: Live, now: datetime) -> str:
        """Return why an intermediate of mesh must be signed again: it expires, or istiod could not use it."""
        if isinstance(spec.ca, ExistingCA) or live.owner != spec.mesh:
            return ""
        if problems := live.status["problems"]:
            return str(problems[0])
        end = datetime.fromisoformat(live.outputs["not_after"])
        if now < renewal(live, spec.profile.renew_before) or _ends_with_issuer(spec, end):
            return ""
        return f"expires in {max((end - now).days, 0)} days"

    def refuse(self, spec: IntermediateSpec, live: Found, last: Last | None) -> str:
        """Refuse another root than the mesh's, and to overwrite another owner's certificate."""
        where = f"cacerts in cluster {spec.cluster}"
        if not isinstance(live, Live):
            wants = live is None and isinstance(spec.ca, ExistingCA)
            return f"{where} is missing, and spec.rootOfTrust.ca says that it exists" if wants else ""
        if why := migration.refuse(spec, live):
            return why
        if live.status["problems"] and not _is_ours(spec, live, last) and not moves(spec, live):
            return (
                f"istiod cannot use {where}, not created by this mesh: {live.status['problems'][0]}; "
                "fix it where it was created, or delete it and apply"
            )
        return ""

    def ready(self, spec: IntermediateSpec, live: Live) -> Ready:
        """Return whether istiod and ztunnel will accept it."""
        del spec
        return never("; ".join(live.status["problems"])) if live.status["problems"] else READY

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Find each in the one LIST of its namespace; if it is missing, return what signs instead."""
        found: dict[Key, Found] = {}
        now = snapshot.world.clock.now()

        def hidden(key: Key, error: Forbidden) -> Unread:
            return unreadable(key, error, snapshot, lambda last: as_published(last, snapshot))

        for namespace in sorted({each.namespace for each in places.values()}):
            here = {key: each for key, each in places.items() if each.namespace == namespace}
            read = partial(snapshot.list, SECRET, namespace=namespace, labels=NOT_SUPERSEDED)
            found |= find(here, read, lambda _key, obj: live_cacerts(obj, now), hidden)
        for key in [key for key, live in found.items() if live is None]:
            try:
                found[key] = without_cacerts(places[key].namespace, recorded(snapshot, key), snapshot)
            except KubeError as error:
                found[key] = Unread(error.message)
        return found

    def owned(self, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:
        """Return every `cacerts` with the mesh's label."""
        if snapshot.cluster == NO_CLUSTER:
            return {}
        objects = snapshot.list(SECRET, labels=f"{MESH_LABEL}={mesh}", metadata_only=True)
        return {
            Key("cert", snapshot.cluster, CACERTS): cacerts_place(place_of(obj).namespace)
            for obj in objects
            if obj["metadata"].get("annotations", {}).get(ADDRESS_ANNOTATION, "").startswith("cert/")
        }

    def written(self, key: Key, place: Place, live: Live, world: World) -> tuple[Touch, ...]:
        """Return what the Secret's managedFields say."""
        del live
        return written_in(SECRET, key, place, world)

    def preview(self, spec: IntermediateSpec, key: Key, live: Live | None, world: World) -> Preview:
        """Check that the signer can sign, and report what a move to another root does; sign nothing."""
        del key
        from mesh.world import pki

        told = migration.preview(spec, live, world) if live and moves(spec, live) else Preview()
        if isinstance(spec.issuer, Mapping):
            try:
                pki.can_sign(spec.mesh, spec.ca, spec.issuer["certificate"], context(world))
            except MeshError as error:
                why = ": ".join(part for part in (error.message, error.hint) if part)
                return Preview(told.notes, refusals=(*told.refusals, why))
        return told

    def create(self, spec: IntermediateSpec, key: Key, world: World) -> None:
        """Sign and write all four keys at once; keep a right one of mesh that already exists."""
        if not self._is_made(spec, key, world):
            body = _body(spec, key, world)
            try:
                world.kube(key.cluster).create(body, manager=MANAGER)
            except AlreadyExists:
                if not self._is_made(spec, key, world):
                    raise

    def _is_made(self, spec: IntermediateSpec, key: Key, world: World) -> bool:
        """Return whether the right `cacerts` exists; raise RefusedError if another one does."""
        obj = world.kube(key.cluster).get(SECRET, spec.namespace, CACERTS)
        if obj is None:
            return False
        now = world.clock.now()
        live = live_cacerts(obj, now)
        strange = "it has another root of trust" if moves(spec, live) else ""
        if why := strange or self.refuse(spec, live, None) or self.due(spec, live, now):
            raise RefusedError(f"{key} already exists: {why}", hint="run `mesh plan` again")
        return True

    def update(self, spec: IntermediateSpec, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Sign again and replace the four keys in one write; only a move changes the root."""
        if not live.uid:
            self.create(spec, key, world)
            return
        on_conflict(partial(self._sign_again, spec, key, live, last, world))

    def _sign_again(
        self, spec: IntermediateSpec, key: Key, live: Live, last: Last | None, world: World
    ) -> None:
        kube, now = world.kube(key.cluster), world.clock.now()
        obj = kube.get(SECRET, spec.namespace, CACERTS)
        if obj is None or obj["metadata"]["uid"] != live.uid:
            raise StalePlanError(f"{key} is another Secret than was planned for", hint="plan again")
        there = live_cacerts(obj, now)
        if why := self.refuse(spec, there, last):
            raise RefusedError(why)
        is_right = there.attrs == _profile(spec, there) and not self.due(spec, there, now)
        if is_right and there.token != live.token:
            return
        body = _body(spec, key, world)
        if moves(spec, there):
            migration.put_in_place(kube, obj, body, migration.backup_path(spec, world))
            return
        meta = obj["metadata"]
        meta["labels"] = {**meta.get("labels", {}), **body["metadata"]["labels"]}
        meta["annotations"] = {**meta.get("annotations", {}), **body["metadata"]["annotations"]}
        kube.replace({**obj, "data": {**obj.get("data", {}), **body["data"]}}, manager=MANAGER)

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Delete the Secret that mesh created, and no other; keep it while an istiod uses it."""
        if live.status["address"] != str(key) and not (last.created and last.uid == live.uid):
            return (f"cacerts in cluster {key.cluster} was not created by mesh and stays",)
        if istiods(world.kube(key.cluster).list(DEPLOYMENT, namespace=place.namespace)):
            return (f"cacerts stays: the istiod of cluster {key.cluster} still uses it",)
        world.kube(key.cluster).delete(SECRET, place.namespace, place.name, uid=live.uid)
        return ()


def _is_ours(spec: IntermediateSpec, live: Live, last: Last | None) -> bool:
    return live.owner == spec.mesh or bool(last and last.created and last.uid == live.uid)


def _ends(spec: IntermediateSpec) -> str:
    """Return when the issuer expires; "" while it is not known."""
    return spec.issuer["not_after"] if isinstance(spec.issuer, Mapping) else ""


def _profile(spec: IntermediateSpec, live: Found) -> Attrs:
    """Return what mesh would have signed when the live one was signed: nothing outlives its issuer."""
    from mesh.world.pki import SKEW, duration

    validity, end = spec.profile.validity, _ends(spec)
    attrs: dict[str, Any] = {"key": spec.profile.key, "path_length": 0, "validity": duration(validity)}
    if isinstance(live, Live) and live.attrs["key"]:
        signed = datetime.fromisoformat(live.outputs["not_before"]) + SKEW
        if end:
            attrs["validity"] = duration(min(validity, datetime.fromisoformat(end) - signed))
        if isinstance(spec.ca, CommandCA):
            attrs |= {name: live.attrs[name] for name in ("path_length", "validity")}
    return attrs | {"issuer": wanted_root(spec) or spec.issuer}


def _ends_with_issuer(spec: IntermediateSpec, end: datetime) -> bool:
    """Return whether it ends with its issuer, so that signing again could not make it last longer."""
    limit = _ends(spec)
    return bool(limit) and end >= datetime.fromisoformat(limit)


def _body(spec: IntermediateSpec, key: Key, world: World) -> Object:
    """Sign, and return the Secret that holds the result."""
    from mesh.world import pki

    assert isinstance(spec.issuer, Mapping), "signed only when the root is known"
    bundle = pki.sign_bundle(
        spec.mesh, spec.cluster, spec.ca, spec.issuer["certificate"], spec.profile, context(world)
    )
    return secret(spec, key, pki.data_from(bundle))
