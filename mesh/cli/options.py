"""Options that several commands share."""

from __future__ import annotations

from dataclasses import replace

import click

from mesh.model import Key, Plan


def keys(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> frozenset[Key]:
    """Parse addresses from the command line."""
    try:
        return frozenset(Key.parse(each) for each in value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


skip_option = click.option(
    "--skip-check",
    "skipped",
    multiple=True,
    metavar="ID",
    help="Skip this check, such as P07. Repeatable.",
)

take_option = click.option(
    "--take",
    "taken",
    multiple=True,
    metavar="ADDRESS",
    callback=keys,
    help="Take over this object although another owner created it. Repeatable.",
)

leave_option = click.option(
    "--leave",
    "left",
    multiple=True,
    metavar="ADDRESS",
    callback=keys,
    help="Do not manage this object; leave it to its owner. Repeatable.",
)

new_objects_option = click.option(
    "--allow-new-objects",
    "new_objects",
    multiple=True,
    metavar="ADDRESS",
    callback=keys,
    help="Let the chart in this release's own record create what the cluster does not have. Repeatable.",
)

downgrade_option = click.option(
    "--allow-downgrade", "downgrade", is_flag=True, help="Allow a downgrade to an older version of Istio."
)


def left_out(skipped: tuple[str, ...], downgrade: bool) -> tuple[str, ...]:  # noqa: FBT001  # as it was typed
    """Return the ids of the checks to skip, those that `--allow-downgrade` skips among them."""
    if not downgrade:
        return skipped
    from mesh.queries.checks.run import waived

    return tuple(dict.fromkeys((*skipped, *waived("--allow-downgrade"))))


def skipping(plan: Plan, skipped: tuple[str, ...]) -> Plan:
    """Return the plan with the ids of the checks that apply skips; raise UsageError for an unknown id."""
    if not skipped:
        return plan
    from mesh.queries.checks.run import chosen

    chosen(None, (), skipped)
    return replace(plan, skipped_checks=tuple(sorted(set(skipped))))
