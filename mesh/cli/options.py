"""`mesh plan`: show what apply would change."""

from __future__ import annotations

from dataclasses import replace

import click

from mesh.model import Key, Plan


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


def skipping(plan: Plan, skipped: tuple[str, ...]) -> Plan:
    """The plan, with the pre-flight checks that apply leaves out; raise UsageError for an unknown one."""
    if not skipped:
        return plan
    from mesh.queries.checks.run import chosen

    chosen(None, (), skipped)
    return replace(plan, skipped_checks=tuple(sorted(set(skipped))))
