"""The trace of a run: each request, process, decision and write as one line of `key=value`.

Off unless `-v` or MESH_LOG asks for it; see docs/debugging.md. The only module that owns handlers and
a format of `logging`. A line holds no body of a request, no header and no value of a field, and what
looks like a secret all the same is struck out. A line is ASCII without control characters: a server
can neither forge a line nor act on a terminal.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from mesh.errors import UsageError
from mesh.model import Deferral, Key, Left, Step
from mesh.model.mask import MASK, is_secret_name
from mesh.model.printable import acts, json_text, quoted
from mesh.world import hidden

VARIABLE = "MESH_LOG"
ROOT = logging.getLogger("mesh")
KUBE = logging.getLogger("mesh.kube")
HELM = logging.getLogger("mesh.helm")
PLAN = logging.getLogger("mesh.plan")
STATE = logging.getLogger("mesh.state")
EXEC = logging.getLogger("mesh.exec")
"""Programs other than helm, and downloads."""

LONGEST = 2000
"""Characters of one value; the address of a page of a long list is the longest that is useful."""

_PLAIN = re.compile(r"[!#-<>-\[\]-~]+")
_SECRET = re.compile(
    r"(?i)(?P<keep>\b(?:bearer|basic) )[\w.~+/=-]{8,}|(?P<scheme>://)[^/\s@]+@"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END[A-Z -]+|\Z)",
    re.DOTALL,
)
"""An Authorization value, the login in a URL, a JSON web token, a private key."""


def on(logger: logging.Logger) -> bool:
    """Whether a logger traces; asked before anything is computed for the trace alone."""
    return logger.isEnabledFor(logging.DEBUG)


def event(logger: logging.Logger, what: str, **fields: object) -> None:
    """Write one line; fields that are None or "" are left out."""
    if logger.isEnabledFor(logging.DEBUG):
        logger.debug("%s", _line({"event": what, **fields}))


def milliseconds(began: float) -> float:
    """Return how long ago `began` (of `time.monotonic`) was."""
    return (time.monotonic() - began) * 1000


def hide(secret: str) -> None:
    """Strike this text out of every line, and of everything that is printed."""
    hidden.know([secret])


def command(argv: Sequence[str]) -> str:
    """Return a command line for the trace; the value of an option that names a secret is masked."""
    shown: list[str] = []
    is_secret = False
    for word in argv:
        name, sign, _ = word.partition("=")
        option = word.startswith("-")
        if is_secret and not option:
            shown.append(MASK)
        elif sign and is_secret_name(name):
            shown.append(f"{quoted(name)}={MASK}")
        else:
            shown.append(quoted(word))
        is_secret = option and not sign and is_secret_name(word)
    return " ".join(shown)


def process(
    logger: logging.Logger, argv: Sequence[str], code: int | None, began: float, *, cluster: str = ""
) -> None:
    """Write that a program ended; what it read, printed or found in its environment is never shown."""
    if on(logger):
        event(logger, "process", cluster=cluster, argv=command(argv), exit=code, ms=milliseconds(began))


class Decided(Protocol):
    """The part of a plan's decisions that is traced; the planner, which makes them, stays pure."""

    @property
    def steps(self) -> Mapping[Key, Step]:
        """What is to be done."""

    @property
    def deferred(self) -> Mapping[Key, Deferral]:
        """What could not be decided."""

    @property
    def refusals(self) -> Mapping[Key, str]:
        """What may not be done."""

    @property
    def unchanged(self) -> Collection[Key]:
        """What is in sync."""

    @property
    def left(self) -> Mapping[Key, Left]:
        """What stays with another owner."""


def decisions(made: Decided) -> None:
    """Write what a plan decided of each resource, and why; of a field only its path."""
    if not on(PLAN):
        return
    for step in made.steps.values():
        _decision(step.key, step.action.name.lower(), step)
    others = [(key, "defer", each.why) for key, each in made.deferred.items()]
    others += [(key, "refuse", why) for key, why in made.refusals.items()]
    others += [(key, "none", "in sync") for key in made.unchanged]
    others += [(key, "leave", f"left to {each.owner}") for key, each in made.left.items()]
    for key, action, why in sorted(others):
        event(PLAN, "decision", cluster=key.cluster, address=key, action=action, why=why)


def decided_again(key: Key, now: Step | None) -> None:
    """Write what apply decided of a resource just before its step runs; None: nothing is left to do."""
    if on(PLAN):
        _decision(key, now.action.name.lower() if now else "none", now, event_name="decision_at_apply")


