"""The result of an apply or destroy: Terraform's last line, then failures, then the command to resume."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from mesh.cli.views.colour import Paint, painter
from mesh.cli.views.escape import terminal
from mesh.state.history import End


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed step: its address, and the message and hint of the error."""

    key: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The result of a run; a replacement counts as added and as destroyed.

    For a destroy, the changed resources are those it gave back. `end` is how the run ended; `skipped`,
    `deferred` and `interrupted` (carried out, but not ready when the run was stopped) contain pairs of
    address and reason; `resume` is the command that continues the run.
    """

    verb: Literal["apply", "destroy"]
    added: int = 0
    changed: int = 0
    destroyed: int = 0
    imported: int = 0
    failures: tuple[Failure, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    deferred: tuple[tuple[str, str], ...] = ()
    interrupted: tuple[tuple[str, str], ...] = ()
    end: End = "complete"
    resume: str = ""

    @property
    def complete(self) -> bool:
        """Return whether every step is done."""
        return self.end == "complete"

    def head(self) -> str:
        """Return the line with the numbers; after success, byte for byte as Terraform prints it."""
        return f"{self.verb.capitalize()} {self.end}! Resources: {', '.join(self._numbers())}."

    def _numbers(self) -> Iterator[str]:
        if self.imported:
            yield f"{self.imported} imported"
        if self.verb == "apply":
            yield f"{self.added} added"
            yield f"{self.changed} changed"
        yield f"{self.destroyed} destroyed"
        if self.verb == "destroy" and self.changed:
            yield f"{self.changed} given back"


def result_text(result: RunSummary, *, colour: bool = False) -> str:
    """Return the end of the output: skipped steps, failures, and the command to resume."""
    paint = painter(colour=colour)
    style: Literal["green", "yellow", "red"] = "green" if result.complete else "yellow"
    parts = [paint(result.head(), "red" if result.failures else style)]
    parts += _list("Not ready yet:", result.interrupted, paint)
    parts += _list("Skipped:", result.skipped, paint)
    parts += _failures(result.failures, paint)
    if result.resume and not result.complete:
        parts.append(f"Resume with: {paint(terminal(result.resume), 'bold')}")
    return "\n\n".join(parts) + "\n"


def _list(title: str, pairs: tuple[tuple[str, str], ...], paint: Paint) -> Iterator[str]:
    if pairs:
        lines = (f"  {terminal(key)}: {terminal(why)}" for key, why in pairs)
        yield "\n".join([paint(title, "bold"), *lines])


def _failures(failures: tuple[Failure, ...], paint: Paint) -> Iterator[str]:
    for failure in failures:
        first, *rest = failure.message.rstrip("\n").split("\n")
        lines = [f"{paint('error:', 'red')} {terminal(failure.key)}: {paint(terminal(first), 'bold')}"]
        lines += [f"  {terminal(line)}" for line in rest]
        lines += [f" {paint('hint:', 'cyan')} {terminal(failure.hint)}"] if failure.hint else []
        yield "\n".join(lines)


def result_json(result: RunSummary) -> dict[str, Any]:
    """Return a result as JSON data."""
    return {
        "operation": result.verb,
        "complete": result.complete,
        "stopped": result.end == "interrupted",
        "changes": {
            "add": result.added,
            "change": result.changed,
            "import": result.imported,
            "remove": result.destroyed,
        },
        "failures": [
            {"address": each.key, "message": each.message, "hint": each.hint} for each in result.failures
        ],
        "skipped": [{"address": key, "why": why} for key, why in result.skipped],
        "deferred": [{"address": key, "why": why} for key, why in result.deferred],
        "interrupted": [{"address": key, "why": why} for key, why in result.interrupted],
        "resume": "" if result.complete else result.resume,
    }
