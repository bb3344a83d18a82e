"""`mesh destroy`: take down what mesh made."""

from __future__ import annotations

from pathlib import Path

import click

from mesh.cli.run import Wishes, carry_out, run_options
from mesh.cli.session import document_options
from mesh.engine import verbs as engine


@click.command("destroy")
@document_options
@run_options
@click.option(
    "--ignore-enrolled", is_flag=True, help="Go on although workloads use the mesh; cuts their traffic."
)
@click.option(
    "--crds", is_flag=True, help="Remove the Gateway API CRDs too, if we made them and nobody uses them."
)
@click.option("--include-adopted", is_flag=True, help="Uninstall releases that were adopted, too.")
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
) -> int:
    """Take down what mesh made, users before what they use; what was there before stays."""
    wishes = Wishes(path, contexts, yes, timeout, parallelism, digest, as_json, destroy=True)
    return carry_out(
        wishes,
        lambda session: engine.plan_destroy(
            session, ignore_enrolled=ignore_enrolled, crds=crds, include_adopted=include_adopted
        ),
    )
