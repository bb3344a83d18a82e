"""`mesh plan`: show what apply would change."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import click

from mesh.cli.desk import desk, document_options
from mesh.cli.terminal import look
from mesh.desk import Desk
from mesh.errors import RefusedError
from mesh.holder import refuse_held
from mesh.model import Key, Plan

FORMATS = ("text", "json", "markdown")


def keys(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> frozenset[Key]:
    """Read addresses given on the command line."""
    try:
        return frozenset(Key.parse(each) for each in value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


skip_option = click.option(
    "--skip-check",
    "skipped",
    multiple=True,
    metavar="ID",
    help="Leave out this check, such as P07.",
)

take_option = click.option(
    "--take",
    "taken",
    multiple=True,
    metavar="ADDRESS",
    callback=keys,
    help="Take over this object although somebody else made it.",
)

leave_option = click.option(
    "--leave",
    "left",
    multiple=True,
    metavar="ADDRESS",
    callback=keys,
    help="Leave this object as it is, to whoever made it.",
)

downgrade_option = click.option(
    "--allow-downgrade", "downgrade", is_flag=True, help="Go back to an older version of Istio."
)

OLDER = "P15"
"""The check that refuses what `--allow-downgrade` allows."""


def left_out(skipped: tuple[str, ...], downgrade: bool) -> tuple[str, ...]:  # noqa: FBT001  # as it was typed
    """The checks to leave out."""
    return (*skipped, OLDER) if downgrade and OLDER not in skipped else skipped


@click.command("plan")
@document_options
@take_option
@leave_option
@skip_option
@downgrade_option
@click.option("--stepwise", is_flag=True, help="Plan to the first version of spec.istio.through on the way.")
@click.option("--format", "how", type=click.Choice(FORMATS), default="text", help="How to print it.")
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file, too.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 if anything is to change or not ready.")
def plan_command(
    *,
    path: Path,
    contexts: tuple[str, ...],
    taken: frozenset[Key],
    left: frozenset[Key],
    skipped: tuple[str, ...],
    downgrade: bool,
    stepwise: bool,
    how: str,
    as_json: bool,
    out: Path | None,
    detailed_exitcode: bool,
) -> int:
    """Show what apply would change in every cluster; write nothing."""
    from mesh.engine import plan
    from mesh.rights import warned

    here = _first_stop(path, contexts) if stepwise else desk(path, contexts)
    try:
        wanted = plan(here, taken=taken, left=left, downgrade=downgrade)
        planned = skipping(warned(here, wanted), left_out(skipped, downgrade))
    except RefusedError:
        refuse_held(here.mesh.name, here.world.kubes, None)  # what stands in the way may be somebody at work
        raise
    text = printed(planned, "json" if as_json else how)
    click.echo(text, nl=False)
    if out:
        out.write_text(text, encoding="utf-8")
    return 2 if detailed_exitcode and not planned.empty else 0


def _first_stop(path: Path, contexts: tuple[str, ...]) -> Desk:
    """The desk for the first version on the way; say which come after it."""
    from mesh.cli.stepwise import stops

    here = desk(path, contexts)
    first, *rest = stops(here)
    if not rest:
        return here
    click.echo(f"This is the plan to Istio {first}; after it come {', '.join(rest)}.", err=True)
    return desk(path, contexts, stop_at=(first,))


def skipping(plan: Plan, skipped: tuple[str, ...]) -> Plan:
    """The plan, with the pre-flight checks that apply leaves out; raise UsageError for an unknown one."""
    if not skipped:
        return plan
    from mesh.checks.run import chosen

    chosen(None, (), skipped)
    return replace(plan, skipped_checks=tuple(sorted(set(skipped))))


def printed(plan: Plan, how: str) -> str:
    """Return a plan in one of the formats."""
    if how == "json":
        from mesh.render.as_json import plan_json

        return json.dumps(plan_json(plan), indent=2, ensure_ascii=False) + "\n"
    if how == "markdown":
        from mesh.render.markdown import plan_markdown

        return plan_markdown(plan)
    from mesh.render.text import plan_text

    screen = look(os.environ, sys.stdin, sys.stdout, sys.stderr)
    return plan_text(plan, colour=screen.out_colour, width=screen.width)
