"""stdout and stderr without secrets: the last barrier, for texts of other programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO


class Filtered:
    """A text stream that strikes secrets out of what is written to another one."""

    _stream: TextIO

    def __init__(self, stream: TextIO) -> None:
        object.__setattr__(self, "_stream", stream)

    def __setattr__(self, name: str, value: Any) -> None:
        """Keep everything in the stream itself, such as the error of a write that failed."""
        setattr(self._stream, name, value)

    def __getattr__(self, name: str) -> Any:
        """Return everything else as the stream has it: `isatty`, `encoding`, `flush`, …"""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text; return its length as it was given."""
        # The module is loaded by whatever reads a secret. Without it none is known, and `--help` stays fast.
        hidden = sys.modules.get("mesh.world.hidden")
        self._stream.write(hidden.clean(text) if hidden and isinstance(text, str) else text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write several texts as one: a secret may stand on more than one line."""
        self.write("".join(lines))


@contextmanager
def filtered() -> Iterator[None]:
    """Filter both streams, and forget the secrets at the end; a closed stream stays closed."""
    with ExitStack() as held:
        for stream, redirect in ((sys.stdout, redirect_stdout), (sys.stderr, redirect_stderr)):
            if stream is not None:
                target: Any = Filtered(stream)
                held.enter_context(redirect(target))
        try:
            yield
        finally:
            if hidden := sys.modules.get("mesh.world.hidden"):
                hidden.forget()
