"""`mesh plan`: show what apply would change."""

from __future__ import annotations

from pathlib import Path

import click

from mesh.cli.options import (
    downgrade_option,
    leave_option,
    left_out,
    new_objects_option,
    skip_option,
    skipping,
    take_option,
)
from mesh.cli.print_plan import FORMATS, printed
from mesh.cli.say import say
from mesh.cli.session import document_options, open_session
from mesh.cli.unread import refuse_blind, refuse_incomplete
from mesh.engine.session import Session
from mesh.errors import RefusedError
from mesh.model import Key
from mesh.state.lease_holder import refuse_held


@click.command("plan")
@document_options
@take_option
@leave_option
@skip_option
@downgrade_option
@new_objects_option
@click.option("--stepwise", is_flag=True, help="Plan the upgrade to the next version of spec.istio.through.")
@click.option("--format", "how", type=click.Choice(FORMATS), default="text", help="Output format.")
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Also write the plan to a file.")
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes or something is not ready."
)
def plan_command(
    *,
    path: Path,
    contexts: tuple[str, ...],
    taken: frozenset[Key],
    left: frozenset[Key],
    skipped: tuple[str, ...],
    downgrade: bool,
    new_objects: frozenset[Key],
    stepwise: bool,
    how: str,
    as_json: bool,
    out: Path | None,
    detailed_exitcode: bool,
) -> int:
    """Show what apply would change in every cluster. Changes nothing.

    The exit code is 6 if a part of the mesh could not be read, and 1 if no cluster could be read.
    """
    from mesh.engine.verbs import plan
    from mesh.queries.access.denied import warned

    here = _first_stop(path, contexts) if stepwise else open_session(path, contexts).with_licence()
    try:
        wanted = plan(here, taken=taken, left=left, downgrade=downgrade, new_objects=new_objects)
        planned = skipping(warned(here, wanted), left_out(skipped, downgrade))
    except RefusedError:
        refuse_held(
            here.mesh.name, here.world.kubes, None
        )  # the cause may be another run that is in progress
        raise
    how = "json" if as_json else how
    if how != "json":
        refuse_blind(planned)
    text = printed(planned, how)
    click.echo(text, nl=False)
    if out:
        out.write_text(text, encoding="utf-8")
    refuse_blind(planned)
    refuse_incomplete(planned)
    return 2 if detailed_exitcode and not planned.empty else 0


def _first_stop(path: Path, contexts: tuple[str, ...]) -> Session:
    """Return the session for the next intermediate version; print the versions after it."""
    from mesh.cli.stepwise import stops

    here = open_session(path, contexts).with_licence()
    first, *rest = stops(here)
    if not rest:
        return here
    say(f"This plan upgrades to Istio {first}; the next versions are {', '.join(rest)}.", err=True)
    return open_session(path, contexts, stop_at=(first,)).with_licence()
