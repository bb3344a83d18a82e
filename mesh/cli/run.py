"""The pipeline of apply and destroy: plan, show, ask, run, report."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import click

from mesh.cli.confirm import confirm_names, refuse_unknown
from mesh.cli.print_plan import printed
from mesh.cli.progress_feed import ProgressFeed, Waits
from mesh.cli.session import open_session
from mesh.cli.signals import Grace, asking, stopping
from mesh.cli.terminal import look, observer
from mesh.cli.views.escape import terminal
from mesh.cli.views.progress import JsonProgress
from mesh.cli.views.result import result_text
from mesh.cli.views.tally import tally
from mesh.engine import verbs as engine
from mesh.engine.gate import Ask
from mesh.engine.leftovers import leftovers
from mesh.engine.session import Planned, Session
from mesh.engine.verbs import DEFAULT_PARALLELISM, DEFAULT_TIMEOUT, RunResult
from mesh.errors import InterruptedRunError, StalePlanError, UsageError
from mesh.model import Key
from mesh.planner.from_record import refuse_as_recorded
from mesh.state.lease import Leases
from mesh.state.lease_holder import Holder, refuse_held
from mesh.walk import Stop
from mesh.world.helm.children import Children

Command = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of a run."""

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

    def resume(self) -> str:
        """Return the command that resumes a stopped run."""
        verb = "destroy" if self.destroy else "apply"
        contexts = [part for each in self.contexts for part in ("--context", each)]
        names = [part for each in self.confirmed for part in ("--confirm", each)]
        return shlex.join(["mesh", verb, "-f", str(self.path), *contexts, *self.flags, *names])


def run_options(command: Command) -> Command:
    """Add the options of every command that writes."""
    options = (
        click.option("--yes", is_flag=True, help="Do not ask for confirmation."),
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
            default="",
            metavar="sha256:…",
            help="Run only if the plan has this digest; otherwise exit with 3.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print progress as JSON lines on stdout."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def carry_out(wishes: Wishes, plan: Callable[[Session], Planned]) -> int:
    """Plan under the lock, show the plan, ask, run and report; return the exit code."""
    stop, waits, children = Stop.new(), Waits(), Children()
    here = open_session(
        wishes.path,
        wishes.contexts,
        stop=stop,
        children=children,
        say=waits.say,
        licence=not wishes.destroy,
        stop_at=wishes.stop_at,
    )
    refuse_unknown(wishes.confirmed, tuple(each.name for each in here.mesh.clusters))
    verb = "destroy" if wishes.destroy else "apply"
    with (
        here.store.held(verb, here.world.clock.now()),
        stopping(stop, lambda text: click.echo(text, err=True), lambda: _hurry(children)),
    ):
        refuse_held(here.mesh.name, here.world.kubes, _holder(here, verb))
        planned = plan(here)
        if stop():
            raise InterruptedRunError("interrupted, nothing was changed")
        refuse_as_recorded(planned.plan)
        _show(wishes, planned)
        _check_digest(wishes, planned)
        if not wishes.destroy:
            _check(here, planned)
        if planned.plan.steps and not wishes.yes:
            _ask(wishes)
        confirm_names(planned.plan.confirm, wishes.confirmed, ask=not wishes.yes)
        grace = Grace(stop, children, here.world.clock.monotonic)
        result = _run(wishes, here, planned, waits, grace)
    if stop():
        raise InterruptedRunError(
            "interrupted, finished steps are recorded", hint=f"resume with: {wishes.resume()}"
        )
    engine.check(result)
    return 0


def _hurry(children: Children) -> None:
    children.stop()


def _show(wishes: Wishes, planned: Planned) -> None:
    if not wishes.as_json:
        click.echo(printed(planned.plan, "text"))


def _check_digest(wishes: Wishes, planned: Planned) -> None:
    if wishes.digest and wishes.digest != planned.plan.digest:
        raise StalePlanError(
            f"the plan has changed since the review: its digest was {wishes.digest} and is now "
            f"{planned.plan.digest}",
            hint="review the plan above, then run apply with the new digest",
        )


def _check(here: Session, planned: Planned) -> None:
    """Raise RefusedError if a pre-flight check finds errors."""
    from mesh.queries.check import before_apply

    before_apply(here, planned)


def _asking(here: Session, skipped: Collection[str]) -> Ask:
    """Return a function that runs the mid-flight checks, without the checks that the plan skips."""

    def ask(clusters: tuple[str, ...], pending: frozenset[Key], users: frozenset[Key]) -> str:
        from mesh.queries.check import between

        return between(here, clusters, pending, users, skipped=skipped)

    return ask


def _ask(wishes: Wishes) -> None:
    """Continue only after the answer `yes`; raise UsageError if there is no terminal to ask on."""
    screen = look(os.environ, sys.stdin, sys.stdout, sys.stderr)
    if not screen.answers:
        raise UsageError(
            "cannot ask for confirmation: not a terminal", hint="add --yes, or run in a terminal"
        )
    if wishes.destroy:
        click.echo(
            "Do you really want to destroy all of this?\n  There is no undo. Only 'yes' will be accepted."
        )
    else:
        click.echo("Do you want to perform these actions?\n  Only 'yes' will be accepted to approve.")
    with asking():
        answer = click.prompt("\n  Enter a value", default="", show_default=False, prompt_suffix=": ")
    if answer != "yes":
        raise InterruptedRunError("not confirmed, nothing was changed")


def _holder(here: Session, verb: str, lineage: str = "") -> Holder:
    return Holder.here(verb, lineage, here.store.place(), here.world.clock.now())


def _leases(here: Session, verb: str, planned: Planned) -> Leases:
    holder = _holder(here, verb, planned.state.lineage)
    return Leases(here.mesh.name, holder, here.world.clock, here.world.kubes)


def _run(wishes: Wishes, here: Session, planned: Planned, waits: Waits, grace: Grace) -> RunResult:
    verb: Literal["apply", "destroy"] = "destroy" if wishes.destroy else "apply"
    screen = look(os.environ, sys.stdin, sys.stdout, sys.stderr)
    clock = here.world.clock
    clusters = sorted(here.world.kubes)
    eyes = JsonProgress(sys.stdout, clock) if wishes.as_json else observer(screen, clock, clusters)
    teller = ProgressFeed(eyes, waits, clock.monotonic)

    def tick() -> None:
        grace.tick()
        teller.tick()

    try:
        result = engine.apply(
            here,
            planned,
            watch=replace(teller.watch(), tick=tick),
            stopping=grace.stop,
            timeout=wishes.timeout,
            parallelism=wishes.parallelism,
            leases=_leases(here, verb, planned),
            ask=_asking(here, planned.plan.skipped_checks),
        )
        teller.deferred(planned.plan.deferred)
    finally:
        eyes.close()
    left = leftovers(planned.observation.uids, here.world) if wishes.destroy else ()
    for warning in (*result.warnings, *left):
        click.echo(f"Warning: {terminal(warning)}", err=True)
    last = tally(verb, teller.events, stopped=grace.stop(), resume=wishes.resume())
    if isinstance(eyes, JsonProgress):
        eyes.result(last)
    else:
        click.echo(result_text(last, colour=screen.out_colour), nl=False)
    return result
