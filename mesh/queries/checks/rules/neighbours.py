"""Checks of what else is installed in the cluster: another Istio, CRDs, Helm releases, webhooks."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.errors import MeshError
from mesh.istio.addresses import chart_key, crds_key
from mesh.model.bounded_text import SMALL, Unfit, from_base64
from mesh.model.spec import COMPONENTS
from mesh.queries.checks.facts import (
    ClusterFacts,
    MeshFacts,
    annotated,
    istiod,
    labels,
    place,
    read,
    release,
    shown,
)
from mesh.queries.checks.model import Finding, Findings, NotApplicable, Severity, Skip
from mesh.queries.checks.paste import pasted, word
from mesh.queries.checks.read.second import services
from mesh.world import Object

RELEASE = "meta.helm.sh/release-name"
GATEWAY_API = "gateway.networking.k8s.io"
BUNDLE, CHANNEL = f"{GATEWAY_API}/bundle-version", f"{GATEWAY_API}/channel"
WRITTEN = frozenset(
    {
        *("namespaces", "secrets", "configmaps", "services", "serviceaccounts", "pods", "deployments"),
        *("daemonsets", "customresourcedefinitions", "gateways", "clusterroles", "clusterrolebindings", "*"),
    }
)
"""What an apply writes, itself or through helm: a webhook on these that does not answer makes it fail."""


def alone(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P10: verify that no other Istio control plane is installed.

    Two control planes answer for the same pods and overwrite each other's webhooks.
    """
    del scene
    for obj in facts.rows("deployments"):
        if labels(obj).get("app") != "istiod":
            continue
        revision = labels(obj).get("istio.io/rev", "default")
        if place(obj)[0] != facts.namespace or revision != "default":
            yield Finding(
                f"another istiod exists: Deployment {shown(obj)}, revision {revision}",
                {"deployment": shown(obj), "revision": revision},
            )
    for obj in facts.rows("controllers"):
        yield Finding(
            f"the Gloo Operator manages an Istio here: ServiceMeshController {shown(obj)}",
            {"object": shown(obj)},
            fix="kubectl --context {context} delete servicemeshcontroller " + pasted(obj)[1],
        )


