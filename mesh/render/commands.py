"""The guide's own commands for a mesh: a bash script that does by hand what `mesh apply` does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mesh.distribution.solo import XDS_LISTENER
from mesh.model import Key, Resource
from mesh.providers.cert import ROOT, IntermediateSpec
from mesh.providers.crds import GROUP, CrdsSpec
from mesh.providers.label import LabelSpec
from mesh.providers.link import CONNECTED, SUCCEEDED
from mesh.providers.secret import LICENCE_KEY, SecretSpec
from mesh.refs import Ref
from mesh.render.commands_charts import chart_commands, secrets_needed
from mesh.render.commands_trust import intermediate_commands, root_commands
from mesh.render.shell import Raw, command, comment, expanded_heredoc, heredoc, variable
from mesh.spec import Cluster, CommandCA, GatewayAPI, Licence, Mesh
from mesh.world.documents import write
from mesh.world.resources import CRD

Resources = Mapping[Key, Resource[Any]]

WAIT = "--timeout=300s"
PORT = "xdsPort"
ORDER = ("crds", "namespace", "cert", "secret", "chart", "label", "gateway")
"""The kinds of one cluster in the guide's order; links come when all clusters are done."""

HEAD = """\
# What `mesh apply` does, by hand: bash, kubectl 1.31 or newer, helm 3.10 or newer and openssl do all of it.
# Run it with bash; what is there already is used again.
set -euo pipefail
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MESH_CA_PASSPHRASE="${MESH_CA_PASSPHRASE-}"
"""

ENDPOINT = f"""\
address='{{range .status.addresses[?(@.type=="IPAddress")]}}{{.type}} {{.value}}{{"\\n"}}{{end}}'
address+='{{range .status.addresses[?(@.type=="Hostname")]}}{{.type}} {{.value}}{{"\\n"}}{{end}}'
port='{{.spec.listeners[?(@.name=="{XDS_LISTENER}")].port}}'
# endpoint GATEWAY KUBECTL-OPTIONS…: where an east-west gateway is reached, as "type address xds-port";
# an IP address before a hostname
endpoint() {{
  local gateway=$1
  shift
  kubectl "$@" wait "$gateway" --for=condition=Programmed {WAIT} >&2 &&
    kubectl "$@" wait "$gateway" --for=jsonpath='{{.status.addresses[0].value}}' {WAIT} >&2 &&
    kubectl "$@" get "$gateway" -o jsonpath="$address" | head -n 1 | tr '\\n' ' ' &&
    kubectl "$@" get "$gateway" -o jsonpath="$port"
}}
"""


