"""What apply and destroy print when a run is over: warnings, then the summary."""

from __future__ import annotations

import os
import sys

import click

from mesh.cli.progress_feed import ProgressFeed
from mesh.cli.run_request import RunRequest
from mesh.cli.terminal import look
from mesh.cli.views.escape import terminal
from mesh.cli.views.progress import JsonProgress
from mesh.cli.views.result import result_text
from mesh.cli.views.tally import tally
from mesh.engine.leftovers import leftovers
from mesh.engine.result import RunResult
from mesh.engine.session import Session


def report(request: RunRequest, session: Session, result: RunResult, feed: ProgressFeed) -> None:
    """Print the warnings of a run and its summary, as text or as the last line of JSON."""
    left = leftovers(result.planned.observation.uids, session.world) if request.destroy else ()
    for warning in (*result.warnings, *left):
        click.echo(f"Warning: {terminal(warning)}", err=True)
    summary = tally(request.verb, feed.events, end=result.end, resume=request.resume())
    if isinstance(feed.observer, JsonProgress):
        feed.observer.result(summary)
    else:
        screen = look(os.environ, sys.stdin, sys.stdout, sys.stderr)
        click.echo(result_text(summary, colour=screen.out_colour), nl=False)
