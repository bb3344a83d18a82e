"""`mesh destroy`: remove everything that mesh created."""

from __future__ import annotations

from pathlib import Path

import click

from mesh.cli.options import enrolled_option, exclude_option, new_objects_option, target_option, words
from mesh.cli.run import carry_out
from mesh.cli.run_request import RunRequest, detail_of, run_options
from mesh.cli.session import document_options
from mesh.engine import verbs as engine
from mesh.model import Asked, Key


@click.command("destroy")
@document_options
@run_options
@target_option
@exclude_option
@enrolled_option
@click.option(
    "--crds", is_flag=True, help="Also remove the Gateway API CRDs, if mesh created them and they are unused."
)
@click.option("--include-adopted", is_flag=True, help="Also uninstall adopted releases.")
@new_objects_option
def destroy_command(
    *,
    path: Path,
    contexts: tuple[str, ...],
    yes: bool,
    timeout: float,
    parallelism: int,
    digest: str,
    as_json: bool,
    show_plan: bool,
    full: bool,
    targets: tuple[str, ...],
    excludes: tuple[str, ...],
    ignore_enrolled: bool,
    crds: bool,
    include_adopted: bool,
    new_objects: frozenset[Key],
) -> int:
    """Remove everything that mesh created. Adopted resources are given back, not removed."""
    asked = Asked(
        targets=targets,
        excludes=excludes,
        ignore_enrolled=ignore_enrolled,
        new_objects=tuple(sorted(map(str, new_objects))),
    )
    kept = (("--crds", crds), ("--include-adopted", include_adopted))
    flags = (*words(asked), *(option for option, is_set in kept if is_set))
    request = RunRequest(
        path,
        contexts,
        yes,
        timeout,
        parallelism,
        digest,
        as_json,
        destroy=True,
        flags=flags,
        detail=detail_of(yes=yes, digest=digest, show_plan=show_plan, full=full),
    )
    return carry_out(
        request,
        lambda session: engine.plan_destroy(session, asked, crds=crds, include_adopted=include_adopted),
    )
