"""Commands for links of the Solo distribution: gateway addresses, peer objects, and the final check."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mesh.cli.views.kubectl import WAIT, kubectl, options
from mesh.cli.views.shell import command, comment, expanded_heredoc, variable
from mesh.istio.addresses import gateway_key, link_key
from mesh.istio.solo import XDS_LISTENER
from mesh.model import Key, Resource
from mesh.model.refs import Ref
from mesh.model.spec import Link, Mesh
from mesh.providers.link import CONNECTED, SUCCEEDED
from mesh.world.yaml_documents import write

Resources = Mapping[Key, Resource[Any]]

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


def peer_commands(mesh: Mesh, links: list[Link], resources: Resources) -> Iterator[str]:
    """Yield the parts of the script that create the links and wait until they work."""
    yield ENDPOINT
    yield "".join(_endpoints(mesh, sorted({link.target for link in links}), resources))
    keys = [link_key(link.source, link.target) for link in links]
    for key in keys:
        yield _link(mesh, key, resources[key])
    for key in keys:
        yield "".join(_proof(mesh, key, resources[key]))


def _endpoint(target: str) -> str:
    return variable("endpoint", target)


def _endpoints(mesh: Mesh, targets: list[str], resources: Resources) -> Iterator[str]:
    for name in targets:
        cluster = mesh.cluster(name)
        place = resources[gateway_key(name, cluster.eastwest.name)].place
        reached = (*options(cluster), f"--namespace={place.namespace}")
        call = command("endpoint", f"gateway/{place.name}", *reached)
        yield f"{_endpoint(name)}=$({call})\n"


def _link(mesh: Mesh, key: Key, resource: Resource[Any]) -> str:
    """Yield the peer object; the shell fills in the address of its target."""
    body, words = _with_words(resource.spec.body)
    read = f'read -r type value {PORT} <<<"${_endpoint(key.name)}"\n'
    apply = kubectl(mesh.cluster(key.cluster), "apply", "-f", "-")
    return comment(str(key)) + read + expanded_heredoc(apply, write(body), words)


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


def _proof(mesh: Mesh, key: Key, resource: Resource[Any]) -> Iterator[str]:
    """Wait for both conditions; `Programmed` of a peer object is always true and proves nothing."""
    for condition in (CONNECTED, SUCCEEDED):
        yield (
            kubectl(
                mesh.cluster(key.cluster),
                f"--namespace={resource.place.namespace}",
                *("wait", f"gateway/{resource.place.name}", f"--for=condition={condition}", WAIT),
            )
            + "\n"
        )
