"""Terminal capabilities: colour per stream, width, and whether prompts can be answered.

Results go to stdout, everything else to stderr, and each stream is checked separately.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mesh.cli.streams import Stream
from mesh.world.disk.input_file import leads_out, read_input

if TYPE_CHECKING:
    from mesh.cli.views.progress import Observer, Times

Colour = Literal["auto", "always", "never"]
DEFAULT_WIDTH = 80
MIN_WIDTH = 40
MAX_SOURCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Terminal:
    """What the terminal supports: `live` progress, `answers` to prompts, `snippets` in errors."""

    out: Stream
    err: Stream
    out_colour: bool
    err_colour: bool
    width: int
    live: bool
    answers: bool
    snippets: bool


def look(
    env: Mapping[str, str], stdin: Stream, out: Stream, err: Stream, *, colour: Colour = "auto"
) -> Terminal:
    """Detect the capabilities once, from the streams and the environment.

    NO_COLOR overrides FORCE_COLOR and CLICOLOR_FORCE; MESH_COLOR, which `--color` sets, overrides both.
    Progress is not animated on a dumb terminal, in CI, or with TTY_INTERACTIVE=0.
    """
    smart = env.get("TERM") != "dumb"
    still = bool(env.get("CI")) or env.get("TTY_INTERACTIVE") == "0"
    return Terminal(
        out=out,
        err=err,
        out_colour=_colour(env, out, colour),
        err_colour=_colour(env, err, colour),
        width=_width(env, out, err),
        live=err.isatty() and smart and not still,
        answers=stdin.isatty() and err.isatty() and not still,
        snippets=err.isatty(),
    )


def _colour(env: Mapping[str, str], stream: Stream, wish: str) -> bool:
    wish = env.get("MESH_COLOR", wish) if wish == "auto" else wish
    if wish in {"always", "never"}:
        return wish == "always"
    if env.get("NO_COLOR"):
        return False
    if any(env.get(name, "0") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return stream.isatty() and env.get("TERM") != "dumb"


def _width(env: Mapping[str, str], *streams: Stream) -> int:
    columns = env.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return max(int(columns), MIN_WIDTH)
    for stream in streams:
        with contextlib.suppress(OSError, ValueError):
            if stream.isatty():
                return max(os.get_terminal_size(stream.fileno()).columns, MIN_WIDTH)
    return DEFAULT_WIDTH


@contextmanager
def busy(screen: Terminal, text: str) -> Iterator[None]:
    """Show on a terminal that a command works, until it prints; nothing elsewhere, nor beside a trace."""
    from mesh.world import trace

    if not screen.live or trace.to_stderr():
        yield
        return
    # One line, erased before anything else is printed. A thread that animates it would write while others do.
    screen.err.write(f"{text} …\r")
    screen.err.flush()
    try:
        yield
    finally:
        screen.err.write("\r\x1b[K")
        screen.err.flush()


def observer(terminal: Terminal, times: Times, clusters: Iterable[str]) -> Observer:
    """Return the observer that prints progress on stderr: live lanes if the terminal supports them.

    While a trace goes to the same stream, which would tear the lanes, it prints lines.
    """
    from mesh.cli.views.live import LiveProgress
    from mesh.cli.views.progress import PlainProgress
    from mesh.world import trace

    if terminal.live and not trace.to_stderr():
        return LiveProgress(terminal.err, times, colour=terminal.err_colour, width=terminal.width)
    return PlainProgress(terminal.err, times, clusters=clusters)


def source(file: str) -> str | None:
    """Return the text of an input file for a snippet; None if unreadable, as this runs in an error report.

    A link that leads out of its folder has no snippet: its target may not be meant for mesh.
    """
    try:
        path = Path(file)
        content = b"" if leads_out(path) else read_input(path, limit=MAX_SOURCE)
    except (OSError, ValueError):
        return None
    return content.decode("utf-8", "replace") or None
