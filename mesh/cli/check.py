"""`mesh check`: check the health of the mesh, and whether it can be changed safely."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from mesh.cli.options import skip_option
from mesh.cli.session import document_options, open_session
from mesh.cli.terminal import look
from mesh.cli.unread import refuse_unread
from mesh.engine.session import Planned, Session
from mesh.errors import MeshError
from mesh.model import Unread
from mesh.queries.checks.model import Phase, Severity
from mesh.world import hidden

FORMATS = ("text", "json", "junit", "sarif")


@click.command("check")
@document_options
@click.option(
    "--phase",
    type=click.Choice([*(each.value for each in Phase), "all"]),
    default="all",
    show_default=True,
    help="Run only the checks of one phase: before a run, between two clusters, or after a run.",
)
@click.option("--only", multiple=True, metavar="ID", help="Run only this check. Repeatable.")
@skip_option
@click.option("--format", "how", type=click.Choice(FORMATS), default="text", help="Output format.")
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 on warnings.")
def check_command(
    *,
    path: Path,
    contexts: tuple[str, ...],
    phase: str,
    only: tuple[str, ...],
    skipped: tuple[str, ...],
    how: str,
    as_json: bool,
    detailed_exitcode: bool,
) -> int:
    """Check the mesh in every cluster. Changes nothing.

    Each check has a page in docs/checks. A check that cannot be decided counts as skipped, never as
    passed. The exit code is 5 if a check finds errors, 6 if a cluster could not be read, otherwise 0.
    """
    from mesh.queries.check import check

    here = open_session(path, contexts)
    wanted = None if phase == "all" else Phase(phase)
    scene, found = check(here, lambda: _planned(here), phase=wanted, only=only, skipped=skipped)
    report = hidden.cleaned(found)
    if as_json or how == "json":
        from mesh.cli.views.checks import report_json
        from mesh.cli.views.plan_json import json_text

        text = json_text(report_json(scene, report))
    elif how == "junit":
        from mesh.cli.views.junit import report_junit

        text = report_junit(scene, report)
    elif how == "sarif":
        from mesh.cli.views.plan_json import json_text
        from mesh.cli.views.sarif import report_sarif

        text = json_text(report_sarif(scene, report))
    else:
        from mesh.cli.views.checks import report_text

        screen = look(os.environ, sys.stdin, sys.stdout, sys.stderr)
        text = report_text(scene, report, colour=screen.out_colour)
    click.echo(text, nl=False)
    if report.failed(Severity.ERROR):
        return 5
    if unread := scene.unread:
        refuse_unread(unread)
    return 2 if detailed_exitcode and report.failed(Severity.WARNING) else 0


def _planned(here: Session) -> Planned | Unread:
    """Return the plan, or why there is none: only some checks need it, and it needs the licence."""
    from mesh.queries.check import try_plan

    try:
        return try_plan(here.with_licence())
    except MeshError as error:
        return Unread(f"there is no plan: {error.message}")
