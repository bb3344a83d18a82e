"""The nouns of a check: when it runs, how bad what it finds is, and what came of it."""

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
    """How bad a finding is; apply refuses on errors only."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Phase(Enum):
    """When a check is worth asking: before a run, between two clusters of it, after it."""

    PRE = "pre"
    MID = "mid"
    POST = "post"


class CheckStatus(Enum):
    """What came of a check in a cluster. Skipped is neither good nor bad: it could not be decided."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_APPLICABLE = "not applicable"


class Skip(Exception):  # noqa: N818  # an answer of a check, not an error
    """It cannot be decided now: something could not be read, or nothing answers."""


class NotFound(Skip):
    """What it would look at is not there; read, and known not to be."""


class NotApplicable(Exception):  # noqa: N818  # an answer of a check, not an error
    """There is nothing here that it is about."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: in words, and as data.

    `about` is the resource that is wrong: a finding is moot while a plan is about to change it.
    `severity` and `fix` are those of the check unless they are given; `{context}`, `{namespace}`
    and `{cluster}` in a fix are filled in by the cluster's.
    """

    says: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    about: Key | None = None
    severity: Severity | None = None
    fix: str = ""


Findings = Iterable[Finding]
Look = Callable[["MeshFacts", "ClusterFacts"], Findings]
Compare = Callable[["MeshFacts"], Findings]


@dataclass(frozen=True, slots=True)
class Check:
    """One check as data. `look` is asked for each cluster, or `compare` once for the whole mesh.

    `title` is what holds when it passes. `fix` is the command that mends what it usually finds.
    `only` names the distribution it is about. `installed` says that it means nothing in a cluster
    where no mesh was installed, `planned` that it needs a plan. `covers` names other tools that ask it.
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
    planned: bool = False
    covers: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        """The document about it, from the root of the repository."""
        return f"{PAGES}/{self.id}.md"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of one check in one cluster ("-": in the whole mesh).

    `why` says why it was skipped, or is about nothing here.
    """

    check: Check
    cluster: str
    state: CheckStatus
    why: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def severity(self) -> Severity | None:
        """The worst of its findings, None if it has none."""
        worst = [each.severity or self.check.severity for each in self.findings]
        return next((level for level in Severity if level in worst), None)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All results, in the order of the table and then of the clusters."""

    mesh: str
    results: tuple[CheckResult, ...]

    def failed(self, severity: Severity) -> tuple[CheckResult, ...]:
        """The results whose worst finding is of that severity."""
        return tuple(each for each in self.results if each.severity is severity)

    def count(self, state: CheckStatus) -> int:
        """How many results are in a state."""
        return sum(each.state is state for each in self.results)
