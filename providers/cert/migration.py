"""A cluster under another root of trust than the mesh's: refuse it, or move it to the mesh's root.

A move replaces what signs now by a `cacerts` under the mesh's root; istiod, ztunnel and the gateways then
restart (their kinds do that). Only `rootOfTrust.migrate` allows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mesh.errors import RefusedError
from mesh.model import Live
from mesh.model.spec import ExistingCA, GenerateCA
from mesh.providers.cert.observe import CSR, MANAGER, UNSEEN
from mesh.providers.cert.specs import CACERTS, IntermediateSpec
from mesh.sdk.contract import Preview
from mesh.world import Kube, Object, World
from mesh.world.disk.files import create_secret_file, git_would_take, read_secret_file, user_path
from mesh.world.resources import SECRET

OFFER = (
    "set spec.rootOfTrust.migrate: restart, which moves each cluster to the mesh's root and restarts its "
    "istiod, ztunnel and gateways"
)
KEPT_META = ("labels", "annotations")


def wanted_root(spec: IntermediateSpec) -> str:
    """Return the fingerprint of the mesh's root; "" while it is not known, or if the user signs."""
    return spec.issuer["fingerprint"] if isinstance(spec.issuer, Mapping) else ""


def has_root(spec: IntermediateSpec, live: Live) -> bool:
    """Return whether the certificates of the cluster lead to the mesh's root."""
    roots = [live.outputs["root"]] if live.status["by"] == CACERTS else live.status["roots"]
    return bool(wanted_root(spec)) and wanted_root(spec) in roots


def moves(spec: IntermediateSpec, live: Live) -> bool:
    """Return whether this apply moves the cluster to the mesh's root."""
    return bool(spec.migrate) and not isinstance(spec.ca, ExistingCA) and not has_root(spec, live)


def refuse(spec: IntermediateSpec, live: Live) -> str:
    """Refuse another root than the mesh's, unless the cluster can be moved and the file says so."""
    by, there = live.status["by"], live.outputs["root"]
    if isinstance(spec.ca, ExistingCA):
        if by in {CACERTS, CSR, UNSEEN}:
            return ""
        return (
            f"cacerts in cluster {spec.cluster} is missing, and spec.rootOfTrust.ca says that it exists: "
            f"the cluster's root of trust is {there}, {by}"
        )
    if has_root(spec, live) or (by == CACERTS and not there and not spec.migrate):
        return ""
    if by == CSR:
        return (
            f"the certificates of cluster {spec.cluster} are signed by {by} under root {there}: point that "
            f"signer at the mesh's root {wanted_root(spec)}".rstrip()
            + ", or let istiod sign"
        )
    if moves(spec, live):
        return _cannot_move(spec, live)
    return _other_root(spec, live)


def _cannot_move(spec: IntermediateSpec, live: Live) -> str:
    if live.status.get("certificate"):
        return (
            f"cacerts in cluster {spec.cluster} is kept by cert-manager (Certificate "
            f"{live.status['certificate']}), which would write it again: let its issuer sign under the "
            "mesh's root, or delete that Certificate"
        )
    if live.status["by"] == CACERTS and not spec.backup:
        return (
            f"cacerts in cluster {spec.cluster} would be replaced, and its key with it: set "
            "spec.rootOfTrust.migrateBackup to the beginning of a file's path, where it is saved first"
        )
    return ""


def _other_root(spec: IntermediateSpec, live: Live) -> str:
    wanted, there = wanted_root(spec), live.outputs["root"]
    if live.status["by"] == CACERTS:
        if not wanted:
            return ""  # the root is not known before the first apply: the live one is kept until then
        return (
            f"cacerts in cluster {spec.cluster} was issued by root {there}, not by the mesh's root {wanted}; "
            "a foreign cacerts is never overwritten: name that root in spec.rootOfTrust.ca.files, or " + OFFER
        )
    if not wanted and isinstance(spec.ca, GenerateCA):
        return ""  # refused once, where the root would be generated
    mine = f"not the mesh's root {wanted}" if wanted else "which is not the mesh's"
    return f"the root of trust of cluster {spec.cluster} is {there}, {live.status['by']}, {mine}: {OFFER}"


def preview(spec: IntermediateSpec, live: Live, world: World) -> Preview:
    """Return what a move does, and whether the replaced Secret can be saved."""
    notes = [
        f"disruptive: {spec.cluster} moves to another root of trust; its istiod, ztunnel and east-west "
        "gateway restart and every identity is issued again; until all clusters are moved, calls between one "
        "that is and one that is not fail",
    ]
    if live.status["by"] != CACERTS:
        return Preview(notes=tuple(notes))
    path = backup_path(spec, world)
    notes.append(f"the existing cacerts, with its key, is saved to {path} first")
    if path.exists() or not git_would_take(path):
        return Preview(notes=tuple(notes))
    why = f"{path} would hold a key inside a git work tree that does not ignore it: name a place outside"
    return Preview(notes=tuple(notes), refusals=(f"spec.rootOfTrust.migrateBackup: {why}",))


def backup_path(spec: IntermediateSpec, world: World) -> Path:
    """Return where the `cacerts` of one cluster is saved."""
    return user_path(f"{spec.backup}-{spec.cluster}.yaml", world.env, world.folder)


def put_in_place(kube: Kube, there: Object, body: Object, backup: Path) -> None:
    """Save the live Secret, then replace it, so that nothing of the other CA is left in it."""
    _save(there, backup)
    meta = there["metadata"]
    if there.get("type", "Opaque") != "Opaque":
        # The type of a Secret cannot be changed, and istiod prefers the other layout if it finds both.
        kube.delete(SECRET, meta["namespace"], meta["name"], uid=meta["uid"])
        kube.create(body, manager=MANAGER)
        return
    kept = {name: {**(meta.get(name) or {}), **body["metadata"][name]} for name in KEPT_META}
    kube.replace({**there, "metadata": {**meta, **kept}, "data": body["data"]}, manager=MANAGER)


def _save(obj: Object, path: Path) -> None:
    """Write a Secret to a new file that only its owner may read; an equal file may already exist."""
    meta = obj["metadata"]
    kept = {name: meta[name] for name in ("name", "namespace", *KEPT_META) if meta.get(name)}
    saved = {"apiVersion": "v1", "kind": "Secret", "metadata": kept, "type": obj.get("type", "Opaque")}
    text = json.dumps({**saved, "data": obj.get("data") or {}}, indent=2, sort_keys=True) + "\n"
    try:
        create_secret_file(path, text.encode())
    except FileExistsError:
        if read_secret_file(path) != text.encode():
            raise RefusedError(
                f"{path} already exists and holds something else",
                hint="move it away, or name another place in spec.rootOfTrust.migrateBackup",
            ) from None
