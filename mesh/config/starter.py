"""The starter file that `mesh init` writes: a commented mesh file for the contexts of a kubeconfig."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mesh.config.source.scalars import HIDDEN, ambiguity, plain
from mesh.model.printable import terminal

# How tools build the name of a context from the name of the cluster, its place, and the account it is in.
_AROUND = (
    re.compile(r"arn:[^:]*:eks:(?P<place>[^:]*):(?P<owner>[^:]*):cluster/(?P<name>.+)"),
    re.compile(r"gke_(?P<owner>[^_]+)_(?P<place>[^_]+)_(?P<name>.+)"),
    re.compile(r"(?P<owner>.*)@(?P<name>[^.@]+)\.(?P<place>[^@]*)\.eksctl\.io"),
    re.compile(r"(?P<owner>[^@/]*)@(?P<name>.+)"),
    re.compile(r"(?P<owner>kind|k3d|minikube|vcluster|teleport)[-_](?P<name>.+)"),
)
_PLAIN = re.compile(r"[A-Za-z0-9_/.][A-Za-z0-9_/.@+-]*")
_RESERVED = "kubernetes"
LONGEST = 63
"""Characters of a DNS label."""

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
    """Return one cluster per context that a mesh file can name, with a unique DNS label as its name.

    The name holds the region of a cloud's cluster. It does not depend on the order of the contexts: names are
    final after the first apply.
    """
    able = [context for context in dict.fromkeys(contexts) if is_nameable(context)]
    short, long = ({context: form(context) for context in able} for form in (_short, _long))
    found = []
    for context in able:
        clash = list(short.values()).count(short[context]) > 1 or short[context] == _RESERVED
        name = long[context] if clash else short[context]
        rival = any(other != context and name in {short[other], long[other]} for other in able)
        found.append(StarterCluster(_hashed(name, context) if clash and rival else name, context))
    return tuple(found)


def is_nameable(context: str) -> bool:
    """Whether a mesh file accepts the name of a context."""
    return bool(context) and not HIDDEN.search(context) and not re.search(r"[\s$]|\{\{", context)


def _short(context: str) -> str:
    return _fitted(context, ("name", "place"))


def _long(context: str) -> str:
    name = _fitted(context, ("name", "place", "owner"))
    return _hashed(name, context) if name in {_RESERVED, "cluster"} else name


def _fitted(context: str, parts: tuple[str, ...]) -> str:
    """Return the label made of these parts of a context; a cut one stays unique by a digest."""
    found = next((match.groupdict() for each in _AROUND if (match := each.fullmatch(context))), {})
    text = "-".join(filter(None, (found.get(part) for part in parts))) or context
    whole = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return (
        whole if 0 < len(whole) <= LONGEST else _hashed(whole or "cluster", context) if whole else "cluster"
    )


def _hashed(name: str, context: str) -> str:
    digest = hashlib.sha256(context.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{name[: LONGEST - 7].strip('-')}-{digest}"


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
