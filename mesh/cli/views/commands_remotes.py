"""Commands for links of the upstream distribution: the reader's token, and remote secrets with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mesh.cli.views.kubectl import WAIT, kubectl
from mesh.cli.views.shell import comment, expanded_heredoc, heredoc
from mesh.istio.addresses import remote_key
from mesh.model import Key, Resource
from mesh.model.spec import Cluster, Link, Mesh
from mesh.providers.reader import ReaderSpec
from mesh.providers.reader import body as reader_body
from mesh.providers.remote import RemoteSpec
from mesh.providers.remote import body as remote_body
from mesh.sdk.remote_access import document
from mesh.world.yaml_documents import write

Resources = Mapping[Key, Resource[Any]]

FILLED = ("{.data.token}", "{.data.ca\\.crt}")
"""The values that Kubernetes writes to a reader's Secret, as kubectl JSONPath."""


def reader_commands(cluster: Cluster, resource: Resource[Any]) -> Iterator[str]:
    """Yield commands that create the token with which other clusters read this one, and wait for it."""
    spec: ReaderSpec = resource.spec
    yield heredoc(
        kubectl(cluster, "apply", "-f", "-"), write(_unmarked(reader_body(spec, resource.key, None)))
    )
    for path in FILLED:
        name = (f"--namespace={spec.namespace}", "wait", f"secret/{spec.name}")
        yield kubectl(cluster, *name, f"--for=jsonpath={path}", WAIT) + "\n"


def remote_commands(mesh: Mesh, links: list[Link], resources: Resources) -> Iterator[str]:
    """Yield the parts of the script that create the links. No object shows whether an istiod has synced."""
    ends = sorted({name for link in links for name in (link.source, link.target)})
    yield "".join(_programmed(mesh.cluster(name)) for name in ends)
    for link in links:
        key = remote_key(link.source, link.target)
        yield "".join(_remote(mesh.cluster(link.source), mesh.cluster(link.target), resources[key]))
    yield comment("check that every istiod has synced with the other clusters: istioctl remote-clusters")


def _programmed(cluster: Cluster) -> str:
    gateway = f"gateway/{cluster.eastwest.name}"
    words = (f"--namespace={cluster.eastwest.namespace}", "wait", gateway, "--for=condition=Programmed", WAIT)
    return kubectl(cluster, *words) + "\n"


def _remote(source: Cluster, target: Cluster, resource: Resource[Any]) -> Iterator[str]:
    """Read CA and token from the target and write them to the source, never as process arguments."""
    spec: RemoteSpec = resource.spec
    yield comment(str(resource.key))
    secret = (f"--namespace={spec.reader.namespace}", "get", "secret", spec.reader.name)
    token, ca = (kubectl(target, *secret, "-o", f"jsonpath={path}") for path in FILLED)
    yield f"token=$({token} | openssl base64 -d -A)\nca=$({ca})\n"
    words = {"0wordtoken": "token", "0wordca": "ca"}
    server = target.api_server
    if not server:
        where = ("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
        yield f"server=$({kubectl(target, *where)})\n"
        server, words = "0wordserver", {**words, "0wordserver": "server"}
    config = write(document(spec.cluster, server, ca="0wordca", token="0wordtoken"))  # noqa: S106  # the shell fills it in
    body = _unmarked(remote_body(spec, resource.key, None, ""))
    sent = {name: value for name, value in body.items() if name != "data"} | {
        "stringData": {spec.cluster: config}
    }
    # Server-side apply: client-side apply would store the token again, in an annotation.
    apply = kubectl(source, "apply", "--server-side", "--force-conflicts", "-f", "-")
    yield expanded_heredoc(apply, write(sent), words)
    yield "unset token\n"


def _unmarked(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object without mesh's labels: mesh does not manage what the script creates."""
    meta = dict(body["metadata"])
    for section in ("labels", "annotations"):
        kept = {name: text for name, text in meta[section].items() if not name.startswith("meshform.io/")}
        meta = (
            {**meta, section: kept}
            if kept
            else {name: each for name, each in meta.items() if name != section}
        )
    return {**body, "metadata": meta}
