"""`mesh plan`: show what apply would change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from mesh.cli.options import asked_options, left_out, skip_option, skipping
from mesh.cli.print_plan import FORMATS, full_option, printed
from mesh.cli.saved_plan import refuse_text, save
from mesh.cli.say import say
from mesh.cli.session import document_options, open_session
from mesh.cli.unread import refuse_blind, refuse_incomplete
from mesh.cli.views.detail import Detail
from mesh.engine.session import Session
from mesh.errors import RefusedError
from mesh.model import Asked
from mesh.state.lease_holder import refuse_held


@click.command("plan")
@document_options
@asked_options
@skip_option
@click.option("--stepwise", is_flag=True, help="Plan the upgrade to the next version of spec.istio.through.")
@click.option("--format", "how", type=click.Choice(FORMATS), default="text", help="Output format.")
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
@full_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save the plan to this file, for `mesh apply plan.json` and `mesh show plan.json`.",
)
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes or something is not ready."
)
def plan_command(
    *,
    path: Path,
    contexts: tuple[str, ...],
    asked: Asked,
    skipped: tuple[str, ...],
    stepwise: bool,
    how: str,
    as_json: bool,
    full: bool,
    out: Path | None,
    detailed_exitcode: bool,
) -> int:
    """Show what apply would change in every cluster. Changes nothing.

    The exit code is 6 if a part of the mesh could not be read, and 1 if no cluster could be read.
    """
    from mesh.engine.saved import recognisable
    from mesh.engine.verbs import plan
    from mesh.queries.access.denied import warned

    if out:
        refuse_text(out)
    here, stops = _first_stop(path, contexts) if stepwise else (_open(path, contexts), ())
    try:
        wanted = plan(here, replace(asked, versions=stops))
        planned = skipping(warned(here, wanted), left_out(skipped, asked.allow_downgrade))
    except RefusedError:
        refuse_held(
            here.mesh.name, here.world.kubes, None
        )  # the cause may be another run that is in progress
        raise
    how = "json" if as_json else how
    if how != "json":
        refuse_blind(planned)
    text = printed(planned, how, Detail.FULL if full else Detail.FOLDED)
    click.echo(text, nl=False)
    if out:
        save(recognisable(here, planned), out)
    refuse_blind(planned)
    refuse_incomplete(planned)
    return 2 if detailed_exitcode and not planned.empty else 0


def _open(path: Path, contexts: tuple[str, ...], stop_at: tuple[str, ...] = ()) -> Session:
    return open_session(path, contexts, stop_at=stop_at).with_licence()


def _first_stop(path: Path, contexts: tuple[str, ...]) -> tuple[Session, tuple[str, ...]]:
    """Return the session for the next intermediate version; print the versions after it."""
    from mesh.cli.stepwise import stops

    here = _open(path, contexts)
    first, *rest = stops(here)
    if not rest:
        return here, ()
    say(f"This plan upgrades to Istio {first}; the next versions are {', '.join(rest)}.", err=True)
    return _open(path, contexts, (first,)), (first,)
