"""`mesh history`: show past runs."""

from __future__ import annotations

from pathlib import Path

import click

from mesh.cli.session import document_options, open_session
from mesh.cli.unread import CODE
from mesh.engine.session import Session
from mesh.errors import MeshError
from mesh.state import slices
from mesh.state.history import PastRun, joined
from mesh.walk import fan


@click.command("history")
@document_options
@click.option("--steps", is_flag=True, help="Also list the steps of each run.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def history_command(*, path: Path, contexts: tuple[str, ...], steps: bool, as_json: bool) -> int:
    """Show finished runs, newest first, from the history that the clusters store.

    The exit code is 6 if the history in a cluster could not be read.
    """
    from mesh.cli.views.history import history_json, history_text
    from mesh.cli.views.plan_json import json_text

    here = open_session(path, contexts)
    held = _read(here)
    entries = joined({name: runs for name, runs in held.items() if not isinstance(runs, str)})
    unread = {name: why for name, why in held.items() if isinstance(why, str)}
    if as_json:
        text = json_text(history_json(here.mesh.name, entries, unread))
    else:
        text = history_text(entries, unread, steps=steps)
    click.echo(text, nl=False)
    return CODE if unread else 0


def _read(here: Session) -> dict[str, tuple[PastRun, ...] | str]:
    """Return the history in each cluster, or why it could not be read."""
    namespaces = {name: who.namespace for name, who in here.store.read(here.mesh.name).clusters.items()}
    namespaces |= {cluster.name: cluster.namespace for cluster in here.mesh.clusters}

    def read(name: str) -> tuple[PastRun, ...] | str:
        try:
            return slices.history(here.mesh.name, name, namespaces[name], here.world.kube(name))
        except MeshError as error:
            return error.message

    return fan(read, sorted(here.world.kubes))
