"""Names from a cluster as words of a command to paste."""

from __future__ import annotations

from mesh.model.printable import quoted
from mesh.queries.checks.facts import place
from mesh.world import Object


def word(text: str) -> str:
    """Return a text from a cluster as one word of a command to paste, without `{}`: see `fix_of`."""
    return quoted(text, spelled="{}")


def pasted(obj: Object) -> tuple[str, str]:
    """Namespace and name, each as a word of a command to paste."""
    namespace, name = place(obj)
    return word(namespace), word(name)
