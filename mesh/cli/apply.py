"""`mesh apply`: make the clusters match the file."""

from __future__ import annotations

from dataclasses import replace
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
from mesh.cli.run import carry_out
from mesh.cli.run_request import RunRequest, run_options
from mesh.cli.session import document_options
from mesh.cli.stepwise import one_by_one, stepwise_option
from mesh.engine import verbs as engine
from mesh.engine.session import Planned, Session
from mesh.model import Key


@click.command("apply")
@document_options
@take_option
@leave_option
@skip_option
@downgrade_option
@new_objects_option
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
    taken: frozenset[Key],
    left: frozenset[Key],
    skipped: tuple[str, ...],
    downgrade: bool,
    new_objects: frozenset[Key],
    stepwise: bool,
    yes: bool,
    timeout: float,
    parallelism: int,
    digest: str,
    as_json: bool,
    confirmed: tuple[str, ...],
) -> int:
    """Show the plan, ask for approval, and make the clusters match the mesh file."""
    words = (("--take", taken), ("--leave", left), ("--allow-new-objects", new_objects))
    flags = [part for flag, keys in words for key in sorted(keys) for part in (flag, str(key))]
    flags += ["--allow-downgrade"] if downgrade else []
    flags += ["--stepwise"] if stepwise else []
    request = RunRequest(
        path, contexts, yes, timeout, parallelism, digest, as_json, confirmed=confirmed, flags=tuple(flags)
    )

    def plan(session: Session) -> Planned:
        planned = engine.plan(session, taken=taken, left=left, downgrade=downgrade, new_objects=new_objects)
        return replace(planned, plan=skipping(planned.plan, left_out(skipped, downgrade)))

    if stepwise:
        return one_by_one(request, lambda one: carry_out(one, plan))
    return carry_out(request, plan)
