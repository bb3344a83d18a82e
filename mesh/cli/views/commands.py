"""The guide's commands for a mesh: a bash script with the same effect as `mesh apply`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mesh.cli.views.commands_charts import chart_commands, secrets_needed
from mesh.cli.views.commands_links import peer_commands
from mesh.cli.views.commands_remotes import reader_commands, remote_commands
from mesh.cli.views.commands_trust import intermediate_commands, root_commands
from mesh.cli.views.kubectl import WAIT, kubectl, options
from mesh.cli.views.shell import Raw, command, comment, heredoc
from mesh.istio.solo import LICENCE_KEY
from mesh.model import Key, Resource
from mesh.model.spec import Cluster, CommandCA, GatewayAPI, Licence, Mesh
from mesh.providers.cert import ROOT, IntermediateSpec
from mesh.providers.crds import GROUP, CrdsSpec
from mesh.providers.label import LabelSpec
from mesh.providers.secret import SecretSpec
from mesh.world.resources import CRD
from mesh.world.yaml_documents import write

Resources = Mapping[Key, Resource[Any]]

ORDER = ("crds", "namespace", "cert", "secret", "chart", "label", "gateway", "reader")
"""The kinds of one cluster in the guide's order; links come after all clusters."""

HEAD = """\
# The changes of `mesh apply` as commands. Needs bash, kubectl 1.31 or newer, helm 3.10 or newer and openssl.
# Run it with bash. You can run it again: it uses what already exists.
set -euo pipefail
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MESH_CA_PASSPHRASE="${MESH_CA_PASSPHRASE-}"
"""


def commands(mesh: Mesh, resources: Resources, *, only: str = "") -> str:
    """Return the script for the cluster `only`, or for all clusters if it is "".

    `resources` come from `expand`. The script contains no secrets: it reads them from the environment.
    """
    clusters = [cluster for cluster in mesh.clusters if only in ("", cluster.name)]
    parts = [f"#!/usr/bin/env bash\n{comment(f'mesh {mesh.name}, from {mesh.file}')}{HEAD}"]
    parts.append("".join(_needed(mesh, clusters, resources)))
    if ROOT in resources:
        parts.append("".join(root_commands(resources[ROOT].spec, _folder(mesh))))
    parts.append("".join(_bundle(mesh.gateway_api)))
    for cluster in clusters:
        parts.append(_title(f"cluster {cluster.name}"))
        parts += _cluster(mesh, cluster, resources)
    links = [link for link in mesh.links if only in ("", link.source)]
    if links:
        parts.append(_title("links"))
        joined = remote_commands if mesh.distribution == "upstream" else peer_commands
        parts += joined(mesh, links, resources)
    return "\n".join(part for part in parts if part)


def _title(text: str) -> str:
    return comment(f"---- {text} ----")


def _needed(mesh: Mesh, clusters: list[Cluster], resources: Resources) -> Iterator[str]:
    """Yield checks that every required environment variable is set, before the first change."""
    if mesh.licence.env:
        yield f': "${{{mesh.licence.env}:?set it to the licence key}}"\n'
    for cluster in clusters:
        for name, what in secrets_needed(cluster, resources):
            yield comment(what)
            yield f': "${{{name}:?set it to that value}}"\n'


def _cluster(mesh: Mesh, cluster: Cluster, resources: Resources) -> Iterator[str]:
    mine = [resource for key, resource in resources.items() if key.cluster == cluster.name]
    for kind in ORDER:
        for resource in mine:
            if resource.key.kind == kind:
                yield "".join(_resource(mesh, cluster, resource))


def _resource(mesh: Mesh, cluster: Cluster, resource: Resource[Any]) -> Iterator[str]:
    yield comment(str(resource.key))
    match resource.key.kind:
        case "crds":
            yield from _crds(cluster, resource.spec)
        case "namespace":
            made = kubectl(
                cluster, "create", "namespace", resource.place.name, "--dry-run=client", "-o", "yaml"
            )
            yield f"{made} | {kubectl(cluster, 'apply', '-f', '-')}\n"
        case "cert":
            yield from _cacerts(mesh, cluster, resource.spec)
        case "secret":
            yield from _licence(mesh.licence, cluster, resource.spec)
        case "chart":
            yield from chart_commands(cluster, resource)
        case "label":
            yield from _label(cluster, resource.spec)
        case "gateway":
            yield heredoc(kubectl(cluster, "apply", "-f", "-"), write(resource.spec.body))
        case "reader":
            yield from reader_commands(cluster, resource)


def _folder(mesh: Mesh) -> str:
    """Return the folder that relative paths of the mesh file start from."""
    return str(Path(mesh.file).absolute().parent)


BUNDLE = Raw('"$work/gateway-api.yaml"')


def _is_pinned(api: GatewayAPI) -> bool:
    """Return whether the digest is that of one file; the digest of a folder covers all of its files."""
    return bool(api.sha256) and not Path(api.source).is_dir()


def _bundle(api: GatewayAPI) -> Iterator[str]:
    """Download the CRDs once, and continue only if their digest matches the configuration."""
    if _is_pinned(api):
        yield comment(f"Gateway API {api.version}")
        get = ("curl", "-fsSL", api.source) if "://" in api.source else ("cat", api.source)
        yield f"{command(*get)} >{BUNDLE}\n"
        yield f'if [ "$(openssl dgst -sha256 -r {BUNDLE} | cut -d" " -f1)" != {command(api.sha256)} ]; then\n'
        yield f"  echo {command(f'{api.source} does not have the pinned digest')} >&2\n  exit 1\nfi\n"


def _crds(cluster: Cluster, spec: CrdsSpec) -> Iterator[str]:
    if not spec.api.safe_upgrades:
        yield comment(
            "the bundle may contain the policy safe-upgrades; mesh skips it without gatewayAPI.safeUpgrades"
        )
    source = BUNDLE if _is_pinned(spec.api) else spec.api.source
    yield kubectl(cluster, "apply", "--server-side", "-f", source) + "\n"
    names = [f"{CRD.plural}/{name}.{GROUP}" for name in ("gatewayclasses", "gateways")]
    yield kubectl(cluster, "wait", "--for=condition=Established", WAIT, *names) + "\n"


def _cacerts(mesh: Mesh, cluster: Cluster, spec: IntermediateSpec) -> Iterator[str]:
    run = ("kubectl", *options(cluster), f"--namespace={spec.namespace}")
    if isinstance(spec.ca, CommandCA):
        yield comment("the signing program runs in the folder of the mesh file")
    yield from intermediate_commands(spec, run, _folder(mesh))


def _licence(licence: Licence, cluster: Cluster, spec: SecretSpec) -> Iterator[str]:
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


def _label(cluster: Cluster, spec: LabelSpec) -> Iterator[str]:
    labels = [f"{key}={value}" for key, value in spec.labels.items()]
    yield kubectl(cluster, "label", "--overwrite", "namespace", spec.namespace, *labels) + "\n"
