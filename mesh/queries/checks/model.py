"""The types of a check: its row in the catalog, its findings and its results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

from mesh.model import Key

if TYPE_CHECKING:
    from mesh.queries.checks.facts import ClusterFacts, MeshFacts

PAGES = "docs/checks"
"""The folder with one page per check."""


class Severity(Enum):
    """How bad a finding is, worst first; only errors stop an apply."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Phase(Enum):
    """When a check runs: before an apply, between two clusters of it, after it."""

    PRE = "pre"
    MID = "mid"
    POST = "post"


class CheckStatus(Enum):
    """The outcome of a check in a cluster. Skipped means undecided, and never counts as passed."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_APPLICABLE = "not applicable"


class Skip(Exception):  # noqa: N818  # an outcome of a check, not an error
    """The check cannot be decided now: something could not be read, or does not answer."""


class NotFound(Skip):
    """The object of the check does not exist: it was read, and is known to be missing."""


class NotApplicable(Exception):  # noqa: N818  # an outcome of a check, not an error
    """Nothing in the cluster is subject to the check."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem: as a message, and as data.

    `about` is the resource with the problem; the finding does not count while a plan changes it.
    `severity` and `fix` default to those of the check. `{context}`, `{namespace}` and `{cluster}` in
    a fix are replaced by the cluster's.
    """

    says: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    about: Key | None = None
    severity: Severity | None = None
    fix: str = ""


Findings = Iterable[Finding]
Look = Callable[["MeshFacts", "ClusterFacts"], Findings]
Need = Literal["", "plan", "istioctl", "analysis", "dry runs"]
Compare = Callable[["MeshFacts"], Findings]


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the catalog. `look` runs for each cluster, `compare` once for the whole mesh.

    `title` is true when the check passes. `fix` is the command that fixes or shows its usual finding.
    `only` limits it to one distribution, `installed` to clusters with an istiod. `needs` is what must be
    read for it beside the clusters; with `on_request` that takes long and is read only if the check is named
    by `--only`. `offline` checks also run in a cluster that does not answer. `waived_by` is the option of
    plan and apply that skips it. `covers` names the other tools that have such a check.
    """

    id: str
    phases: frozenset[Phase]
    severity: Severity
    title: str
    fix: str
    look: Look | None = None
    compare: Compare | None = None
    only: Literal["", "solo", "upstream"] = ""
    installed: bool = False
    needs: Need = ""
    on_request: bool = False
    offline: bool = False
    waived_by: str = ""
    covers: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        """The path of its document, from the root of the repository."""
        return f"{PAGES}/{self.id}.md"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one check in one cluster ("-": in the whole mesh).

    `why` is the reason if it was skipped or not applicable.
    """

    check: Check
    cluster: str
    state: CheckStatus
    why: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def severity(self) -> Severity | None:
        """The worst severity of its findings, or None."""
        worst = [each.severity or self.check.severity for each in self.findings]
        return next((level for level in Severity if level in worst), None)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All results, in the order of the catalog, then of the clusters."""

    mesh: str
    results: tuple[CheckResult, ...]

    def failed(self, severity: Severity) -> tuple[CheckResult, ...]:
        """The results whose worst finding has this severity."""
        return tuple(each for each in self.results if each.severity is severity)

    def count(self, state: CheckStatus) -> int:
        """The number of results in a state."""
        return sum(each.state is state for each in self.results)
