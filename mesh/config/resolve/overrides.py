"""What the command line and the environment say otherwise than the file.

| where | what |
|---|---|
| `--context NAME=CTX`, `MESH_CONTEXT_<NAME>` | the kubeconfig context of one cluster |
| `MESH_CHART_SOURCE` | where all charts come from (air gaps, labs) |
| `MESH_GATEWAY_API_SOURCE` | where the Gateway API CRDs come from (air gaps, labs) |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mesh.errors import UsageError

CONTEXT = "MESH_CONTEXT_"
CHARTS = "MESH_CHART_SOURCE"
GATEWAY_API = "MESH_GATEWAY_API_SOURCE"


@dataclass(frozen=True, slots=True)
class Overrides:
    """Values that win over the file's; "" and absent ones leave the file as it is."""

    contexts: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    charts: str = ""
    gateway_api: str = ""
    stop: tuple[str, ...] = ()
    """The version to stop at on the way to the file's, if it is another."""

    @classmethod
    def read(
        cls, environ: Mapping[str, str], contexts: Iterable[str] = (), stop: tuple[str, ...] = ()
    ) -> Overrides:
        """Take them from an environment and from `NAME=CTX` options; paths start from here."""
        return cls(
            contexts=dict(map(_pair, contexts)),
            variables={key: value for key, value in environ.items() if key.startswith(CONTEXT) and value},
            charts=_absolute(environ.get(CHARTS, "")),
            gateway_api=_absolute(environ.get(GATEWAY_API, "")),
            stop=stop,
        )

    def context(self, cluster: str) -> str:
        """Return the context that a cluster is to have instead, or ""."""
        variable = CONTEXT + cluster.upper().replace("-", "_")
        return self.contexts.get(cluster) or self.variables.get(variable, "")


def _pair(text: str) -> tuple[str, str]:
    name, sign, context = text.partition("=")
    if not (name and sign and context):
        raise UsageError(f"--context {text} has no cluster and context", hint="write --context NAME=CONTEXT")
    return name, context


def _absolute(source: str) -> str:
    return source if "://" in source or not source else str(Path(source).absolute())
