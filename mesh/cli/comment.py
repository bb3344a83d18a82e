"""`mesh comment`: post a plan, and what came of it, into its pull request."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from mesh.cli.post import Content, add_outcome, post, posted_digest, to_job_summary
from mesh.cli.views.annotations import annotated
from mesh.cli.views.outcome import error_markdown, summary_of
from mesh.errors import MeshError, UsageError
from mesh.world.disk.input_file import read_input
from mesh.world.forge.found import FORGES, Wishes, connect, pull_request
from mesh.world.forge.model import PullRequest

MAX_INPUT = 64 * 1024 * 1024
LONGEST = 100_000
"""Bytes of a comment, also where a forge allows more: longer ones are not read."""

FRAME = 400
"""Bytes for what is added to a plan: the commit in the hidden line and in the last one."""

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("comment")
@click.argument("plan_path", metavar="[PLAN]", required=False, type=FILE)
@click.option("--outcome", type=FILE, help="The output of `mesh apply --json`: add what the run did.")
@click.option("--error", "failure", type=FILE, help="The error output of a plan that could not be made.")
@click.option("--mesh", "mesh_name", envvar="MESH_NAME", help="The name of the mesh, if there is no PLAN.")
@click.option(
    "--forge",
    type=click.Choice(sorted(FORGES)),
    envvar="MESH_FORGE",
    help="Default: what the pipeline runs on.",
)
@click.option("--api", metavar="URL", envvar="MESH_FORGE_API", help="The address of the forge's API.")
@click.option("--repo", envvar="MESH_FORGE_REPO", help="The repository: owner/name.")
@click.option(
    "--pr",
    "number",
    envvar="MESH_FORGE_PR",
    help="The number of the pull request. Default: that of the pipeline or commit.",
)
@click.option("--head", metavar="SHA", envvar="MESH_FORGE_HEAD", help="The commit that was planned.")
@click.option("--dry-run", is_flag=True, help="Print the comment, and send nothing.")
@click.option(
    "--print-digest",
    is_flag=True,
    help="Print the digest of the plan posted last, for `mesh apply --plan-digest DIGEST`; send nothing.",
)
def comment_command(
    *,
    plan_path: Path | None,
    outcome: Path | None,
    failure: Path | None,
    mesh_name: str | None,
    forge: str | None,
    api: str | None,
    repo: str | None,
    number: str | None,
    head: str | None,
    dry_run: bool,
    print_digest: bool,
) -> None:
    """Post a saved plan as the comment of its pull request, or edit the comment that is there.

    One comment for each mesh, found again by a hidden line. The token comes from the environment.
    """
    if failure and (plan_path or outcome):
        raise UsageError("--error stands for a plan: give neither PLAN nor --outcome with it")
    if print_digest and (plan_path or outcome or failure or dry_run or not mesh_name):
        raise UsageError(
            "--print-digest needs --mesh NAME, and neither PLAN nor --outcome, --error or --dry-run"
        )
    env = dict(os.environ)
    at = pull_request(env, Wishes(forge or "", api or "", repo or "", number or "", head or ""))
    if print_digest:
        digest = posted_digest(connect(at, env, time.sleep), str(mesh_name))
        if digest:
            click.echo(digest)
        return
    kind = FORGES[at.forge]
    error = _text(failure) if failure else ""
    content = _failed(mesh_name, error, at) if failure else _planned(plan_path, mesh_name, kind.limit)
    if dry_run:
        click.echo(content.body(at, kind), nl=False)
        return
    for line in annotated(error, at.forge, env, Path.cwd()):
        click.echo(line)
    to_job_summary(env, content.text)
    there = connect(at, env, time.sleep)
    if outcome:
        summary = summary_of(_text(outcome))
        add_outcome(there, at, content, summary)
    else:
        post(there, at, content)


def _planned(path: Path | None, mesh: str | None, limit: int) -> Content:
    """Return the content for a saved plan; without one, only the name of its mesh."""
    if path is None:
        if not mesh:
            raise UsageError(
                "no plan", hint="name a plan that `mesh plan --out plan.json` saved, or add --mesh NAME"
            )
        return Content(mesh, "", "", "no plan", is_empty=False)
    from mesh.cli.saved_plan import load
    from mesh.cli.views.counts import count, summary
    from mesh.cli.views.plan_markdown import plan_markdown

    plan = load(path)
    says = summary(count(plan.steps, plan.deferred))
    text = plan_markdown(plan, budget=min(limit, LONGEST) - FRAME)
    return Content(plan.mesh, plan.digest, text, says, is_empty=plan.empty)


def _failed(mesh: str | None, error: str, at: PullRequest) -> Content:
    if not mesh:
        raise UsageError("--error needs --mesh NAME: the comment of one mesh is found by its name")
    return Content(
        mesh, "", error_markdown(mesh, error, at.run), "the plan failed", is_empty=False, failed=True
    )


def _text(path: Path) -> str:
    try:
        return read_input(path, limit=MAX_INPUT).decode("utf-8", "replace")
    except OSError as error:
        raise MeshError(f"{path} cannot be read: {error.strerror or error}") from None
