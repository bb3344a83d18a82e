"""`mesh apply`: make the clusters match the file, or carry out a saved plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from mesh.cli.options import asked_options, left_out, skip_option, skipping, words
from mesh.cli.run import carry_out
from mesh.cli.run_request import RunRequest, detail_of, run_options
from mesh.cli.saved_plan import load
from mesh.cli.session import document_options
from mesh.cli.stepwise import one_by_one, stepwise_option
from mesh.engine import verbs as engine
from mesh.engine.saved import plan_as_saved
from mesh.engine.session import Planned, Session
from mesh.errors import UsageError
from mesh.model import Asked, Plan


@click.command("apply")
@document_options
@click.argument("saved", required=False, metavar="[PLAN]", type=click.Path(path_type=Path))
@asked_options
@skip_option
@stepwise_option
@run_options
@click.option(
    "--confirm",
    "confirmed",
    multiple=True,
    metavar="NAME",
    help="Confirm that every workload identity in this cluster is issued again. Repeatable.",
)
def apply_command(
    *,
    path: Path,
    contexts: tuple[str, ...],
    saved: Path | None,
    asked: Asked,
    skipped: tuple[str, ...],
    stepwise: bool,
    yes: bool,
    timeout: float,
    parallelism: int,
    digest: str,
    as_json: bool,
    show_plan: bool,
    full: bool,
    confirmed: tuple[str, ...],
) -> int:
    """Show the plan, ask for approval, and make the clusters match the mesh file.

    With PLAN, a file that `mesh plan --out plan.json` saved, carry out exactly that plan without asking; exit
    with 3 if anything that it rests on has changed.
    """
    request = RunRequest(
        path,
        contexts,
        yes,
        timeout,
        parallelism,
        digest,
        as_json,
        confirmed=confirmed,
        flags=(*words(asked), *(("--stepwise",) if stepwise else ())),
        allow_deletes=asked.allow_deletes,
        detail=detail_of(yes=yes, digest=digest, show_plan=show_plan, full=full),
    )
    if saved:
        _refuse_options(asked, skipped, stepwise=stepwise)
        return _carry_out_saved(request, load(saved), asked.allow_deletes)

    def plan(session: Session) -> Planned:
        planned = engine.plan(session, asked)
        return replace(planned, plan=skipping(planned.plan, left_out(skipped, asked.allow_downgrade)))

    if stepwise:
        return one_by_one(request, lambda one: carry_out(one, plan))
    return carry_out(request, plan)


def _refuse_options(asked: Asked, skipped: tuple[str, ...], *, stepwise: bool) -> None:
    """Raise UsageError for options that are part of a saved plan."""
    given = words(replace(asked, allow_deletes=""))
    given += ("--skip-check",) if skipped else ()
    given += ("--stepwise",) if stepwise else ()
    if given:
        raise UsageError(
            f"{given[0]} cannot be used with a saved plan: it changes what is planned",
            hint="give it to `mesh plan --out plan.json`, and apply the new plan",
        )


def _carry_out_saved(request: RunRequest, saved: Plan, deletes: str) -> int:
    def plan(session: Session) -> Planned:
        def again() -> Planned:
            planned = engine.plan(session, saved.asked)
            return replace(planned, plan=replace(planned.plan, skipped_checks=saved.skipped_checks))

        return plan_as_saved(session, saved, again)

    options = replace(
        request,
        saved=saved,
        stop_at=saved.asked.versions,
        flags=words(replace(saved.asked, allow_deletes=deletes or saved.asked.allow_deletes)),
        allow_deletes=deletes or saved.asked.allow_deletes,
    )
    return carry_out(options, plan)
