"""The text of `mesh init`: a commented mesh file for the contexts of a kubeconfig."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mesh.config.source.scalars import HIDDEN, ambiguity, plain

# What tools put around the name of a cluster when they name its context.
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
# in every cluster, `mesh apply` makes it so, `mesh destroy` takes down what it made.
apiVersion: mesh/v1
kind: Mesh
metadata:
  name: {name}
spec:
  istio:
    distribution: solo
    version: {version}    # charts and images follow from it
    license:
      env: GLOO_MESH_LICENSE_KEY    # or file: …, or secretRef: {{name: …, namespace: …}}
    # charts: {{source: oci://registry.example/istio-helm}}   # a mirror, a repository or a folder
    # images: {{hub: registry.example/istio}}

  rootOfTrust:
    ca:
      generate: {{}}    # once, into ~/.config/mesh/{name}/root.key; or files, command, existing
    intermediate:
      validity: 365d
      renewBefore: 90d

  # What every cluster gets unless it says otherwise.
  defaults:
{kubeconfig}    eastwest:
      service: LoadBalancer    # or NodePort
    # values: {{istiod: {{autoscaleMin: 2}}}}
    # valuesFiles: {{ztunnel: [values/ztunnel.yaml]}}

  # name is the address in plans and links. clusterName and network default to it, trustDomain to
  # <name>.local; these are final once applied.
  clusters:
{clusters}
  # Or a list of them, such as [{{between: [a, b]}}, {{from: a, to: c}}]
  links: full-mesh
"""


@dataclass(frozen=True, slots=True)
class StarterCluster:
    """One cluster of the starter."""

    name: str
    context: str


def entries(contexts: Iterable[str]) -> tuple[StarterCluster, ...]:
    """Give each context a cluster name: a DNS label without what its tool put around it, each once."""
    found: dict[str, StarterCluster] = {}
    for context in dict.fromkeys(contexts):
        if not context or HIDDEN.search(context) or re.search(r"[\s$]|\{\{", context):
            continue  # could not be written in the file
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
    """Return the DNS label nearest to a text; "" if nothing of it is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:63].strip("-")


def starter(
    name: str,
    clusters: Sequence[StarterCluster],
    *,
    schema: str = "desired-state.schema.json",
    version: str = "1.30.2-solo",
    kubeconfig: str = "",
) -> str:
    """Return the text of a mesh file that is valid as it is."""
    lines = [f"    - name: {word(one.name)}\n      context: {word(one.context)}\n" for one in clusters]
    return TEXT.format(
        schema=schema,
        name=word(name),
        version=version,
        kubeconfig=f"    kubeconfig: {word(kubeconfig)}\n" if kubeconfig else "",
        clusters="".join(lines),
    )


def word(text: str) -> str:
    """Write text as a YAML scalar that reads back as the same text."""
    safe = _PLAIN.fullmatch(text) and not ambiguity(text) and plain(text) == text
    return text if safe else json.dumps(text, ensure_ascii=False)
