"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

import click

from mesh.model import Asked, Key, Plan
from mesh.planner.guards import allowance

Command = Callable[..., Any]


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


target_option = click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="PATTERN",
    help="Only this and what it needs: an address, kind or cluster, such as 'chart/*/istiod'. Repeatable.",
)

exclude_option = click.option(
    "--exclude",
    "excludes",
    multiple=True,
    metavar="PATTERN",
    help="Not this, nor what needs it: an address, kind or cluster. Repeatable.",
)

deletes_option = click.option(
    "--allow-deletes",
    "deletes",
    default="",
    metavar="N|all",
    callback=lambda _ctx, _param, value: allowance(value),
    help="Allow to delete so many resources, if that is more than a quarter of the mesh.",
)

enrolled_option = click.option(
    "--ignore-enrolled",
    is_flag=True,
    help="Remove the mesh although workloads use it. Interrupts their traffic.",
)


def asked_options(command: Command) -> Command:
    """Add the options that decide what is planned; the command gets them as `asked`."""

    @wraps(command)
    def collected(
        *,
        taken: frozenset[Key],
        left: frozenset[Key],
        downgrade: bool,
        targets: tuple[str, ...],
        excludes: tuple[str, ...],
        deletes: str,
        ignore_enrolled: bool,
        new_objects: frozenset[Key],
        **others: Any,
    ) -> Any:
        asked = Asked(
            take=tuple(sorted(map(str, taken))),
            leave=tuple(sorted(map(str, left))),
            allow_downgrade=downgrade,
            targets=targets,
            excludes=excludes,
            allow_deletes=deletes,
            ignore_enrolled=ignore_enrolled,
            new_objects=tuple(sorted(map(str, new_objects))),
        )
        return command(asked=asked, **others)

    options = (
        take_option,
        leave_option,
        target_option,
        exclude_option,
        downgrade_option,
        new_objects_option,
        deletes_option,
        enrolled_option,
    )
    wrapped: Command = collected
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


def words(asked: Asked) -> tuple[str, ...]:
    """Return the options as they are typed, for the command that resumes a run."""
    lists = (
        ("--take", asked.take),
        ("--leave", asked.leave),
        ("--target", asked.targets),
        ("--exclude", asked.excludes),
        ("--allow-new-objects", asked.new_objects),
        ("--allow-deletes", (asked.allow_deletes,) if asked.allow_deletes else ()),
    )
    flags = (("--allow-downgrade", asked.allow_downgrade), ("--ignore-enrolled", asked.ignore_enrolled))
    return (
        *(part for option, values in lists for value in values for part in (option, value)),
        *(option for option, is_set in flags if is_set),
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
