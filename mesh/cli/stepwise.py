"""`--stepwise`: upgrade over several minor versions of Istio, with a complete run for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import click

from mesh.cli.run_request import RunRequest
from mesh.cli.say import say
from mesh.cli.session import open_session
from mesh.engine.session import Session
from mesh.engine.verbs import decided
from mesh.errors import UsageError
from mesh.planner.upgrade_path import way

stepwise_option = click.option(
    "--stepwise", is_flag=True, help="Upgrade through each version of spec.istio.through in turn."
)


def stops(here: Session) -> tuple[str, ...]:
    """Return the versions to apply in order, from the clusters' current version to the file's."""
    return way(here.mesh, decided(here).inputs.found)


def one_by_one(request: RunRequest, run: Callable[[RunRequest], int]) -> int:
    """Run once for each version; stop after the first run that fails."""
    versions = stops(open_session(request.path, request.contexts).with_licence())
    if request.digest and len(versions) > 1:
        raise UsageError(
            "--plan-digest approves one plan, and --stepwise makes a plan for each version",
            hint="set spec.istio.version to the next version and apply that plan first",
        )
    for at, version in enumerate(versions, start=1):
        if len(versions) > 1:
            say(f"Istio {version}: step {at} of {len(versions)}", err=True)
        code = run(replace(request, stop_at=(version,) if at < len(versions) else ()))
        if code:
            return code
    return 0
