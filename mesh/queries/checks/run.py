"""Apply the checks to the facts; pure. An exception in one check does not hide another."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from difflib import get_close_matches

from mesh.errors import RefusedError, UsageError
from mesh.istio.addresses import chart_key
from mesh.model import NO_CLUSTER, Action, Key, Plan
from mesh.model.printable import quoted
from mesh.queries.checks.catalog import BY_ID, CHECKS
from mesh.queries.checks.facts import ClusterFacts, MeshFacts, installed
from mesh.queries.checks.model import (
    Check,
    CheckReport,
    CheckResult,
    CheckStatus,
    Compare,
    Finding,
    Findings,
    Need,
    NotApplicable,
    Phase,
    Severity,
    Skip,
)
from mesh.world.guarded import not_understood

LOOKS = re.compile(
    r"kubectl( --context \S+)?( -n \S+)? (get|describe|logs|config get-contexts)\b"
    r"|mesh (status|plan|validate|state show)\b|istioctl (version|analyze)\b|chronyc\b"
)
"""Commands that only read; how to fix what they show is on the page of the check."""


def chosen(phase: Phase | None, only: Collection[str], skipped: Collection[str]) -> tuple[Check, ...]:
    """Return the selected checks; raise UsageError for an unknown id."""
    for name in sorted({*only, *skipped} - BY_ID.keys()):
        close = get_close_matches(name.upper(), BY_ID, n=1)
        raise UsageError(
            f"unknown check {name!r}",
            hint=f"did you mean {close[0]}?" if close else "docs/checks/README.md lists them",
        )
    return tuple(
        check
        for check in CHECKS
        if (phase is None or phase in check.phases)
        and (not only or check.id in only)
        and check.id not in skipped
    )


def on_request(need: Need) -> str:
    """Return the id of the check that reads something only if it is named."""
    return next(check.id for check in CHECKS if check.on_request and check.needs == need)


def waived(option: str) -> tuple[str, ...]:
    """Return the ids of the checks that an option of plan and apply skips."""
    return tuple(check.id for check in CHECKS if check.waived_by == option)


def run(scene: MeshFacts, checks: Iterable[Check]) -> CheckReport:
    """Run every check in every cluster, or once for the whole mesh."""
    results: list[CheckResult] = []
    for check in checks:
        if check.compare is not None:
            results.append(_of_mesh(check, check.compare, scene))
        else:
            results += [_in_cluster(check, scene, facts) for facts in scene.clusters.values()]
    return CheckReport(scene.mesh.name, tuple(results))


def _of_mesh(check: Check, compare: Compare, scene: MeshFacts) -> CheckResult:
    """The result of a comparison; it passes only if every cluster could be read."""
    mine = replace(scene, missed=[])
    result = _asked(check, NO_CLUSTER, mine, lambda: compare(mine))
    if mine.missed and result.state in {CheckStatus.PASSED, CheckStatus.NOT_APPLICABLE}:
        return replace(result, state=CheckStatus.SKIPPED, why="; ".join(mine.missed))
    return result


def _in_cluster(check: Check, scene: MeshFacts, facts: ClusterFacts) -> CheckResult:
    look = check.look
    assert look is not None, "a check looks or compares"
    is_about = check.only in {"", scene.mesh.distribution}
    if is_about and facts.unreachable and not check.offline:
        return CheckResult(check, facts.name, CheckStatus.SKIPPED, "the cluster does not answer")

    def ask() -> Findings:
        if check.installed and not _is_installed(scene, facts):
            raise NotApplicable("no istiod is installed yet")
        yield from look(scene, facts)

    return _asked(check, facts.name, scene, ask)


def _is_installed(scene: MeshFacts, facts: ClusterFacts) -> bool:
    """Whether the cluster has an istiod, or the state records one."""
    return chart_key(facts.name, "istiod") in scene.state.entries or installed(facts)


def _asked(check: Check, cluster: str, scene: MeshFacts, ask: Callable[[], Findings]) -> CheckResult:
    if check.only and check.only != scene.mesh.distribution:
        return CheckResult(check, cluster, CheckStatus.NOT_APPLICABLE, f"applies to {check.only} only")
    found: list[Finding] = []
    state, why = CheckStatus.PASSED, ""
    try:
        found.extend(ask())
    except Skip as said:
        state, why = CheckStatus.SKIPPED, str(said)
    except NotApplicable as said:
        state, why = CheckStatus.NOT_APPLICABLE, str(said)
    except Exception as error:  # noqa: BLE001  # neither odd data nor a bug may hide other checks
        what = f"cluster {cluster}: what the check looks at" if cluster else "what the check compares"
        state, why = CheckStatus.SKIPPED, not_understood(what, error)
    if found:  # findings before the exception stay: a later gap cannot make them untrue
        state = CheckStatus.FAILED
    return CheckResult(check, cluster, state, why, tuple(found))


def word_for(fix: str) -> str:
    """Return `look` for a command that only shows the problem, else `fix`."""
    return "look" if LOOKS.match(fix) else "fix"


def fix_of(scene: MeshFacts, result: CheckResult, finding: Finding) -> str:
    """Return the command that fixes or shows a finding, with the cluster's own names."""
    text = finding.fix or result.check.fix
    facts = scene.clusters.get(result.cluster)
    if facts is None:
        return text.replace("--context {context} ", "").replace("{namespace}", "istio-system")
    names = {"context": facts.cluster.context, "namespace": facts.namespace, "cluster": facts.name}
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", quoted(value))
    return text


def before_apply(scene: MeshFacts, skipped: Collection[str]) -> CheckReport:
    """Run the pre-flight checks; leave out what the plan fixes, and clusters in which it writes nothing."""
    report = run(scene, chosen(Phase.PRE, (), skipped))
    plan = scene.plan
    assert isinstance(plan, Plan), "an apply has a plan"
    touched = {step.key.cluster for step in plan.steps if step.action is not Action.READ}
    moot = {step.key for step in plan.steps if step.action is not Action.READ}
    return replace(report, results=tuple(_less(each, touched, moot) for each in report.results))


def _less(result: CheckResult, touched: set[str], moot: set[Key]) -> CheckResult:
    if result.cluster not in {NO_CLUSTER, *touched}:
        return replace(
            result, state=CheckStatus.NOT_APPLICABLE, why="the plan writes nothing there", findings=()
        )
    left = tuple(each for each in result.findings if each.about not in moot)
    if result.findings and not left:
        return replace(result, state=CheckStatus.NOT_APPLICABLE, why="the plan fixes it", findings=())
    return replace(result, findings=left)


def refuse(report: CheckReport) -> None:
    """Raise RefusedError with every error found; the hint names the checks, so that they can be skipped."""
    failed = report.failed(Severity.ERROR)
    if not failed:
        return
    lines = [
        f"{each.check.id} {_where(each)}{finding.says}"
        for each in failed
        for finding in each.findings
        if (finding.severity or each.check.severity) is Severity.ERROR
    ]
    ids = " ".join(f"--skip-check {each}" for each in dict.fromkeys(each.check.id for each in failed))
    raise RefusedError(
        "pre-flight checks failed, nothing was written:\n" + "\n".join(f"  {line}" for line in lines),
        hint=f"fix them (`mesh check --phase pre` shows how), or continue with {ids}",
    )


def _where(result: CheckResult) -> str:
    return "" if result.cluster == NO_CLUSTER else f"{result.cluster}: "
