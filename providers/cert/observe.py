"""What a cluster's istiod signs with: its `cacerts`, or what signs without one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from mesh.model import Live, Touch
from mesh.model.diff import digest
from mesh.providers.cert.specs import CACERTS
from mesh.sdk.contract import Last
from mesh.sdk.managed_fields import ADDRESS_ANNOTATION, is_going, owner_of, touches
from mesh.sdk.unreadable import VisibleState, as_left
from mesh.world import Object
from mesh.world.helm.releases import NOT_SUPERSEDED
from mesh.world.resources import CONFIG_MAP, DEPLOYMENT, SECRET
from mesh.world.snapshot import Snapshot

MANAGER = "mesh/cert"
PUBLISHED = "istio-ca-root-cert"
ROOT_PEM = "root-cert.pem"
OWN_CA = "istio-ca-secret"
CA_SWITCH = "ENABLE_CA_SERVER"
CERT_MANAGER = "cert-manager.io/certificate-name"

SELF_SIGNED = "self-signed by its istiod"
CSR = "not istiod: istio-csr or another signer"
UNPLUGGED = "a cacerts that was deleted"
UNSEEN = "as istiod publishes it; what signs is in a Secret that this identity may not read"


def live_cacerts(obj: Object, now: datetime) -> Live:
    """Read a `cacerts`; a part that is not valid is empty, and `problems` reports it."""
    from mesh.world import pki

    found = pki.inspect_bundle(pki.bundle_from(obj.get("data") or {}), now)
    meta, own = obj["metadata"], found.certificate
    attrs = {
        "issuer": found.root.fingerprint if found.root else "",
        "key": own.key if own else "",
        "path_length": own.path_length if own else None,
        "validity": pki.duration(pki.lifetime(own)) if own else "",
    }
    return Live(
        attrs,
        token=f"{meta['uid']}:{digest(obj.get('data'))}",
        uid=meta["uid"],
        outputs={
            "fingerprint": own.fingerprint if own else "",
            "not_after": own.not_after.isoformat() if own else "",
            "not_before": own.not_before.isoformat() if own else "",
            "root": found.root.fingerprint if found.root else "",
            "serial": own.serial if own else "",
            "subject": own.subject if own else "",
        },
        status={
            "address": meta.get("annotations", {}).get(ADDRESS_ANNOTATION, ""),
            "by": CACERTS,
            "signed_by": own.issuer if own else "",
            "certificate": meta.get("annotations", {}).get(CERT_MANAGER, ""),
            "problems": list(found.problems),
            "roots": [each.fingerprint for each in found.roots],
        },
        touches=_touches(obj, tuple(attrs)),
        owner=owner_of(obj),
        going=is_going(obj),
    )


def renewal(live: Live, renew_before: timedelta) -> datetime:
    """Return when an intermediate certificate is due for renewal, at most a third of its life early."""
    begin, end = (datetime.fromisoformat(live.outputs[name]) for name in ("not_before", "not_after"))
    return end - min(renew_before, (end - begin) / 3)


def _touches(obj: Object, names: tuple[str, ...]) -> tuple[Touch, ...]:
    """Return who else wrote the certificate as the one who changed each of its attrs."""
    theirs = touches(obj, manager=MANAGER)
    wrote = next((each for each in theirs if each.path == ("data", "ca-cert.pem")), None)
    return theirs[:1] + tuple(Touch((name,), wrote.manager, wrote.time) for name in names if wrote)


def without_cacerts(namespace: str, last: Last | None, snapshot: Snapshot) -> Live | None:
    """Return what signs in a cluster that has no `cacerts`.

    None if no istiod runs, if it has not started to sign, or if it has read the `cacerts` in the state: then
    that Secret was deleted. `root` and `roots` are what istiod publishes: what its workloads trust now.
    """
    running = istiods(snapshot.list(DEPLOYMENT, namespace=namespace))
    if not running:
        return None
    own = _named(snapshot.list(SECRET, namespace=namespace, labels=NOT_SUPERSEDED), OWN_CA)
    roots = _published(namespace, snapshot) or _own_root(own)
    if not roots or (last and last.uid and last.outputs.get("root") in roots):
        return None
    by = CSR if _signs_elsewhere(running) else SELF_SIGNED if _signs(own, roots) else UNPLUGGED
    return Live(
        {"issuer": roots[0], "key": "", "path_length": None, "validity": ""},
        token=f"{by}:{','.join(roots)}",
        outputs={"root": roots[0]},
        status={"address": "", "by": by, "problems": [], "roots": roots},
        owner=by,
    )


def as_published(last: Last, snapshot: Snapshot) -> VisibleState:
    """Return what signs if Secrets cannot be read: the state, if its root is the published one."""
    left, recorded = as_left(last), str(last.outputs.get("root", ""))
    roots = _published(last.place.namespace, snapshot)
    by, there = (CACERTS, recorded) if recorded in roots or not roots else (UNSEEN, roots[0])
    return VisibleState(
        replace(
            left,
            attrs={"issuer": there, "key": "", "path_length": None, "validity": ""},
            outputs={**left.outputs, "root": there},
            status={"address": "", "by": by, "problems": [], "roots": roots or [recorded]},
        ),
        {} if by == CACERTS else {"issuer": there},
    )


def istiods(deployments: Iterable[Object]) -> list[Object]:
    """Return the Deployments of istiod that are not being deleted."""
    return [
        obj
        for obj in deployments
        if (obj["metadata"].get("labels") or {}).get("app") == "istiod"
        and "deletionTimestamp" not in obj["metadata"]
    ]


def _published(namespace: str, snapshot: Snapshot) -> list[str]:
    from mesh.world import pki

    maps = snapshot.list(CONFIG_MAP, namespace=namespace, fields=f"metadata.name={PUBLISHED}")
    published = _named(maps, PUBLISHED)
    return sorted(pki.fingerprints_in(((published or {}).get("data") or {}).get(ROOT_PEM, "")))


def _own_root(own: Object | None) -> list[str]:
    """Return the root that an istiod has created and not yet published."""
    from mesh.world import pki

    return sorted(pki.fingerprints_in(pki.bundle_from((own or {}).get("data") or {}).ca_cert))


def _signs(own: Object | None, roots: Collection[str]) -> bool:
    """Return whether an istiod's own CA is the published one, not a leftover."""
    return bool(set(_own_root(own)) & set(roots))


def _named(objects: Iterable[Object], name: str) -> Object | None:
    return next((obj for obj in objects if obj["metadata"]["name"] == name), None)


def _signs_elsewhere(running: Iterable[Object]) -> bool:
    """Return whether istiod's own CA is switched off."""
    variables = [
        variable
        for istiod in running
        for container in istiod["spec"]["template"]["spec"]["containers"]
        for variable in container.get("env") or ()
    ]
    return any(each["name"] == CA_SWITCH and each.get("value") == "false" for each in variables)
