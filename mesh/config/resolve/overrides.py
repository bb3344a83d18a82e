"""Command-line and environment overrides of the mesh file.

| source | overrides |
|---|---|
| `--context NAME=CTX`, `MESH_CONTEXT_<NAME>` | the kubeconfig context of one cluster |
| `MESH_CHART_SOURCE` | the source of all charts (air-gapped sites, labs) |
| `MESH_GATEWAY_API_SOURCE` | the source of the Gateway API CRDs (air-gapped sites, labs) |
| `MESH_SETTLE_SECONDS` | how long the checks must keep passing after the last step (labs) |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mesh.config.source.problems import Bound
from mesh.errors import UsageError
from mesh.istio.versions import OFFICIAL_CHARTS
from mesh.world.kube.kubeconfig import paths
from mesh.world.plain_http import allowed_hosts
from mesh.world.untrusted import is_untrusted, listed_sources

CONTEXT = "MESH_CONTEXT_"
CHARTS = "MESH_CHART_SOURCE"
GATEWAY_API = "MESH_GATEWAY_API_SOURCE"
SETTLE = "MESH_SETTLE_SECONDS"


@dataclass(frozen=True, slots=True)
class Overrides:
    """Values that replace those of the file; "" and absent values replace nothing."""

    contexts: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    charts: str = ""
    gateway_api: str = ""
    settle: int | None = None
    stop: tuple[str, ...] = ()
    """An intermediate version to install instead of the file's; () for none."""
    http: frozenset[str] = frozenset()
    """Hosts that may be reached without TLS."""
    bound: Bound | None = None
    """What an untrusted mesh file may use; None for one that is trusted."""

    @classmethod
    def read(
        cls, environ: Mapping[str, str], contexts: Iterable[str] = (), stop: tuple[str, ...] = ()
    ) -> Overrides:
        """Read overrides from the environment and `NAME=CTX` options; paths start from the working folder."""
        return cls(
            contexts=dict(map(_pair, contexts)),
            variables={key: value for key, value in environ.items() if key.startswith(CONTEXT) and value},
            charts=_absolute(environ.get(CHARTS, "")),
            gateway_api=_absolute(environ.get(GATEWAY_API, "")),
            settle=_seconds(environ.get(SETTLE, "")),
            stop=stop,
            http=allowed_hosts(environ),
            bound=_bound(environ) if is_untrusted(environ) else None,
        )

    def context(self, cluster: str) -> str:
        """Return the context that replaces the file's for a cluster, or ""."""
        variable = CONTEXT + cluster.upper().replace("-", "_")
        return self.contexts.get(cluster) or self.variables.get(variable, "")


def _bound(environ: Mapping[str, str]) -> Bound:
    return Bound(listed_sources(environ) or OFFICIAL_CHARTS, paths("", environ))


def _pair(text: str) -> tuple[str, str]:
    name, sign, context = text.partition("=")
    if not (name and sign and context):
        raise UsageError(f"--context {text} is not a valid override", hint="write --context NAME=CONTEXT")
    return name, context


def _seconds(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len("3600")):
        raise UsageError(f"{SETTLE} is {text!r}, not a number of seconds", hint=f"for example {SETTLE}=30")
    return int(text)


def _absolute(source: str) -> str:
    return source if "://" in source or not source else str(Path(source).absolute())
