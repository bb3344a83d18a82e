"""The outputs of a mesh, in the format of `terraform output`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mesh.cli.views.escape import terminal
from mesh.cli.views.values import inline, is_text
from mesh.queries.outputs import Value

UNKNOWN = "(not known)"


def outputs_text(values: Mapping[str, Value]) -> str:
    """Return `name = value` for each output; the text ends with a newline."""
    return "".join(f"{terminal(name)} = {value_text(value)}\n" for name, value in values.items())


def value_text(value: Value) -> str:
    """Return one value: a quoted text, a map with one line per entry, or the lines of a long text."""
    match value:
        case None:
            return UNKNOWN
        case str() if is_text(value):
            lines = (terminal(line) for line in value.rstrip("\n").split("\n"))
            return "\n".join(["<<-EOT", *lines, "EOT"])
        case str():
            return inline(value)
    return "\n".join(["{", *_entries(value), "}"])


def _entries(value: Mapping[str, str | None]) -> Iterator[str]:
    for name, each in value.items():
        yield f"  {inline(name)} = {UNKNOWN if each is None else inline(each)}"
