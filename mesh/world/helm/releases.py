"""Helm releases, read from the Secrets in which helm stores them: no process, one LIST.

The payload is base64 (helm's, on top of the API's) of gzip of JSON. Of a release the newest
*deployed* revision says what is in the cluster (values, manifest), and the newest revision says how
the release fares: a failed upgrade leaves its revision above the deployed one.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.errors import HelmError
from mesh.model.bounded_text import ANSWER, Unfit, from_base64, loads, unpacked
from mesh.world import Kube, Object
from mesh.world import yaml_documents as documents
from mesh.world.shapes import fitted

TYPE = "helm.sh/release.v1"
FIELDS = f"type={TYPE}"
LABELS = "owner=helm,status!=superseded"
"""The selectors of the LIST that finds every release of a namespace, and nothing else."""

NOT_SUPERSEDED = "status!=superseded"
"""The selector of the one LIST of Secrets that all kinds share: leaves out nothing but old revisions."""

PENDING = frozenset({"pending-install", "pending-upgrade", "pending-rollback", "uninstalling"})
"""Statuses that a killed helm leaves, and with which helm refuses to upgrade.

It takes the pending ones for the lock of another helm. `uninstalling` blocks an upgrade, not another
uninstall.
"""

COMMON_NAMES = frozenset({"base", "cni"})
"""Names of Istio's charts that other projects use as well."""

RELEASE = {
    "name!": str,
    "namespace": str,
    "version": int,
    "config": dict,
    "manifest": str,
    "hooks": list,
    "apply_method": str,
    "info": {"status": str, "description": str, "first_deployed": str, "last_deployed": str},
    "chart": {
        "metadata": {"name": str, "version": str, "appVersion": str, "dependencies": list},
    },
}
"""What helm writes, as far as mesh reads it; what a chart holds is judged where it is unpacked."""

RENDERED = {"kind": str, "apiVersion": str, "metadata": {"name": str, "namespace": str}}
"""The types of each object of a rendering."""

_NAMES_ISTIO = re.compile(r"""\bname"?: *["']?[\w.-]*(istio|ztunnel)""")


@dataclass(frozen=True, slots=True)
class Release:
    """One revision of a release. `config` is the user's values; they and `manifest` may hold secrets.

    `about` is what its chart says of itself. `uid` is that of its Secret; `digest` moves when any byte
    of the payload does. `deployed` times are RFC 3339, as helm wrote them.
    """

    name: str
    namespace: str
    revision: int
    status: str
    chart: str
    chart_version: str
    app_version: str
    config: Mapping[str, Any] = field(repr=False)
    manifest: str = field(repr=False)
    hooks: int
    apply_method: str
    uid: str
    digest: str
    description: str
    first_deployed: str
    last_deployed: str
    about: str = ""

    def objects(self) -> list[Object]:
        """Return the manifest as objects; parsed at every call, since it is costly and seldom needed."""
        try:
            found = documents.read_all(self.manifest)
            return [fitted(document, RENDERED) for document in found if isinstance(document, dict)]
        except Unfit as error:
            raise HelmError(
                f"the manifest of release {self.name} in {self.namespace} cannot be read: {error}",
                hint=f"look at it: helm get manifest {shlex.quote(self.name)}",
            ) from None


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """A release as it stands: `newest` says how it fares, `deployed` what is in the cluster.

    `deployed` is None if no revision has ever worked. `secret` is the Secret of the newest
    revision, as it was read: what `unlock` takes; `working` that of the deployed one, if any.
    """

    newest: Release
    deployed: Release | None
    secret: Object = field(repr=False)
    working: Object | None = field(default=None, repr=False)

    @property
    def status(self) -> str:
        """Helm's word for the newest revision."""
        return self.newest.status

    @property
    def pending(self) -> bool:
        """Whether helm would refuse to upgrade it: one is at work, or was killed at work."""
        return self.newest.status in PENDING

    def is_of(self, chart: str) -> bool:
        """Whether it is of Istio's chart, and not of another project's chart with the same name."""
        one = self.newest
        if one.chart != chart or chart not in COMMON_NAMES:
            return one.chart == chart
        return "istio" in one.about.lower() or bool(_NAMES_ISTIO.search(one.manifest))

    @property
    def token(self) -> str:
        """Changes if, and only if, helm or another program has written the release."""
        one, works = self.newest, self.deployed
        # The chart and the values that run are those of the deployed revision, which may be an older one.
        return f"{one.uid}:{one.revision}:{one.status}:{one.digest}" + (
            f":{works.digest}" if works and works is not one else ""
        )