def gateway_api(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P12: verify that the Gateway API is served as v1, from one bundle, and that no Helm release owns it.

    A Helm release that owns the CRDs may put older ones over them at its next upgrade.
    """
    crds = [obj for obj in facts.rows("crds") if place(obj)[1].endswith(f".{GATEWAY_API}")]
    about = crds_key(facts.name)
    if not crds:
        raise NotApplicable("the Gateway API is not installed yet")
    groups = read(facts.groups)
    if f"{GATEWAY_API}/v1" not in groups:
        served = sorted(each for each in groups if each.startswith(GATEWAY_API))
        yield Finding(
            f"{GATEWAY_API}/v1 is not served (served: {', '.join(served) or 'none'})",
            {"served": served},
            about,
        )
    versions = {annotated(obj).get(BUNDLE, "unknown") for obj in crds}
    if len(versions) > 1:
        yield Finding(
            f"the Gateway API CRDs come from several bundles: {', '.join(sorted(versions))}",
            {"versions": sorted(versions)},
            about,
            Severity.WARNING,
        )
    owners = {annotated(obj).get(RELEASE) for obj in crds} - {None}
    for owner in sorted(str(each) for each in owners):
        yield Finding(
            f"Helm release {owner} owns the Gateway API CRDs: its next upgrade may replace them",
            {"release": owner},
            severity=Severity.WARNING,
        )
    del scene


def istio_crds(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P13: verify that the Istio CRDs belong to the mesh's base release.

    helm refuses to install a chart over objects that another release owns.
    """
    del scene
    own = release(facts, "base")
    name = own.newest.name if own else facts.cluster.charts["base"].release
    strangers: dict[str, int] = {}
    for obj in facts.rows("crds"):
        if place(obj)[1].rpartition(".istio.io")[1]:
            owner = annotated(obj).get(RELEASE, "")
            if owner != name:
                strangers[owner] = strangers.get(owner, 0) + 1
    for owner, count in sorted(strangers.items()):
        keeper = f"Helm release {owner}" if owner else "no Helm release"
        yield Finding(
            f"{count} Istio CRDs belong to {keeper}, expected {name}: helm refuses to take them over",
            {"crds": count, "release": owner, "expected": name},
            chart_key(facts.name, "base") if own else None,
            Severity.WARNING if own and not owner else None,
        )


def released(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P14: verify that the newest revision of each Helm release is deployed.

    helm takes a pending revision for an upgrade in progress and refuses to start another, for ever if the
    helm that made it was killed: the release has no owner and no timeout.
    """
    del scene
    found = False
    for component in COMPONENTS:
        view = release(facts, component)
        found = found or view is not None
        if view and view.status != "deployed":
            yield Finding(
                f"Helm release {view.newest.name} has been {view.status} since {view.newest.last_deployed}",
                {"release": view.newest.name, "status": view.status, "revision": view.newest.revision},
                chart_key(facts.name, component),
                None if view.pending else Severity.WARNING,
                "mesh recover " + word(f"chart/{facts.name}/{component}") if view.pending else "mesh apply",
            )
    if not found:
        raise NotApplicable("Helm has installed nothing yet")


def webhooks(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P11: verify that every webhook that fails closed has a ready endpoint, and that no CA has expired.

    A webhook with failurePolicy Fail that cannot answer rejects every write that it matches. It is an error
    if an apply makes such writes, else a warning.
    """
    alive = _alive(facts)
    for what in ("validating", "mutating"):
        for config in facts.rows(what):
            for hook in config.get("webhooks", []):
                if hook.get("failurePolicy", "Fail") == "Fail":
                    yield from _dead(config, hook, alive)
                yield from _expired(scene, config, hook)


def _alive(facts: ClusterFacts) -> set[tuple[str, str]]:
    """The Services with a ready endpoint."""
    return {
        (place(obj)[0], labels(obj).get("kubernetes.io/service-name", ""))
        for obj in facts.rows("endpoints")
        for each in obj.get("endpoints") or []
        if each.get("conditions", {}).get("ready", True)
    }


def _dead(config: Object, hook: Object, alive: set[tuple[str, str]]) -> Iterator[Finding]:
    for service in services({"webhooks": [hook]}):
        if service not in alive:
            resources = {
                name.partition("/")[0] for rule in hook.get("rules", []) for name in rule["resources"]
            }
            in_way = resources & WRITTEN and not _is_narrow(hook)
            yield Finding(
                f"webhook {hook['name']} fails closed, but Service {'/'.join(service)} has no ready endpoint",
                {"webhook": hook["name"], "service": "/".join(service), "resources": sorted(resources)},
                severity=None if in_way else Severity.WARNING,
                fix=_look_at(config),
            )


def _look_at(config: Object) -> str:
    """The command that shows a webhook configuration."""
    kind, name = word(config["kind"]), word(config["metadata"]["name"])
    return f"kubectl --context {{context}} get {kind} {name} -o yaml"


def _is_narrow(hook: Object) -> bool:
    """Whether it matches only selected objects, or only Istio's own kinds."""
    groups = {group for rule in hook.get("rules", []) for group in rule.get("apiGroups", [])}
    narrow = hook.get("objectSelector") or hook.get("namespaceSelector")
    return bool(narrow) or all(group.endswith("istio.io") for group in groups)


def _expired(scene: MeshFacts, config: Object, hook: Object) -> Iterator[Finding]:
    from mesh.world import pki

    try:
        text = from_base64(hook["clientConfig"].get("caBundle", ""), SMALL).decode()
        found = [pki.describe(block) for block in pki.pem_blocks(text)]
    except (MeshError, ValueError):
        return
    if found and all(each.not_after <= scene.now for each in found):
        yield Finding(
            f"the CA of webhook {hook['name']} has expired",
            {"webhook": hook["name"], "expired": max(each.not_after for each in found).isoformat()},
            fix=_look_at(config),
        )


def believed(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q08: verify that the API server trusts istiod's validation webhook, and that the webhook answers.

    With a caBundle of another root the API server cannot call it, and every Istio object is rejected.
    """
    del scene
    istiod(facts)
    from mesh.world import pki

    roots = frozenset().union(*read(facts.published).values())
    own = [config for config in facts.rows("validating") if labels(config).get("app") == "istiod"]
    if not own or not roots:
        raise Skip("istiod has no webhook" if roots else "istiod has published no root of trust")
    for config in own:
        for hook in config.get("webhooks", []):
            shown_roots = pki.fingerprints_in(_text(hook["clientConfig"].get("caBundle", "")))
            if not shown_roots & roots:
                yield Finding(
                    f"the caBundle of webhook {hook['name']} does not contain istiod's root of trust",
                    {"webhook": hook["name"], "caBundle": sorted(shown_roots), "roots": sorted(roots)},
                    fix="kubectl --context {context} -n {namespace} rollout restart deploy/istiod",
                )
    if said := read(facts.tried["istio object"]):
        yield Finding(f"a dry run of a ServiceEntry is rejected: {said}", {"answer": said})


def _text(encoded: str) -> str:
    try:
        return from_base64(encoded, SMALL).decode("ascii", "replace")
    except Unfit:
        return ""
