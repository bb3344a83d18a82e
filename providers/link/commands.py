"""Commands for links of the Solo distribution: gateway addresses, peer objects, and the final check."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mesh.istio.peering import CONNECTED, SUCCEEDED
from mesh.istio.solo import XDS_LISTENER
from mesh.model import Place, Resource
from mesh.model.refs import Ref
from mesh.model.spec import Cluster, Mesh
from mesh.sdk.kube_object import Manifest
from mesh.sdk.kubectl import WAIT, kubectl, options
from mesh.sdk.script import Commands
from mesh.sdk.shell import command, expanded_heredoc, variable
from mesh.world.yaml_documents import write

PORT = "xdsPort"

ENDPOINT = f"""\
address='{{range .status.addresses[?(@.type=="IPAddress")]}}{{.type}} {{.value}}{{"\\n"}}{{end}}'
address+='{{range .status.addresses[?(@.type=="Hostname")]}}{{.type}} {{.value}}{{"\\n"}}{{end}}'
port='{{.spec.listeners[?(@.name=="{XDS_LISTENER}")].port}}'
# endpoint GATEWAY KUBECTL-OPTIONS…: prints the address of an east-west gateway as "type address xds-port";
# prefers an IP address to a hostname
endpoint() {{
  local gateway=$1
  shift
  kubectl "$@" wait "$gateway" --for=condition=Programmed {WAIT} >&2 &&
    kubectl "$@" wait "$gateway" --for=jsonpath='{{.status.addresses[0].value}}' {WAIT} >&2 &&
    kubectl "$@" get "$gateway" -o jsonpath="$address" | head -n 1 | tr '\\n' ' ' &&
    kubectl "$@" get "$gateway" -o jsonpath="$port"
}}
"""


def link_commands(mesh: Mesh, resource: Resource[Manifest]) -> Commands:
    """Return the commands that create the peer object of a link and wait until it works."""
    source, target = mesh.cluster(resource.key.cluster), mesh.cluster(resource.key.name)
    return Commands(
        _peer(source, target, resource.spec),
        once=(ENDPOINT, _read_endpoint(target)),
        check="".join(_check(source, resource.place)),
    )


def _endpoint(target: Cluster) -> str:
    return variable("endpoint", target.name)


def _read_endpoint(target: Cluster) -> str:
    reached = (*options(target), f"--namespace={target.eastwest.namespace}")
    return f"{_endpoint(target)}=$({command('endpoint', f'gateway/{target.eastwest.name}', *reached)})\n"


def _peer(source: Cluster, target: Cluster, spec: Manifest) -> str:
    """Return the command that applies the peer object; the shell fills in the address of its target."""
    body, words = _with_words(spec.body)
    read = f'read -r type value {PORT} <<<"${_endpoint(target)}"\n'
    return read + expanded_heredoc(kubectl(source, "apply", "-f", "-"), write(body), words)


def _with_words(body: Any) -> tuple[Any, dict[str, str]]:
    """Replace each ref with a unique word; return the words with their shell variables."""
    text, stem = json.dumps(body, default=repr), "word"
    while stem in text:
        stem += "_"
    words: dict[str, str] = {}

    def replaced(value: Any) -> Any:
        match value:
            case Ref():
                part = value.name.rpartition(".")[2]
                # A port must be a number in YAML, and YAML quotes text that begins with a digit.
                words[word := f"{stem}{part}" if part == PORT else f"0{stem}{part}"] = part
                return word
            case Mapping():
                return {name: replaced(item) for name, item in value.items()}
            case list() | tuple():
                return [replaced(item) for item in value]
        return value

    return replaced(body), words


def _check(source: Cluster, place: Place) -> Iterator[str]:
    """Wait for both conditions; `Programmed` of a peer object is always true and proves nothing."""
    namespace, peer = f"--namespace={place.namespace}", f"gateway/{place.name}"
    for condition in (CONNECTED, SUCCEEDED):
        yield kubectl(source, namespace, "wait", peer, f"--for=condition={condition}", WAIT) + "\n"
