"""`--stepwise`: over several minor versions of Istio, one complete run after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import click

from mesh.cli.run import Wishes
from mesh.cli.session import open_session
from mesh.engine.session import Session
from mesh.engine.verbs import decided
from mesh.errors import UsageError
from mesh.planner.upgrade_path import way

stepwise_option = click.option(
    "--stepwise", is_flag=True, help="Stop at each version of spec.istio.through on the way."
)


def stops(here: Session) -> tuple[str, ...]:
    """The versions to apply one after another, as far as the clusters are from the file's."""
    return way(here.mesh, decided(here).inputs.found)


def one_by_one(wishes: Wishes, run: Callable[[Wishes], int]) -> int:
    """Run once for each version on the way; stop where one does not go well."""
    versions = stops(open_session(wishes.path, wishes.contexts))
    if wishes.digest and len(versions) > 1:
        raise UsageError(
            "--plan-digest is of one plan, and --stepwise makes one for each version",
            hint="set spec.istio.version to the first of them, and go on from there",
        )
    for at, version in enumerate(versions, start=1):
        if len(versions) > 1:
            click.echo(f"Istio {version}: step {at} of {len(versions)}", err=True)
        code = run(replace(wishes, stop_at=(version,) if at < len(versions) else ()))
        if code:
            return code
    return 0
