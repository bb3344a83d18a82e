"""The starter file that `mesh init` writes: a commented mesh file for the contexts of a kubeconfig."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mesh.config.source.scalars import HIDDEN, ambiguity, plain
from mesh.model.printable import terminal

# How tools build the name of a context from the name of the cluster.
_AROUND = (
    re.compile(r"arn:[^:]*:eks:[^:]*:[^:]*:cluster/(?P<name>.+)"),
    re.compile(r"gke_[^_]+_[^_]+_(?P<name>.+)"),
    re.compile(r".*@(?P<name>[^.@]+)\.[^@]*eksctl\.io"),
    re.compile(r"[^@/]*@(?P<name>.+)"),
    re.compile(r"(?:kind|k3d|minikube|vcluster|teleport)[-_](?P<name>.+)"),
)
_PLAIN = re.compile(r"[A-Za-z0-9_/.][A-Za-z0-9_/.@+-]*")
_RESERVED = "kubernetes"

TEXT = """\
# yaml-language-server: $schema={schema}
#
# One multicluster ambient mesh. `mesh validate` checks this file, `mesh plan` shows what would change
# in every cluster, `mesh apply` makes the changes, `mesh destroy` removes what mesh created.
apiVersion: mesh/v1
kind: Mesh
metadata:
  name: {name}
spec:
  istio:
    distribution: solo
    version: {version}    # selects the charts and images
    license:
      env: GLOO_MESH_LICENSE_KEY    # or file: …, or secretRef: {{name: …, namespace: …}}
    # charts: {{source: oci://registry.example/istio-helm}}   # a mirror, a repository or a folder
    # images: {{hub: registry.example/istio}}

  rootOfTrust:
    ca:
      generate: {{}}    # one root key in ~/.config/mesh/{name}/root.key; or files, command, existing
    intermediate:
      validity: 365d
      renewBefore: 90d

  # Defaults for every cluster; a cluster can override each of them.
  defaults:
{kubeconfig}    eastwest:
      service: LoadBalancer    # or NodePort
    # values: {{istiod: {{autoscaleMin: 2}}}}
    # valuesFiles: {{ztunnel: [values/ztunnel.yaml]}}

  # name is the cluster's address in plans and links. clusterName and network default to it, trustDomain
  # defaults to <name>.local. These three cannot change after the first apply.
  clusters:
{clusters}
  # Or a list of links, such as [{{between: [a, b]}}, {{from: a, to: c}}]
  links: full-mesh
"""


@dataclass(frozen=True, slots=True)
class StarterCluster:
    """One cluster of the starter file."""

    name: str
    context: str


def entries(contexts: Iterable[str]) -> tuple[StarterCluster, ...]:
    """Return one cluster per context, with a unique DNS label without the tool's prefix as its name."""
    found: dict[str, StarterCluster] = {}
    for context in dict.fromkeys(contexts):
        if not context or HIDDEN.search(context) or re.search(r"[\s$]|\{\{", context):
            continue  # the mesh file does not accept such a context
        name = base = label(_bare(context)) or "cluster"
        count = 2
        while name in found or name == _RESERVED:
            name, count = f"{base[:58]}-{count}", count + 1
        found[name] = StarterCluster(name, context)
    return tuple(found.values())


def _bare(context: str) -> str:
    for pattern in _AROUND:
        if match := pattern.fullmatch(context):
            return match["name"]
    return context


def label(text: str) -> str:
    """Return the DNS label nearest to a text; "" if no valid character is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:63].strip("-")


def starter(
    name: str,
    clusters: Sequence[StarterCluster],
    *,
    schema: str = "desired-state.schema.json",
    version: str = "1.30.2-solo",
    kubeconfig: str = "",
) -> str:
    """Return the text of a mesh file that passes `mesh validate` without edits."""
    lines = [f"    - name: {word(one.name)}\n      context: {word(one.context)}\n" for one in clusters]
    return TEXT.format(
        schema=schema,
        name=word(name),
        version=version,
        kubeconfig=f"    kubeconfig: {word(kubeconfig)}\n" if kubeconfig else "",
        clusters="".join(lines),
    )


def word(text: str) -> str:
    """Return text as a YAML scalar that every YAML reader parses back to the same text."""
    safe = _PLAIN.fullmatch(text) and not ambiguity(text) and plain(text) == text and terminal(text) == text
    # The escapes of `terminal` are those of YAML in double quotes too.
    return text if safe else terminal(json.dumps(text, ensure_ascii=False))
