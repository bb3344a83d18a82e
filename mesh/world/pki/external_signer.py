"""A certificate from a program of the user: the request on stdin, the chain on stdout."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from mesh.errors import MeshError
from mesh.model.bounded_text import Unfit
from mesh.world import trace
from mesh.world.bounded_process import run
from mesh.world.child_env import child_env

DEADLINE = 120.0
_TAIL = 400


def sign_with_command(argv: tuple[str, ...], request: str, *, env: Mapping[str, str], folder: Path) -> str:
    """Send a PEM request to the program and return what it prints; raise MeshError with its last error.

    The program runs in `folder` with what `child_env` leaves of `env`, and has two minutes.
    """
    began = time.monotonic()
    try:
        done = run(argv, env=child_env(env), seconds=DEADLINE, stdin=request.encode(), folder=folder)
    except Unfit as error:
        raise MeshError(f"{argv[0]} cannot be used: {error}", hint="check trust.root.ca.command") from None
    except TimeoutError:
        raise MeshError(f"{argv[0]} did not answer within {DEADLINE:.0f} seconds") from None
    except OSError as error:
        raise MeshError(f"{argv[0]} could not be run: {error.strerror or error}") from error
    trace.process(trace.EXEC, argv[:1], done.code, began)
    if done.code != 0:
        tail = done.err.decode(errors="replace").strip()[-_TAIL:]
        raise MeshError(f"{argv[0]} ended with code {done.code}: {tail or 'it printed no error'}")
    return done.out.decode(errors="replace")
