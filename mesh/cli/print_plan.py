"""Print a plan in the format that the user chose."""

from __future__ import annotations

import os
import sys

import click

from mesh.cli.terminal import look
from mesh.cli.views.detail import Detail
from mesh.model import Plan
from mesh.world import hidden

FORMATS = ("text", "json", "markdown", "html")

FULL = "MESH_FULL"
"""The environment variable that stands for `--full`."""

full_option = click.option(
    "--full", is_flag=True, envvar=FULL, help="Print each step of each cluster with all of its values."
)


def printed(plan: Plan, how: str, detail: Detail = Detail.FOLDED) -> str:
    """Return a plan as text in one of the formats, without a secret in any text that it quotes."""
    # Before it is written: the references and breaks of Markdown would hide a secret from a later search.
    plan = hidden.cleaned(plan)
    if how == "json":
        from mesh.cli.views.plan_json import json_text, plan_json

        return json_text(plan_json(plan))
    if how == "markdown":
        from mesh.cli.views.plan_markdown import plan_markdown

        return plan_markdown(plan)
    if how == "html":
        from mesh.cli.views.plan_html import plan_html

        return plan_html(plan)
    from mesh.cli.views.plan_text import plan_text

    screen = look(os.environ, sys.stdin, sys.stdout, sys.stderr)
    return plan_text(plan, colour=screen.out_colour, width=screen.width, detail=detail)
