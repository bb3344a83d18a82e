"""Programs that may print anything, for ever: run once, with a limit on bytes and on seconds."""

from __future__ import annotations

import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mesh.model.bounded_text import Unfit, megabytes

MOST = 4 << 20
PART = 65_536
LOOK = 0.05


@dataclass(frozen=True, slots=True)
class Ended:
    """The exit code of a program, and what it printed."""

    code: int
    out: bytes
    err: bytes


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    seconds: float,
    stdin: bytes = b"",
    folder: Path | None = None,
    most: int = MOST,
) -> Ended:
    """Run a program to its end; raise OSError, TimeoutError, or Unfit if it prints more than `most` bytes.

    It ends with its process, not with its pipes: a helper that a program leaves behind may hold them open.
    """
    ends = time.monotonic() + seconds
    pipe = subprocess.PIPE
    with tempfile.TemporaryFile() as given:  # a file, so that a program that does not read it blocks nothing
        given.write(stdin)
        given.seek(0)
        # In the session of mesh: a program that signs may ask for a password on the terminal.
        with subprocess.Popen(
            argv, env=dict(env), cwd=folder, stdin=given, stdout=pipe, stderr=pipe
        ) as child:
            try:
                out, err = _heard(child, ends, most)
                code = child.wait(max(LOOK, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise TimeoutError from None
            finally:
                child.kill()  # does nothing to one that has ended
    return Ended(code, out, err)


def _heard(child: subprocess.Popen[bytes], ends: float, most: int) -> tuple[bytes, bytes]:
    """Return stdout and stderr, the latter cut; raise TimeoutError or Unfit."""
    assert child.stdout is not None
    assert child.stderr is not None
    out, err = bytearray(), bytearray()
    with selectors.DefaultSelector() as ready:
        ready.register(child.stdout, selectors.EVENT_READ, out)
        ready.register(child.stderr, selectors.EVENT_READ, err)
        while ready.get_map():
            if time.monotonic() > ends:
                raise TimeoutError
            events = ready.select(LOOK)
            if not events and child.poll() is not None:
                # It may have printed and ended since the look; all that it printed is in the pipes by now.
                events = ready.select(0)
                if not events:
                    break
            for key, _ in events:
                _take(ready, key, most)
            if len(out) > most:
                raise Unfit(f"it prints more than {megabytes(most)}")
    return bytes(out), bytes(err)


def _take(ready: selectors.BaseSelector, key: selectors.SelectorKey, most: int) -> None:
    part = os.read(key.fd, PART)
    key.data.extend(part[: most + 1 - len(key.data)])
    if not part:
        ready.unregister(key.fileobj)
