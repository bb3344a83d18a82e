"""Kind `secret`: the licence key, as a Secret that the istiod chart refers to.

A licence from the environment or a file becomes our own Secret. One that the user keeps as a
Secret (`license.secretRef`) is only verified: never made, changed or deleted. The value itself is
in no attrs, output, plan or lockfile: they hold a digest that is salted with mesh and address.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from mesh.errors import MeshError
from mesh.model import Attrs, Found, Key, Live, Place, Sensitive, Touch
from mesh.model.spec import Licence
from mesh.sdk import kube_secret as secret_objects
from mesh.sdk.capabilities import Traced
from mesh.sdk.contract import Last, Preview, Provider
from mesh.sdk.kube_object import dry_run, token, written_in
from mesh.sdk.managed_fields import ADDRESS_ANNOTATION, marks, owner_of, touches
from mesh.sdk.unreadable import VisibleState, as_left
from mesh.world import Object, Snapshot, World
from mesh.world.disk.files import user_path
from mesh.world.resources import SECRET

MANAGER = "mesh/secret"
LICENCE_KEY = "license-key"
ACCEPTED = (LICENCE_KEY, "gloo-mesh-license-key", "gloo-trial-license-key")
"""The keys of a Secret in which istiod looks for a licence, in its order."""


@dataclass(frozen=True, slots=True)
class SecretSpec:
    """A licence Secret. `address` is its own key; without a `value` it is somebody else's, to be verified."""

    mesh: str
    address: Key
    namespace: str
    name: str
    value: Sensitive | None


def resolve_licence(licence: Licence, env: Mapping[str, str], folder: FilePath) -> Sensitive | None:
    """Read the licence from where the file says; None if there is none, or a Secret holds it.

    Raises MeshError when it is not there or empty. A line end after it is not part of it.
    """
    if licence.env:
        if licence.env not in env:
            raise MeshError(
                f"licence: environment variable {licence.env} is not set",
                hint=f"export {licence.env}=…, or set spec.istio.license to a file or secretRef",
            )
        return _nonempty(env[licence.env], f"environment variable {licence.env}")
    if licence.file:
        path = user_path(licence.file, env, folder)
        try:
            return _nonempty(path.read_text(encoding="utf-8"), f"file {path}")
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise MeshError(f"licence: file {path} cannot be read: {why}") from None
    return None


def _nonempty(text: str, where: str) -> Sensitive:
    value = text.strip()
    if not value:
        raise MeshError(f"licence: {where} is empty", hint="put the licence key there")
    return Sensitive(value)


def salted(mesh: str, address: Key, value: str) -> str:
    """The digest that stands for a licence: the same value reads differently at every address."""
    return hashlib.sha256(f"{mesh}\0{address}\0{value}".encode()).hexdigest()[:16]


class SecretProvider(Provider[SecretSpec], Traced):
    """The licence of one cluster; its output `digest` moves when the licence does."""

    kind = "secret"
    waits = False
    immutable = frozenset({("type",)})
    moves = frozenset({("data",)})

    def wanted(self, spec: SecretSpec, live: Found, last: Last | None) -> Attrs:
        """Our key in a Secret of type Opaque; whatever else is in it stays."""
        del last
        theirs = live.attrs if isinstance(live, Live) else {}
        if spec.value is None:
            return theirs
        digest = salted(spec.mesh, spec.address, spec.value.reveal())
        return {"type": "Opaque", "data": {**theirs.get("data", {}), LICENCE_KEY: digest}}

    def refuse(self, spec: SecretSpec, live: Found, last: Last | None) -> str:
        """Refuse to go on without the licence that the user said is there."""
        del last
        if spec.value is not None:
            return ""
        where = f"the licence of {spec.address.cluster}: Secret {spec.namespace}/{spec.name}"
        if live is None:
            return f"{where} is not there: create it, or set spec.istio.license to an env or file"
        if isinstance(live, Live) and not live.attrs["data"]:
            return f"{where} has none of the keys {', '.join(ACCEPTED)}, or they are empty"
        return ""

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Find each in the one LIST of Secrets of its namespace."""
        return secret_objects.observe(
            places,
            snapshot,
            lambda key, where, obj: _live(key, secret_objects.SecretLocator.of(where).mesh, obj),
            _glimpse,
        )

    def owned(self, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:
        """Every Secret with our label whose address is of this kind."""
        return secret_objects.owned(self.kind, mesh, snapshot)

    def written(self, key: Key, place: Place, live: Live, world: World) -> tuple[Touch, ...]:
        """What the Secret's managedFields say."""
        del live
        return written_in(SECRET, key, place, world)

    def preview(self, spec: SecretSpec, key: Key, live: Live | None, world: World) -> Preview:
        """Dry-run the write; say what it takes from whom."""
        body = _body(spec, key, live)
        return dry_run(
            lambda force: world.kube(key.cluster).apply(body, manager=MANAGER, force=force, dry_run=True)
        )

    def create(self, spec: SecretSpec, key: Key, world: World) -> None:
        """Apply it; a value that somebody else holds is a conflict."""
        world.kube(key.cluster).apply(_body(spec, key, None), manager=MANAGER)

    def update(self, spec: SecretSpec, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Apply it by force to the very Secret that was read."""
        del last
        world.kube(key.cluster).apply(_body(spec, key, live), manager=MANAGER, force=True)

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Delete the Secret that we made, and no other."""
        return secret_objects.delete(key, place, live, last, world)


def _live(key: Key, mesh: str, obj: Object) -> Live:
    values = {name: value for name in ACCEPTED if (value := _value(obj, name))}
    digests = {name: salted(mesh, key, value) for name, value in values.items()}
    attrs: dict[str, Any] = {"type": obj.get("type", "Opaque"), "data": digests}
    return Live(
        attrs,
        token(obj, attrs),
        uid=obj["metadata"]["uid"],
        outputs={"digest": next(iter(digests.values()))} if digests else {},
        touches=touches(obj, ours=MANAGER),
        owner=owner_of(obj),
    )


def _glimpse(_key: Key, last: Last) -> VisibleState:
    """What was applied: nothing else shows which licence is there."""
    attrs = {"type": "Opaque", "data": {LICENCE_KEY: last.outputs.get("digest")}}
    return VisibleState(replace(as_left(last), attrs=attrs), {})


def _value(obj: Object, name: str) -> str:
    """A value of a Secret as text; damaged text is no licence."""
    try:
        return base64.b64decode((obj.get("data") or {}).get(name, "")).decode().strip()
    except (binascii.Error, UnicodeError):
        return ""


def _body(spec: SecretSpec, key: Key, live: Live | None) -> Object:
    assert spec.value is not None, "a Secret of somebody else's is never written"
    value = base64.b64encode(str(spec.value.reveal()).encode()).decode()
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.kind,
        "metadata": {
            "name": spec.name,
            "namespace": spec.namespace,
            "labels": marks(spec.mesh),
            "annotations": {ADDRESS_ANNOTATION: str(key)},
            **({"uid": live.uid} if live else {}),
        },
        "type": "Opaque",
        "data": {LICENCE_KEY: value},
    }
