"""The mesh file for clusters that are there; what was found, and not decided, is in its comments; pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from mesh.config.starter import word
from mesh.model.printable import terminal
from mesh.queries.discover.agreed import Agreed, distinct, own_gateway
from mesh.queries.discover.found import DiscoveredCluster, SkippedCluster

WIDTH = 110
DEFAULT_NAMESPACE = "istio-system"
KEEPS = "in effect now: another one would issue every identity again"


def mesh_file_text(
    name: str,
    clusters: Sequence[DiscoveredCluster],
    missed: Sequence[SkippedCluster],
    agreed: Agreed,
    *,
    schema: str,
    kubeconfig: str = "",
) -> str:
    """Return the file; it is valid, but for what only a person can fill in."""
    lines = [
        f"# yaml-language-server: $schema={schema}",
        "#",
        "# Written by `mesh import` from what runs. Found:",
        "#",
        *(line for each in clusters for line in _told(each)),
        *(_wrapped(f"{each.name} (context {each.context}) is left out: {each.why}", "# ") for each in missed),
        *_undecided(agreed),
        "#",
        "# `mesh plan` shows what is missing to be one multicluster mesh. The values that users gave the",
        "# releases stay; they need not be written here.",
        "apiVersion: mesh/v1",
        "kind: Mesh",
        "metadata:",
        f"  name: {word(name)}",
        "spec:",
        *_istio(agreed),
        *_trust(clusters, agreed),
        *(
            [f"  gatewayAPI: {{version: {agreed.gateway_api}}}    # there is one already"]
            if agreed.gateway_api
            else []
        ),
        *_defaults(agreed, kubeconfig),
        "  clusters:",
        *(line for each, own, network in distinct(clusters) for line in _cluster(each, own, network, agreed)),
        *_links(agreed),
    ]
    return "\n".join(map(terminal, "\n".join(lines).split("\n"))) + "\n"


def _wrapped(words: str, mark: str) -> str:
    return textwrap.fill(
        terminal(words),
        WIDTH,
        initial_indent=mark,
        subsequent_indent=mark.replace("-", " ") + ("" if "-" in mark else "  "),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _told(found: DiscoveredCluster) -> Iterator[str]:
    yield _wrapped(f"{found.name} (context {found.context})", "# ")
    for part, one in found.parts.items():
        image = f", images {one.hub}:{one.tag}" if one.hub else ""
        yield _wrapped(f"{part} {one.version}: release {one.release} in {one.namespace}{image}", "#   ")
    roots = ", ".join(found.roots) or "none to be seen"
    yield _wrapped(f"root of trust {roots}" + (f", {found.signer}" if found.signer else ""), "#   ")
    licence = f"Secret {found.licence.namespace}/{found.licence.name}" if found.licence else "no Secret"
    clear = ", license.value = (sensitive)" if found.clear_licence else ""
    yield _wrapped(f"licence: {licence}{clear}; Gateway API: {found.gateway_api or 'none'}", "#   ")
    for what, gateways in (("east-west gateway", found.eastwest), ("peer", found.peers)):
        listed = [f"{one.where} of network {one.network or '(none)'}, by {one.owner}" for one in gateways]
        yield _wrapped(f"{what}: {'; '.join(listed) or 'none'}", "#   ")


def _undecided(agreed: Agreed) -> Iterator[str]:
    if agreed.remarks:
        yield "#"
        yield "# Could not be decided:"
        yield from (_wrapped(remark, "# - ") for remark in agreed.remarks)


def _istio(agreed: Agreed) -> Iterator[str]:
    yield "  istio:"
    yield f"    distribution: {'upstream' if agreed.upstream else 'solo'}"
    yield f"    version: {word(agreed.version)}    # an upgrade goes one minor version at a time"
    images = {"hub": agreed.hub, "tag": agreed.tag}
    if any(images.values()):
        yield f"    images: {_inline(images)}"
    yield "    # charts: {source: oci://registry.example/istio-helm}    # a release does not tell its own"
    if agreed.upstream:
        return
    yield "    license:"
    if agreed.licence:
        ref = agreed.licence
        yield f"      secretRef: {{name: {word(ref.name)}, namespace: {word(ref.namespace)}}}"
    else:
        yield "      env: GLOO_MESH_LICENSE_KEY"


def _trust(clusters: Sequence[DiscoveredCluster], agreed: Agreed) -> Iterator[str]:
    yield "  rootOfTrust:"
    yield "    ca:"
    if agreed.existing:
        yield "      existing: true    # all share a root; mesh does not have its key, so it renews nothing"
        return
    yield "      generate: {}    # or files, or command"
    if any(each.roots for each in clusters):
        yield "    # The clusters share no root of trust, so `mesh plan` is refused until this is chosen."
        yield "    # It moves them to a new one: istiod, ztunnel and gateways restart, cluster by cluster."
        yield "    # migrate: restart"
    if any(each.signer == "cacerts" for each in clusters):
        yield "    # migrateBackup: ~/before-the-move    # where a cacerts that is replaced is saved first"


def _inline(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {word(value)}" for key, value in values.items() if value) + "}"


def _defaults(agreed: Agreed, kubeconfig: str) -> Iterator[str]:
    yield "  defaults:"
    yield "    adopt: true"
    if kubeconfig:
        yield f"    kubeconfig: {word(kubeconfig)}"
    if agreed.eastwest:
        yield f"    namespaces: {{eastwest: {word(agreed.eastwest)}}}"


def _cluster(found: DiscoveredCluster, own: str, network: str, agreed: Agreed) -> Iterator[str]:
    yield f"    - name: {word(found.name)}"
    if found.context != found.name:
        yield f"      context: {word(found.context)}"
    if own != found.name:
        yield f"      clusterName: {word(own)}"
    if network != found.name:
        yield f"      network: {word(network)}"
    if not (agreed.upstream and found.trust_domain == "cluster.local"):
        yield f"      trustDomain: {word(found.trust_domain)}    # {KEEPS}"
    if namespaces := _namespaces(found):
        yield f"      namespaces: {_inline(namespaces)}"
    gateway = own_gateway(found)
    if gateway is None:
        return
    told = {"name": gateway.name if gateway.name != _usual(agreed) else ""}
    told["service"] = "NodePort" if gateway.service == "nodeport" else ""
    if any(told.values()):
        yield f"      eastwest: {_inline(told)}"
    if gateway.region:
        yield f"      region: {word(gateway.region)}"
        if gateway.zone:
            yield f"      zone: {word(gateway.zone)}"


def _usual(agreed: Agreed) -> str:
    return "istio-eastwestgateway" if agreed.upstream else "istio-eastwest"


def _namespaces(found: DiscoveredCluster) -> dict[str, str]:
    istiod = found.parts["istiod"].namespace
    own = {part: found.parts[part].namespace for part in ("cni", "ztunnel") if part in found.parts}
    named = {"istiod": istiod} if istiod != DEFAULT_NAMESPACE else {}
    return named | {str(part): namespace for part, namespace in own.items() if namespace != istiod}


def _links(agreed: Agreed) -> Iterator[str]:
    if agreed.links is None:
        yield "  links: full-mesh"
        return
    yield "  # Those that are there; `full-mesh` links all with all."
    yield "  links:"
    yield from (f"    - {{from: {word(source)}, to: {word(target)}}}" for source, target in agreed.links)