def commands(mesh: Mesh, resources: Resources, *, only: str = "") -> str:
    """Return the script; `only` names the one cluster that it is for, "" is for all.

    `resources` are those of `expand`. No secret is in it: it asks for them in the environment.
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
        parts += [ENDPOINT, "".join(_endpoints(mesh, sorted({link.target for link in links}), resources))]
        keys = [Key("link", link.source, link.target) for link in links]
        parts += [_link(mesh, key, resources[key]) for key in keys]
        parts += ["".join(_proof(mesh, key, resources[key])) for key in keys]
    return "\n".join(part for part in parts if part)


def _title(text: str) -> str:
    return comment(f"---- {text} ----")


def _options(cluster: Cluster) -> tuple[str, ...]:
    """How kubectl reaches a cluster; `=` keeps a name from being taken for an option."""
    named = (f"--kubeconfig={cluster.kubeconfig}",) if cluster.kubeconfig else ()
    return (f"--context={cluster.context}", *named)


def _kubectl(cluster: Cluster, *words: str) -> str:
    return command("kubectl", *_options(cluster), *words)


def _needed(mesh: Mesh, clusters: list[Cluster], resources: Resources) -> Iterator[str]:
    """Ask for everything that must be in the environment before anything is done."""
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
            made = _kubectl(
                cluster, "create", "namespace", resource.place.name, "--dry-run=client", "-o", "yaml"
            )
            yield f"{made} | {_kubectl(cluster, 'apply', '-f', '-')}\n"
        case "cert":
            yield from _cacerts(mesh, cluster, resource.spec)
        case "secret":
            yield from _licence(mesh.licence, cluster, resource.spec)
        case "chart":
            yield from chart_commands(cluster, resource)
        case "label":
            yield from _label(cluster, resource.spec)
        case "gateway":
            yield heredoc(_kubectl(cluster, "apply", "-f", "-"), write(resource.spec.body))


def _folder(mesh: Mesh) -> str:
    """Where relative paths of the file start."""
    return str(Path(mesh.file).absolute().parent)


BUNDLE = Raw('"$work/gateway-api.yaml"')


def _is_pinned(api: GatewayAPI) -> bool:
    """Whether one file has the digest; that of a folder is of all its files."""
    return bool(api.sha256) and not Path(api.source).is_dir()


def _bundle(api: GatewayAPI) -> Iterator[str]:
    """Fetch the CRDs once, and go on only if they are those that the configuration pins."""
    if _is_pinned(api):
        yield comment(f"Gateway API {api.version}")
        get = ("curl", "-fsSL", api.source) if "://" in api.source else ("cat", api.source)
        yield f"{command(*get)} >{BUNDLE}\n"
        yield f'if [ "$(openssl dgst -sha256 -r {BUNDLE} | cut -d" " -f1)" != {command(api.sha256)} ]; then\n'
        yield f"  echo {command(f'{api.source} has another digest than is pinned')} >&2\n  exit 1\nfi\n"


def _crds(cluster: Cluster, spec: CrdsSpec) -> Iterator[str]:
    if not spec.api.safe_upgrades:
        yield comment("if the bundle brings the policy safe-upgrades: mesh leaves it out unless asked for it")
    source = BUNDLE if _is_pinned(spec.api) else spec.api.source
    yield _kubectl(cluster, "apply", "--server-side", "-f", source) + "\n"
    names = [f"{CRD.plural}/{name}.{GROUP}" for name in ("gatewayclasses", "gateways")]
    yield _kubectl(cluster, "wait", "--for=condition=Established", WAIT, *names) + "\n"


def _cacerts(mesh: Mesh, cluster: Cluster, spec: IntermediateSpec) -> Iterator[str]:
    kubectl = ("kubectl", *_options(cluster), f"--namespace={spec.namespace}")
    if isinstance(spec.ca, CommandCA):
        yield comment("the program that signs is run where the configuration is")
    yield from intermediate_commands(spec, kubectl, _folder(mesh))


def _licence(licence: Licence, cluster: Cluster, spec: SecretSpec) -> Iterator[str]:
    """From a file descriptor, not an argument: arguments of a process are seen by everybody."""
    namespace = f"--namespace={spec.namespace}"
    if spec.value is None:
        yield comment("the licence is there already, says the configuration")
        yield _kubectl(cluster, namespace, "get", "secret", spec.name) + "\n"
        return
    value = f'printf %s "${{{licence.env}}}"' if licence.env else f"tr -d '\\r\\n' <{command(licence.file)}"
    given = Raw(f"--from-file={LICENCE_KEY}=<({value})")
    words = (namespace, "create", "secret", "generic", spec.name, given, "--dry-run=client", "-o", "yaml")
    yield f"{_kubectl(cluster, *words)} | {_kubectl(cluster, 'apply', '-f', '-')}\n"


def _label(cluster: Cluster, spec: LabelSpec) -> Iterator[str]:
    labels = [f"{key}={value}" for key, value in spec.labels.items()]
    yield _kubectl(cluster, "label", "--overwrite", "namespace", spec.namespace, *labels) + "\n"


def _endpoint(target: str) -> str:
    return variable("endpoint", target)


def _endpoints(mesh: Mesh, targets: list[str], resources: Resources) -> Iterator[str]:
    for name in targets:
        cluster = mesh.cluster(name)
        place = resources[Key("gateway", name, cluster.eastwest.name)].place
        options = (*_options(cluster), f"--namespace={place.namespace}")
        call = command("endpoint", f"gateway/{place.name}", *options)
        yield f"{_endpoint(name)}=$({call})\n"


def _link(mesh: Mesh, key: Key, resource: Resource[Any]) -> str:
    """The peer object, the address of its target put in by the shell."""
    body, words = _with_words(resource.spec.body)
    read = f'read -r type value {PORT} <<<"${_endpoint(key.name)}"\n'
    apply = _kubectl(mesh.cluster(key.cluster), "apply", "-f", "-")
    return comment(str(key)) + read + expanded_heredoc(apply, write(body), words)


def _with_words(body: Any) -> tuple[Any, dict[str, str]]:
    """Put a word that is nowhere else in place of each ref; the words, each with its shell variable."""
    text, stem = json.dumps(body, default=repr), "word"
    while stem in text:
        stem += "_"
    words: dict[str, str] = {}

    def replaced(value: Any) -> Any:
        match value:
            case Ref():
                part = value.name.rpartition(".")[2]
                # A port is to be a number in YAML; what begins with a digit is quoted there, as text.
                words[word := f"{stem}{part}" if part == PORT else f"0{stem}{part}"] = part
                return word
            case Mapping():
                return {name: replaced(item) for name, item in value.items()}
            case list() | tuple():
                return [replaced(item) for item in value]
        return value

    return replaced(body), words


def _proof(mesh: Mesh, key: Key, resource: Resource[Any]) -> Iterator[str]:
    """Both conditions: `Programmed` of a peer object is always true and proves nothing."""
    for condition in (CONNECTED, SUCCEEDED):
        yield (
            _kubectl(
                mesh.cluster(key.cluster),
                f"--namespace={resource.place.namespace}",
                *("wait", f"gateway/{resource.place.name}", f"--for=condition={condition}", WAIT),
            )
            + "\n"
        )