def _decision(key: Key, action: str, step: Step | None, *, event_name: str = "decision") -> None:
    event(
        PLAN,
        event_name,
        cluster=key.cluster,
        address=key,
        action=action,
        reason=step.reason.value if step else None,
        fields=",".join(each.dotted for each in step.fields) if step else None,
        why=step.why if step else None,
        needs=",".join(map(str, sorted(step.needs))) if step else None,
    )


def waits(say: Callable[[str, str], None]) -> Callable[[str, str], None]:
    """Return `say`, which reports what a worker waits for, wrapped so that it also traces it."""
    if not on(PLAN):
        return say

    last: dict[str, str] = {}

    def traced(about: str, why: str) -> None:
        # Pollers repeat themselves every two seconds at most; only a change is worth a line.
        if last.get(about) != why:
            last[about] = why
            event(PLAN, "waiting", address=about, why=why)
        say(about, why)

    return traced


class _Lines(logging.Handler):
    """Writes each line at once; a trace that cannot be written ends, and the run goes on without it."""

    def __init__(self, write: Callable[[str], object], close: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._write: Callable[[str], object] | None = write
        self._close = close

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; logging holds this handler's lock, so lines of two threads never mix."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = f"{moment.removesuffix('+00:00')}Z {record.levelname} {record.name} {record.getMessage()}\n"
        try:
            if self._write:
                self._write(line)
        except (OSError, ValueError):
            self._write = None

    def close(self) -> None:
        """Write nothing more."""
        self._write = None
        self._close()
        super().close()


def start(wish: str) -> None:
    """Turn the trace on as MESH_LOG words it, `debug` or `debug:FILE`; raise UsageError for anything else."""
    level, sign, name = wish.partition(":")
    if level != "debug" or (sign and not name):
        raise UsageError(
            f"{VARIABLE}={wish!r} is not a valid value",
            hint=f"use {VARIABLE}=debug to trace to stderr, or {VARIABLE}=debug:FILE to append to a file",
        )
    if name:
        _add(_to_file(Path(name).expanduser()))
    elif not to_stderr():
        handler = _Lines(_to_stderr)
        handler.set_name("stderr")
        _add(handler)


def to_stderr() -> bool:
    """Whether lines are written to stderr, among which nothing can be redrawn in place."""
    return any(handler.get_name() == "stderr" for handler in ROOT.handlers)


def stop() -> None:
    """Turn the trace off, and forget what it was to hide."""
    for handler in ROOT.handlers[:]:
        if isinstance(handler, _Lines):
            ROOT.removeHandler(handler)
            handler.close()
    ROOT.setLevel(logging.NOTSET)
    ROOT.propagate = True
    hidden.forget()


def _add(handler: logging.Handler) -> None:
    ROOT.addHandler(handler)
    ROOT.setLevel(logging.DEBUG)
    ROOT.propagate = False


def _to_stderr(line: str) -> None:
    # One write per line: progress and trace share the stream from several threads.
    sys.stderr.write(line)
    sys.stderr.flush()


def _to_file(path: Path) -> _Lines:
    """Open a trace file: appended to, readable by its owner alone, and neither a link nor a device."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        handle = os.open(path, flags, 0o600)
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            os.close(handle)
            raise UsageError(
                f"{VARIABLE}: {path} is not a regular file of yours", hint="name a new file for the trace"
            )
        # An older file may be open to all; the trace names every object and address of the mesh.
        os.fchmod(handle, 0o600)
    except OSError as error:
        raise UsageError(
            f"{VARIABLE}: {path} cannot be opened: {error.strerror or error}",
            hint="name a file in an existing folder that you may write to; links are not followed",
        ) from None
    # O_APPEND and one write per line: two runs that share the file do not tear each other's lines.
    return _Lines(lambda line: os.write(handle, line.encode()), lambda: os.close(handle))


def _line(fields: Mapping[str, object]) -> str:
    """Return `cluster=c event=e key=value …`, the cluster first."""
    order = sorted(fields, key=lambda name: name != "cluster")
    return " ".join(f"{name}={_value(fields[name])}" for name in order if fields[name] not in (None, ""))


def _value(value: object) -> str:
    """Return a value as one word: as it is, or in quotes with the escapes of JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.1f}"
    text = _struck(str(value))
    return text if _PLAIN.fullmatch(text) and not acts(text) else json_text(text)


def _struck(text: str) -> str:
    """Strike out what is secret, and bound the rest."""
    text = _SECRET.sub(_masked, hidden.clean(text))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _masked(found: re.Match[str]) -> str:
    return f"://{MASK}@" if found["scheme"] else f"{found['keep'] or ''}{MASK}"
