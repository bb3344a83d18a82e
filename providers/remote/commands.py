"""The commands for a link of the upstream distribution: a remote secret with the token of the target."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.model import Resource
from mesh.model.spec import Cluster, Mesh
from mesh.providers.remote.secret import RemoteSpec
from mesh.providers.remote.secret import body as body_of
from mesh.sdk.kubectl import WAIT, kubectl, unmarked
from mesh.sdk.remote_access import FILLED, document
from mesh.sdk.script import Commands
from mesh.sdk.shell import comment, expanded_heredoc
from mesh.world.yaml_documents import write

SYNCED = comment("check that every istiod has synced with the other clusters: istioctl remote-clusters")
"""No object shows whether an istiod has synced."""


def remote_commands(mesh: Mesh, resource: Resource[RemoteSpec]) -> Commands:
    """Return the commands that create the remote secret of a link."""
    source, target = mesh.cluster(resource.key.cluster), mesh.cluster(resource.key.name)
    return Commands(
        "".join(_remote(source, target, resource)),
        once=tuple(_programmed(mesh.cluster(name)) for name in sorted((source.name, target.name))),
        check=SYNCED,
    )


def _programmed(cluster: Cluster) -> str:
    gateway = f"gateway/{cluster.eastwest.name}"
    words = (f"--namespace={cluster.eastwest.namespace}", "wait", gateway, "--for=condition=Programmed", WAIT)
    return kubectl(cluster, *words) + "\n"


def _remote(source: Cluster, target: Cluster, resource: Resource[RemoteSpec]) -> Iterator[str]:
    """Read CA and token from the target and write them to the source, never as process arguments."""
    spec = resource.spec
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
    body = unmarked(body_of(spec, resource.key, None, ""))
    sent = {name: value for name, value in body.items() if name != "data"} | {
        "stringData": {spec.cluster: config}
    }
    # Server-side apply: client-side apply would store the token again, in an annotation.
    apply = kubectl(source, "apply", "--server-side", "--force-conflicts", "-f", "-")
    yield expanded_heredoc(apply, write(sent), words)
    yield "unset token\n"
