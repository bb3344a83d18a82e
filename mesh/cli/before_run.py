"""What apply and destroy do between the plan and the first write: show, compare, check, ask."""

from __future__ import annotations

from collections.abc import Callable

import click

from mesh.cli.confirm import confirm, confirm_names
from mesh.cli.print_plan import printed
from mesh.cli.run_request import RunRequest
from mesh.engine.in_use import refuse_leaving
from mesh.engine.session import Planned, Session
from mesh.errors import StalePlanError
from mesh.planner.from_record import refuse_as_recorded
from mesh.planner.guards import refuse_deletions

Before = Callable[[RunRequest, Session, Planned], None]


def refuse_by_state(_request: RunRequest, _session: Session, planned: Planned) -> None:
    """Refuse to write what was decided by the state alone."""
    refuse_as_recorded(planned.plan)


def show(request: RunRequest, _session: Session, planned: Planned) -> None:
    """Print the plan; a saved one was printed when it was made."""
    if not request.as_json and not request.saved:
        click.echo(printed(planned.plan, "text", request.detail))


def check_digest(request: RunRequest, _session: Session, planned: Planned) -> None:
    """Raise StalePlanError if this is not the plan that was reviewed."""
    if request.digest and request.digest != planned.plan.digest:
        raise StalePlanError(
            f"the plan has changed since the review: its digest was {request.digest} and is now "
            f"{planned.plan.digest}",
            hint="plan again and review that plan"
            if request.as_json
            else "review the plan above, then run apply with the new digest",
        )


def limit_deletions(request: RunRequest, _session: Session, planned: Planned) -> None:
    """Raise RefusedError if a large part of the mesh would go; a destroy says so by its name."""
    if not request.destroy:
        refuse_deletions(planned.plan, request.allow_deletes)


def refuse_unread_users(request: RunRequest, session: Session, planned: Planned) -> None:
    """Raise RefusedError if it cannot be read who uses the mesh in a cluster that left the file."""
    if not request.destroy and not planned.plan.asked.ignore_enrolled:
        refuse_leaving(planned.observation.snapshots, session.mesh, planned.plan, writes=True)


def check(request: RunRequest, session: Session, planned: Planned) -> None:
    """Raise RefusedError if a pre-flight check finds errors; a destroy needs no healthy mesh."""
    from mesh.queries.check import before_apply

    if not request.destroy:
        before_apply(session, planned)


def ask(request: RunRequest, _session: Session, planned: Planned) -> None:
    """Continue only with --yes or the answer `yes`; a saved plan and one without steps need neither."""
    question = (
        "Do you really want to destroy all of this?\n  There is no undo."
        if request.destroy
        else "Do you want to perform these actions?"
    )
    confirm(question, yes=request.yes or bool(request.saved) or not planned.plan.steps)


def ask_names(request: RunRequest, _session: Session, planned: Planned) -> None:
    """Continue only if each cluster in which identities change is confirmed by its name."""
    confirm_names(planned.plan.confirm, request.confirmed, ask=not request.yes)


BEFORE: tuple[Before, ...] = (
    refuse_by_state,
    show,
    check_digest,
    limit_deletions,
    refuse_unread_users,
    check,
    ask,
    ask_names,
)
"""In this order: what needs no person comes before the question, and the plan is shown before both."""
