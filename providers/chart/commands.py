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


def release_commands(cluster: Cluster, resource: Resource[ChartSpec]) -> Commands:
    """Return the commands that install or upgrade a release, and the secrets that they need."""
    return Commands("".join(_commands(cluster, resource)), inputs=tuple(_inputs(resource)))


def _commands(cluster: Cluster, resource: Resource[ChartSpec]) -> Iterator[str]:
    spec = resource.spec
    job, options = spec.job, _options(cluster, "kube-context")
    values, secrets = split(spec)
    if spec.missing:
        yield _platform_command(spec, options, values)
        return
    name: str = job.release
    if resource.adopt:
        yield _release_of(spec.component, (*options, f"--namespace={job.namespace}"))
        name = Raw(f'"${{release:-{command(job.release)}}}"')
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


def _release_of(chart: str, options: tuple[str, ...]) -> str:
    """Return the line that looks for an installed release of a chart, which can have any name."""
    # The columns of `helm list` end with the chart and its app version.
    wanted = f"$(NF-1) ~ /^{chart}-[0-9]/ {{print $1}}"
    return f"release=$({command('helm', 'list', *options)} | {command('awk', wanted)})\n"


def _platform_command(spec: ChartSpec, options: tuple[str, ...], values: dict[str, Any]) -> str:
    """Yield the upgrade of a management plane release; it keeps the values. No version means the newest."""
    job = spec.job
    repo = job.repo or ("" if job.ref else REPOSITORY)
    words = ["helm", "upgrade", job.release, job.ref or spec.component, *options]
    words += [f"--namespace={job.namespace}", *([f"--repo={repo}"] if repo else [])]
    words += [f"--version={job.version}"] if job.version else []
    return heredoc(command(*words, "--reuse-values", "--values=-"), write(values))


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
