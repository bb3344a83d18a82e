"""Kind `secret`: the licence key, as a Secret that the istiod chart refers to.

A licence from the environment or a file becomes a Secret that mesh manages. One that the user keeps as a
Secret (`license.secretRef`) is only verified: never created, changed or deleted. In attrs the value is
hidden; outputs, which the state holds, have its fingerprint under the key of the cluster.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path as FilePath
from typing import Any

from mesh.errors import MeshError
from mesh.istio.solo import LICENCE_KEY, LICENCE_KEYS
from mesh.model import (
    READY,
    SENSITIVE,
    Attrs,
    Found,
    Key,
    Live,
    Place,
    Ready,
    Resource,
    Sensitive,
    Unknown,
    not_yet,
)
from mesh.model.bounded_text import SMALL, from_base64
from mesh.model.fingerprint import fingerprint
from mesh.model.printable import quoted
from mesh.model.refs import Ref
from mesh.model.spec import Cluster, Licence, Mesh
from mesh.sdk.contract import Last
from mesh.sdk.document import Document, nothing
from mesh.sdk.kube_object import token
from mesh.sdk.kube_secret import KubeSecretProvider
from mesh.sdk.kubectl import kubectl
from mesh.sdk.managed_fields import ADDRESS_ANNOTATION, is_going, marks, owner_of, touches
from mesh.sdk.script import Commands, Input, Stage
from mesh.sdk.shell import Raw, command, comment
from mesh.sdk.unreadable import VisibleState, as_left
from mesh.world import Object, World
from mesh.world.disk.files import user_path
from mesh.world.disk.input_file import read_input
from mesh.world.resources import SECRET
from mesh.world.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class SecretSpec:
    """A licence Secret. `address` is its own key; without a `value` the user keeps it, and mesh verifies it.

    `value` is a `Ref` until the session fills it in, and `Unknown` if it has no licence at hand, as for
    `mesh status`: a licence that exists then counts as the right one, and nothing can be written.
    """

    mesh: str
    address: Key
    namespace: str
    name: str
    value: Sensitive | Ref | Unknown | None


LARGEST_LICENCE = 1 << 20


def resolve_licence(licence: Licence, env: Mapping[str, str], folder: FilePath) -> Sensitive | None:
    """Read the licence from where the file says; None if there is none, or if a Secret of the user holds it.

    Raises MeshError if it is missing or empty. A line end after it is not part of it.
    """
    if licence.env:
        if licence.env not in env:
            raise MeshError(
                f"licence: environment variable {licence.env} is not set",
                hint=f"export {quoted(licence.env)}=…, or set spec.istio.license to a file or secretRef",
            )
        return _nonempty(env[licence.env], f"environment variable {licence.env}")
    if licence.file:
        path = user_path(licence.file, env, folder)
        try:
            content = read_input(path, limit=LARGEST_LICENCE, check=partial(_owned, path))
            return _nonempty(content.decode("utf-8"), f"file {path}")
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise MeshError(f"licence: file {path} cannot be read: {why}") from None
    return None


def _owned(path: FilePath, found: os.stat_result) -> None:
    """Refuse a licence that another user may have written: every cluster would get it."""
    if found.st_uid not in (os.geteuid(), 0):
        raise MeshError(
            f"licence: file {path} belongs to another user (uid {found.st_uid})",
            hint="use a file of your own",
        )
    if found.st_mode & 0o002:
        raise MeshError(
            f"licence: file {path} is writable by every user (mode {found.st_mode & 0o777:04o})",
            hint=f"chmod 600 {quoted(str(path))}",
        )


def _nonempty(text: str, where: str) -> Sensitive:
    value = text.strip()
    if not value:
        raise MeshError(f"licence: {where} is empty", hint="put the licence key there")
    return Sensitive(value)


class SecretProvider(KubeSecretProvider[SecretSpec]):
    """The licence of one cluster; its output `digest` moves when the licence does."""

    kind = "secret"
    stage = Stage.TRUST
    waits = False
    immutable = frozenset({("type",)})
    moves = frozenset({("data",)})

    def wanted(self, spec: SecretSpec, live: Found, last: Last | None) -> Attrs:
        """Return the licence in a Secret of type Opaque; other keys in it stay."""
        del last
        theirs = live.attrs if isinstance(live, Live) else {}
        if spec.value is None:
            return theirs
        if isinstance(spec.value, Sensitive):
            return {"type": "Opaque", "data": {**theirs.get("data", {}), LICENCE_KEY: spec.value}}
        return theirs if theirs.get("data") else {"type": "Opaque", "data": {LICENCE_KEY: SENSITIVE}}

    def refuse(self, spec: SecretSpec, live: Found, last: Last | None) -> str:
        """Refuse a Secret of the user that is missing or holds no licence."""
        del last
        if spec.value is not None:
            return ""
        whose = f"the licence of {spec.address.cluster}"
        if live is None:
            where = f"Secret {spec.namespace}/{spec.name}"
            return f"{whose}: {where} is missing: create it, or set spec.istio.license to an env or file"
        if isinstance(live, Live) and not live.attrs["data"]:
            return f"{whose}: {_empty(spec)}"
        return ""

    def ready(self, spec: SecretSpec, live: Live) -> Ready:
        """Return whether it holds a licence under a key that istiod reads; istiod alone validates it."""
        return READY if live.attrs.get("data") else not_yet(_empty(spec))

    def live(self, key: Key, place: Place, obj: Object, snapshot: Snapshot) -> Live:
        """Return the keys in which istiod looks for a licence, with their values hidden."""
        del key, place
        return _live(obj, snapshot.world.keys.of(snapshot.cluster, snapshot.list), self.manager)

    def visible(self, key: Key, last: Last, snapshot: Snapshot) -> VisibleState:
        """Return what was applied: nothing else shows which licence it holds."""
        del key, snapshot
        attrs = {"type": "Opaque", "data": {LICENCE_KEY: SENSITIVE}}
        return VisibleState(replace(as_left(last), attrs=attrs), {})

    def commands(self, resource: Resource[SecretSpec], mesh: Mesh) -> Commands:
        """Create it from the licence in the environment or in a file; look for one that the user keeps."""
        cluster = mesh.cluster(resource.key.cluster)
        variable = mesh.licence.env
        inputs = (Input(variable, "set it to the licence key"),) if variable else ()
        return Commands("".join(_commands(mesh.licence, cluster, resource.spec)), inputs=inputs)

    def documents(self, spec: SecretSpec, key: Key, world: World | None) -> Iterable[Document]:
        """Return the Secret with its value masked."""
        del world
        if spec.value is None:
            return (nothing(f"Secret {spec.namespace}/{spec.name} is only verified, never written"),)
        return (Document(_body(spec, key, None, SENSITIVE)),)

    def sent(self, spec: SecretSpec, key: Key, live: Live | None, world: World) -> Object:
        """Return the Secret with the licence in it."""
        del world
        assert isinstance(spec.value, Sensitive), "the user's own Secret is never written"
        value = base64.b64encode(str(spec.value.reveal()).encode()).decode()
        return _body(spec, key, live, value)


def _empty(spec: SecretSpec) -> str:
    where = f"Secret {spec.namespace}/{spec.name}"
    return f"{where} has none of the keys {', '.join(LICENCE_KEYS)}, or they are empty"


def _live(obj: Object, secret_key: bytes, manager: str) -> Live:
    values = {name: value for name in LICENCE_KEYS if (value := _value(obj, name))}
    digests = {name: fingerprint(secret_key, value) for name, value in values.items()}
    hidden = {name: Sensitive(value) for name, value in values.items()}
    attrs: dict[str, Any] = {"type": obj.get("type", "Opaque"), "data": hidden}
    return Live(
        attrs,
        token(obj, {**attrs, "data": digests if secret_key else obj["metadata"].get("resourceVersion")}),
        uid=obj["metadata"]["uid"],
        outputs={"digest": next(iter(digests.values()))} if digests else {},
        touches=touches(obj, manager=manager),
        owner=owner_of(obj),
        going=is_going(obj),
    )


def _value(obj: Object, name: str) -> str:
    """Return a value of a Secret as text; "" if it is not valid base64 of text."""
    try:
        return from_base64((obj.get("data") or {}).get(name, ""), SMALL).decode().strip()
    except ValueError:
        return ""


def _body(spec: SecretSpec, key: Key, live: Live | None, value: str | Sensitive) -> Object:
    """Return the Secret with a value in base64, or masked."""
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


def _commands(licence: Licence, cluster: Cluster, spec: SecretSpec) -> Iterator[str]:
    """Pass the licence by file descriptor, not as an argument: other users can see process arguments."""
    namespace = f"--namespace={spec.namespace}"
    if spec.value is None:
        yield comment("the configuration uses an existing licence Secret")
        yield kubectl(cluster, namespace, "get", "secret", spec.name) + "\n"
        return
    value = f'printf %s "${{{licence.env}}}"' if licence.env else f"tr -d '\\r\\n' <{command(licence.file)}"
    given = Raw(f"--from-file={LICENCE_KEY}=<({value})")
    words = (namespace, "create", "secret", "generic", spec.name, given, "--dry-run=client", "-o", "yaml")
    yield f"{kubectl(cluster, *words)} | {kubectl(cluster, 'apply', '-f', '-')}\n"
