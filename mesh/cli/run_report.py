"""What apply and destroy print when a run is over: warnings, then the summary."""

from __future__ import annotations

import os
import sys

from mesh.cli.progress_feed import ProgressFeed
from mesh.cli.run_request import RunRequest
from mesh.cli.streams import Stream
from mesh.cli.terminal import look
from mesh.cli.views.escape import terminal
from mesh.cli.views.progress import JsonProgress
from mesh.cli.views.result import result_text
from mesh.cli.views.tally import tally
from mesh.engine.leftovers import leftovers
from mesh.engine.result import RunResult
from mesh.engine.session import Session


def report(
    request: RunRequest, session: Session, result: RunResult, feed: ProgressFeed, out: Stream, err: Stream
) -> None:
    """Print the warnings of a run and its summary, as text or as the last line of JSON."""
    left = leftovers(result.planned.observation.uids, session.world) if request.destroy else ()
    for warning in (*result.warnings, *left):
        err.write(f"Warning: {terminal(warning)}\n")
    err.flush()
    summary = tally(request.verb, feed.events, end=result.end, resume=request.resume())
    if isinstance(feed.observer, JsonProgress):
        feed.observer.result(summary)
    else:
        screen = look(os.environ, sys.stdin, out, err)
        out.write(result_text(summary, colour=screen.out_colour))
        out.flush()
