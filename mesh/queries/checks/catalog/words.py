"""Values that the rows of the catalog share."""

from __future__ import annotations

from mesh.queries.checks.model import Phase, Severity

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
PRE = frozenset({Phase.PRE})
POST = frozenset({Phase.POST})
MID = frozenset({Phase.MID, Phase.POST})
BOTH = frozenset({Phase.PRE, Phase.POST})

KUBECTL = "kubectl --context {context}"
APPLY = "mesh apply"
MULTICLUSTER = "istioctl multicluster check"
PRECHECK = "istioctl x precheck"
LINKERD = "linkerd check"
