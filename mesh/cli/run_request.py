"""The options of a run, for apply and destroy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

from mesh.cli.print_plan import full_option
from mesh.cli.typed import typed
from mesh.cli.views.detail import Detail
from mesh.engine.run_options import DEFAULT_PARALLELISM, DEFAULT_TIMEOUT
from mesh.model import Plan
from mesh.sdk.shell import command

Verb = Literal["apply", "destroy"]
Command = Callable[..., object]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The options of a run; `saved` is the plan in the file that is applied."""

    path: Path
    contexts: tuple[str, ...]
    yes: bool
    timeout: float
    parallelism: int
    digest: str
    as_json: bool
    destroy: bool = False
    confirmed: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    stop_at: tuple[str, ...] = ()
    allow_deletes: str = ""
    saved: Plan | None = None
    detail: Detail = Detail.HEADLINES

    @property
    def verb(self) -> Verb:
        """The name of the command."""
        return "destroy" if self.destroy else "apply"

    def resume(self) -> str:
        """Return the command that resumes a stopped run, with every option that was typed."""
        contexts = [part for each in self.contexts for part in ("--context", each)]
        names = [part for each in self.confirmed for part in ("--confirm", each)]
        more = typed({"-f", "--context", "--confirm", *self.flags})
        return command("mesh", self.verb, "-f", str(self.path), *contexts, *self.flags, *names, *more)


def detail_of(*, yes: bool, digest: str, show_plan: bool, full: bool) -> Detail:
    """Return how much of the plan a run prints before it begins."""
    # A run that asks follows a plan that was read. One that neither asks nor names such a plan leaves the
    # only record of what it was about to do.
    unseen = yes and not digest
    return Detail.FULL if full else Detail.FOLDED if show_plan or unseen else Detail.HEADLINES


def _digest(_context: click.Context, _param: click.Parameter, value: str | None) -> str:
    """Refuse an empty digest: a script that found none would run without the check."""
    if value == "":
        raise click.BadParameter("it is empty")
    return value or ""


def run_options(command: Command) -> Command:
    """Add the options of every command that writes."""
    options = (
        click.option("--yes", "--auto-approve", is_flag=True, help="Do not ask for confirmation."),
        click.option(
            "--show-plan", is_flag=True, help="Print the plan as `mesh plan` does, before the question."
        ),
        full_option,
        click.option(
            "--timeout",
            type=click.FloatRange(min=0.1),
            default=DEFAULT_TIMEOUT,
            show_default=True,
            help="Seconds to wait for each step to become ready.",
        ),
        click.option(
            "--parallelism",
            type=click.IntRange(1, 256),
            default=DEFAULT_PARALLELISM,
            show_default=True,
            help="Maximum number of concurrent steps.",
        ),
        click.option(
            "--plan-digest",
            "digest",
            metavar="sha256:…",
            callback=_digest,
            help="Run only if the plan has this digest; otherwise exit with 3.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print progress as JSON lines on stdout."),
    )
    for option in reversed(options):
        command = option(command)
    return command
