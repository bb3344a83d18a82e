"""The root of trust that an istiod publishes, and the trust domain of the identities that it issues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mesh.errors import KubeError
from mesh.model import Live
from mesh.sdk.managed_fields import owner_of
from mesh.world import Kube
from mesh.world.helm.releases import ReleaseView
from mesh.world.kube.errors import Forbidden
from mesh.world.resources import CONFIG_MAP, DEPLOYMENT
from mesh.world.snapshot import Snapshot

ISTIOD = "istiod"
PUBLISHED = "istio-ca-root-cert"
TRUST_DOMAIN = "cluster.local"
"""The default of istiod's trust domain."""

GLOO_OPERATOR = "istiod-gloo"
EVERYWHERE = "default"
"""The namespace that stands for those of the users, unless istiod selects namespaces."""


def published(snapshot: Snapshot) -> dict[str, frozenset[str]]:
    """Return the fingerprints of the published roots by namespace; {} if they cannot be read."""
    from mesh.world import pki

    try:
        maps = snapshot.list(CONFIG_MAP, fields=f"metadata.name={PUBLISHED}")
    except KubeError:
        return {}
    texts = {
        obj["metadata"]["namespace"]: str((obj.get("data") or {}).get("root-cert.pem", "")) for obj in maps
    }
    known = {text: pki.fingerprints_in(text) for text in set(texts.values())}
    return {namespace: known[text] for namespace, text in sorted(texts.items())}


def unpublished(root: str, namespaces: Iterable[str], live: Live) -> list[str]:
    """Return in which namespaces another root is published; one without a root is not judged."""
    chosen = _config(live.status["view"]).get("meshConfig") or {}
    skipped = {EVERYWHERE} if chosen.get("discoverySelectors") else set()
    shown: Mapping[str, frozenset[str]] = live.status["published"]
    stale = [name for name in sorted(set(namespaces) - skipped) if name in shown and root not in shown[name]]
    if not stale:
        return []
    found = ", ".join(sorted(shown[stale[0]])) or "none"
    return [
        f"{PUBLISHED} in {', '.join(stale)} is root {found}, not {root}: istiod has not read its cacerts "
        "since it started, or has not published it yet"
    ]


def refuse_reissue(values: Mapping[str, Any], view: ReleaseView) -> str:
    """Refuse to change the trust domain of an adopted istiod: it is in every identity."""
    before, wanted = trust_domains(values, view)
    if before == wanted:
        return ""
    return (
        f"istiod in {view.newest.namespace} issues identities of trust domain {before}, the configuration "
        f"says {wanted}: that issues every identity again and breaks policies that name the old ones; set "
        f"trustDomain: {before} for the cluster, or spec.rootOfTrust.migrate: restart"
    )


def trust_domains(values: Mapping[str, Any], view: ReleaseView) -> tuple[str, str]:
    """Return the trust domain of the identities that an istiod issues, and the desired one."""
    before = str((_config(view).get("meshConfig") or {}).get("trustDomain") or TRUST_DOMAIN)
    return before, str((values.get("meshConfig") or {}).get("trustDomain") or before)


def other_identities(values: Mapping[str, Any], view: ReleaseView) -> str:
    """Return how the trust domain changes; "" if it does not."""
    before, wanted = trust_domains(values, view)
    return "" if before == wanted else f"the trust domain changes from {before} to {wanted}"


def second_istiod(kube: Kube, namespace: str) -> str:
    """Refuse to install an istiod beside one that Helm did not install; "" if there is none.

    An identity that only plans sees its own namespace; the apply looks at all of them before it installs.
    """
    try:
        found = kube.list(DEPLOYMENT, labels="app=istiod", metadata_only=True)
    except Forbidden:
        found = kube.list(DEPLOYMENT, namespace=namespace, labels="app=istiod", metadata_only=True)
    for obj in found:
        meta = obj["metadata"]
        where = f"{meta['namespace']}/{meta['name']}"
        if meta["name"] == GLOO_OPERATOR:
            return (
                f"the Gloo Operator runs istiod here ({where}): mesh never adopts what it manages; move it "
                "to Helm first (docs/how-to/guide-a.md), or leave the cluster out"
            )
        return (
            f"an istiod already runs here: Deployment {where}, by {owner_of(obj) or 'an unknown owner'}; a "
            "cluster has one: set adopt: true if helm installed it, or remove it"
        )
    return ""


def _config(view: ReleaseView | None) -> Mapping[str, Any]:
    # A first install that failed may have created istiod: it runs with the values of that revision.
    return (view.deployed or view.newest).config if view else {}
