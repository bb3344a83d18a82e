"""One release as `helm upgrade --install`: values on stdin, secrets from the environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mesh.istio.management_plane import REPOSITORY
from mesh.model import Key, Path, Resource, Sensitive
from mesh.model.diff import dotted
from mesh.model.mask import mask, reveal, secrets_in
from mesh.model.refs import Ref
from mesh.model.spec import Cluster
from mesh.providers.chart.spec import ChartSpec
from mesh.sdk.script import Commands, Input
from mesh.sdk.shell import Raw, command, heredoc, variable
from mesh.world.yaml_documents import write

WORKLOADS: Mapping[str, str] = {
    "istiod": "deployment/istiod",
    "cni": "daemonset/istio-cni-node",
    "ztunnel": "daemonset/ztunnel",
}
"""The workloads of each chart, by the names in the charts."""


INSTALLED = r"""# Print the name of the installed release of a chart, or NAME if there is none:
#   installed CHART NAMESPACE NAME HELM-OPTION...
installed() {
  local chart=$1 namespace=$2 name=$3 list space release manifest found=()
  shift 3
  list=$(helm list "$@" --all-namespaces --deployed --failed --pending --max=0)
  while read -r space release; do
    [[ -n $release ]] || continue
    manifest=$(helm get manifest "$release" --namespace="$space" "$@")
    case $chart in
      # Other projects have charts of these names, too.
      base | cni) grep -Eq 'name"?: *.?[A-Za-z0-9_.-]*(istio|ztunnel)' <<<"$manifest" || continue ;;
    esac
    found+=("$space/$release")
  done <<<"$(awk -v chart="$chart" '$(NF-1) ~ "^" chart "-[0-9]" {print $2, $1}' <<<"$list")"
  if [[ ${#found[@]} -eq 0 ]]; then
    printf '%s\n' "$name"
  elif [[ ${#found[@]} -gt 1 || ${found[0]} != "$namespace/"* ]]; then
    printf 'chart %s is installed as %s; expected: one in %s\n' "$chart" "${found[*]}" "$namespace" >&2
    return 1
  else
    printf '%s\n' "${found[0]#*/}"
  fi
}
case $(helm upgrade --help) in
  *--reset-then-reuse-values*) ;;
  *) echo "helm 3.14 or newer is needed, to keep the values of installed releases" >&2 && exit 1 ;;
esac
"""


def release_commands(cluster: Cluster, resource: Resource[ChartSpec]) -> Commands:
    """Return the commands that install or upgrade a release, and the secrets that they need."""
    once = (INSTALLED,) if resource.adopt or resource.spec.missing else ()
    return Commands("".join(_commands(cluster, resource)), once=once, inputs=tuple(_inputs(resource)))


def _commands(cluster: Cluster, resource: Resource[ChartSpec]) -> Iterator[str]:
    spec = resource.spec
    job, options = spec.job, _options(cluster, "kube-context")
    values, secrets = split(spec)
    if spec.missing:
        yield _installed(spec, options) + _platform_command(spec, options, values)
        return
    name: str = job.release
    if resource.adopt:
        yield _installed(spec, options)
        name = FOUND
    words = ["helm", "upgrade", "--install", name, job.ref, *options, f"--namespace={job.namespace}"]
    words += [f"--repo={job.repo}"] if job.repo else []
    words += [f"--version={job.version}"] if job.version else []
    # What is adopted keeps the values of its users, on top of the defaults of the new chart.
    words += ["--reset-then-reuse-values"] if resource.adopt else []
    words += ["--values=-", *(_given(resource.key, path, value) for path, value in secrets.items())]
    yield heredoc(command(*words), write(values))
    if spec.component in WORKLOADS:
        kubectl = ("kubectl", *_options(cluster, "context"), f"--namespace={job.namespace}")
        yield command(*kubectl, "rollout", "status", WORKLOADS[spec.component], "--timeout=300s") + "\n"


FOUND = Raw('"$release"')


def _installed(spec: ChartSpec, options: tuple[str, ...]) -> str:
    """Return the line that looks for the installed release of a chart."""
    job = spec.job
    return f"release=$({command('installed', spec.component, job.namespace, job.release, *options)})\n"


def _platform_command(spec: ChartSpec, options: tuple[str, ...], values: dict[str, Any]) -> str:
    """Yield the upgrade of a management plane release; it keeps the values. No version means the newest."""
    job = spec.job
    repo = job.repo or ("" if job.ref else REPOSITORY)
    words = ["helm", "upgrade", FOUND, job.ref or spec.component, *options]
    words += [f"--namespace={job.namespace}", *([f"--repo={repo}"] if repo else [])]
    words += [f"--version={job.version}"] if job.version else []
    return heredoc(command(*words, "--reset-then-reuse-values", "--values=-"), write(values))


def _options(cluster: Cluster, context: str) -> tuple[str, ...]:
    named = (f"--kubeconfig={cluster.kubeconfig}",) if cluster.kubeconfig else ()
    return (f"--{context}={cluster.context}", *named)


def split(spec: ChartSpec) -> tuple[dict[str, Any], dict[Path, Sensitive]]:
    """Split the values into printed ones and secrets; values that only `mesh` can set are removed."""
    secrets: dict[Path, Sensitive] = {}

    def kept(values: Mapping[str, Any], at: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in values.items():
            path = (*at, name)
            if isinstance(value, Sensitive) or (isinstance(value, list) and secrets_in(value)):
                secrets[path] = Sensitive(reveal(value))  # helm sets a list as a whole
            elif isinstance(value, Mapping) and value:
                if inner := kept(value, path):
                    found[name] = inner
            elif not isinstance(value, Ref):
                found[name] = value
        return found

    return kept(mask(spec.job.values, spec.sensitive), ()), secrets


def _inputs(resource: Resource[ChartSpec]) -> Iterator[Input]:
    """Yield the variable of each secret value, with a description."""
    for path, value in split(resource.spec)[1].items():
        form = "" if isinstance(value.reveal(), str) else ", as JSON"
        remark = f"{resource.key}: the value {dotted(path)}{form}"
        yield Input(_variable(resource.key, path), "set it to that value", remark)


def _variable(key: Key, path: Path) -> str:
    return variable("MESH_VALUE", key.cluster, key.name, *path).upper()


def _given(key: Key, path: Path, value: Sensitive) -> str:
    """Pass a secret by file descriptor, not as an argument; text is passed literally, other data as JSON."""
    where = command(".".join(re.sub(r"([\\.,=\[\]])", r"\\\1", part) for part in path))
    name = _variable(key, path)
    if isinstance(value.reveal(), str):
        return Raw(f'--set-file={where}=<(printf %s "${{{name}}}")')
    return Raw(f'--set-json={where}="${{{name}}}"')