def newest(secrets: Iterable[Object]) -> Mapping[tuple[str, str], ReleaseView]:
    """Return every release by (namespace, name); at most two revisions of each are unpacked."""
    revisions: dict[tuple[str, str], list[Object]] = {}
    for secret in secrets:
        if secret.get("type", TYPE) == TYPE:
            revisions.setdefault(_names(secret), []).append(secret)
    there = {names: held for names, held in revisions.items() if not _is_over(held)}
    return {names: _view(held) for names, held in sorted(there.items())}


def decode(secret: Object) -> Release:
    """Unpack one release Secret; raise HelmError if it holds no release, or too large a one."""
    payload = _unpack(secret)
    info, chart = payload.get("info", {}), payload.get("chart", {}).get("metadata", {})
    raw = secret["data"]["release"]
    return Release(
        name=payload["name"],
        namespace=payload.get("namespace", ""),
        revision=payload.get("version", 0),
        status=info.get("status", "unknown"),
        chart=chart.get("name", ""),
        chart_version=chart.get("version", ""),
        app_version=chart.get("appVersion", ""),
        config=payload.get("config", {}),
        manifest=payload.get("manifest", ""),
        hooks=len(payload.get("hooks", ())),
        apply_method=payload.get("apply_method") or "csa",
        uid=secret["metadata"].get("uid", ""),
        digest=hashlib.sha256(raw.encode()).hexdigest()[:16],
        description=info.get("description", ""),
        first_deployed=info.get("first_deployed", ""),
        last_deployed=info.get("last_deployed", ""),
        about=json.dumps({key: value for key, value in chart.items() if key != "name"}),
    )


def chart_of(secret: Object) -> dict[str, Any]:
    """Return the chart that a revision was made of: metadata, templates, files, values; raise HelmError."""
    chart: dict[str, Any] = _unpack(secret).get("chart", {})
    if "name" not in chart.get("metadata", {}):
        raise _unreadable(secret, "it holds no chart")
    return chart


def unlock(kube: Kube, secret: Object, *, manager: str = "mesh/recover") -> None:
    """Turn a pending revision into a failed one, so that helm can upgrade above it.

    Raises `Conflict` if helm or another program has written the Secret since it was read.
    A revision that is not pending is not changed, so that doing it twice does no harm. The caller has
    made sure that no helm is at work on it (`mesh.world.helm.children.alive`).
    """
    payload = _unpack(secret)
    info = payload.setdefault("info", {})
    was = info.get("status")
    if was not in PENDING:
        return
    info["status"] = "failed"
    info["description"] = f"Release unlocked from stale {was!r} state"
    metadata = dict(secret["metadata"])
    metadata.pop("managedFields", None)
    metadata["labels"] = {**metadata.get("labels", {}), "status": "failed"}
    # PUT with the resourceVersion that was read: the server refuses it if a helm that was not seen has
    # written the revision meanwhile, so a running upgrade is never marked as failed.
    kube.replace(
        {
            **secret,
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "data": {"release": _pack(payload)},
        },
        manager=manager,
    )


def _is_over(revisions: list[Object]) -> bool:
    """Whether they are what `helm uninstall --keep-history` leaves."""
    return _label(max(revisions, key=_revision), "status") == "uninstalled"


def _view(revisions: list[Object]) -> ReleaseView:
    held = sorted(revisions, key=_revision, reverse=True)
    working = next((one for one in held if _label(one, "status") == "deployed"), None)
    latest = decode(held[0])
    if working is held[0]:
        return ReleaseView(latest, latest, held[0], held[0])
    return ReleaseView(latest, decode(working) if working else None, held[0], working)


def _names(secret: Object) -> tuple[str, str]:
    return str(secret["metadata"].get("namespace", "")), _label(secret, "name")


def _revision(secret: Object) -> int:
    version = _label(secret, "version")
    return int(version) if version.isdigit() else 0


def _label(secret: Object, name: str) -> str:
    return str((secret["metadata"].get("labels") or {}).get(name, ""))


def _unpack(secret: Object) -> dict[str, Any]:
    try:
        packed = from_base64(from_base64((secret.get("data") or {}).get("release", "")))
        payload: dict[str, Any] = fitted(loads(unpacked(packed, ANSWER), ANSWER), RELEASE)
    except Unfit as error:
        raise _unreadable(secret, f"it holds no release that helm could have written: {error}") from None
    return payload


def _pack(payload: Mapping[str, Any]) -> str:
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(base64.b64encode(gzip.compress(text, mtime=0))).decode()


def _unreadable(secret: Object, why: str) -> HelmError:
    metadata = secret["metadata"]
    return HelmError(
        f"the Secret {metadata.get('name')} in {metadata.get('namespace')} cannot be read: {why}",
        hint="`helm history` of that release shows whether helm can read it",
    )
