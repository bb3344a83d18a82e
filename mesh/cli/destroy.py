"""`mesh destroy`: remove everything that mesh created."""

from __future__ import annotations

from pathlib import Path

import click

from mesh.cli.options import new_objects_option
from mesh.cli.run import carry_out
from mesh.cli.run_request import RunRequest, run_options
from mesh.cli.session import document_options
from mesh.engine import verbs as engine
from mesh.model import Key


@click.command("destroy")
@document_options
@run_options
@click.option(
    "--ignore-enrolled",
    is_flag=True,
    help="Destroy the mesh although workloads use it. Interrupts their traffic.",
)
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
    ignore_enrolled: bool,
    crds: bool,
    include_adopted: bool,
    new_objects: frozenset[Key],
) -> int:
    """Remove everything that mesh created. Adopted resources are given back, not removed."""
    flags = [part for key in sorted(new_objects) for part in ("--allow-new-objects", str(key))]
    request = RunRequest(
        path, contexts, yes, timeout, parallelism, digest, as_json, destroy=True, flags=tuple(flags)
    )
    return carry_out(
        request,
        lambda session: engine.plan_destroy(
            session,
            ignore_enrolled=ignore_enrolled,
            crds=crds,
            include_adopted=include_adopted,
            new_objects=new_objects,
        ),
    )
