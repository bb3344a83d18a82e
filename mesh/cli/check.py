"""`mesh check`: is the mesh healthy, and may it be changed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from mesh.cli.options import skip_option
from mesh.cli.session import document_options, open_session
from mesh.cli.terminal import look
from mesh.engine.session import Planned, Session
from mesh.errors import MeshError
from mesh.model import Unread
from mesh.queries.checks.model import Phase, Severity

FORMATS = ("text", "json", "junit", "sarif")


@click.command("check")
@document_options
@click.option(
    "--phase",
    type=click.Choice([*(each.value for each in Phase), "all"]),
    default="all",
    show_default=True,
    help="Only those that belong before a run, between two clusters, or after it.",
)
@click.option("--only", multiple=True, metavar="ID", help="Only this check.")
@skip_option
@click.option("--format", "how", type=click.Choice(FORMATS), default="text", help="How to print it.")
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 on warnings.")
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
    """Check the mesh in every cluster; write nothing.

    Each check has a page in docs/checks. What cannot be decided is skipped and counted as such, never
    as passed. Exits with 5 if there are errors, with 0 otherwise.
    """
    from mesh.queries.check import check

    here = open_session(path, contexts, licence=False)
    wanted = None if phase == "all" else Phase(phase)
    scene, report = check(here, lambda: _planned(here), phase=wanted, only=only, skipped=skipped)
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
    return 2 if detailed_exitcode and report.failed(Severity.WARNING) else 0


def _planned(here: Session) -> Planned | Unread:
    """The plan, where the licence is at hand: the other checks need none."""
    from dataclasses import replace

    from mesh.providers.secret import resolve_licence
    from mesh.queries.check import try_plan

    try:
        licence = resolve_licence(here.mesh.licence, here.world.env, here.world.folder)
    except MeshError as error:
        return Unread(f"there is no plan: {error.message}")
    return try_plan(replace(here, licence=licence))
