"""`mesh why`: explain one resource."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from mesh.cli.say import say
from mesh.cli.session import document_options, open_session
from mesh.cli.show import one_of
from mesh.cli.terminal import look
from mesh.cli.unread import CODE
from mesh.engine.session import Decided, Session
from mesh.errors import KubeError
from mesh.model import NO_CLUSTER, Key, Live, Touch
from mesh.sdk import ask


@click.command("why")
@document_options
@click.argument("address", metavar="ADDRESS")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def why_command(*, path: Path, contexts: tuple[str, ...], address: str, as_json: bool) -> int:
    """Explain one resource: desired and live fields, who wrote them, dependencies and dependents.

    Reads what a plan reads, and the managedFields of the object. Changes nothing. The exit code is 6 if
    the resource could not be read.
    """
    from mesh.cli.views.explain import why_json, why_text
    from mesh.cli.views.plan_json import json_text
    from mesh.engine.verbs import decided
    from mesh.queries.explain import why

    here = open_session(path, contexts).with_licence()
    read = decided(here)
    addresses = [str(key) for key in sorted({*read.inputs.resources, *read.inputs.state.entries})]
    one_of(address, addresses, "resource")
    key = Key.parse(address)
    found = why(key, read.inputs, read.decisions, here.kinds, _written(here, read, key))
    if as_json:
        text = json_text(why_json(found))
    else:
        screen = look(os.environ, sys.stdin, sys.stdout, sys.stderr)
        text = why_text(found, colour=screen.out_colour)
    click.echo(text, nl=False)
    return CODE if found.state.unread else 0


def _written(here: Session, read: Decided, key: Key) -> tuple[Touch, ...]:
    """Return the writers of the live object; () if it is missing or cannot be read a second time."""
    live = read.inputs.found.get(key)
    if not isinstance(live, Live) or key.cluster == NO_CLUSTER:
        return ()
    entry, resource = read.inputs.state.entries.get(key), read.inputs.resources.get(key)
    place = live.place or (resource.place if resource else entry.last.place if entry else None)
    if place is None:
        return ()
    try:
        return ask.written(here.kinds[key.kind], key, place, live, here.world)
    except KubeError as error:
        say(f"Warning: cannot read the managedFields: {error.message}", err=True)
        return ()
