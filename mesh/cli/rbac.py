"""`mesh rbac`: the least rights that a plan or an apply needs, as manifests."""

from __future__ import annotations

from pathlib import Path

import click

from mesh.cli.desk import document_options, load
from mesh.errors import UsageError

HEAD = """\
# The least rights for `mesh {what}` of mesh {mesh} in cluster {cluster}.
# kubectl --context {context} apply -f -
"""
WARNING = """\
# Who may list Secrets in {namespace} can read the key of this cluster's intermediate.
"""


@click.command("rbac")
@document_options
@click.option("--for", "what", type=click.Choice(("plan", "apply")), required=True, help="What it is for.")
@click.option("--dry-runs", is_flag=True, help="Let a plan try its writes; a policy refuses real ones.")
@click.option("--cluster", "only", metavar="NAME", help="For this cluster only.")
@click.option("--user", default="", metavar="NAME", help="Grant it to this user, who is there already.")
def rbac_command(
    *, path: Path, contexts: tuple[str, ...], what: str, dry_runs: bool, only: str | None, user: str
) -> int:
    """Print manifests that grant the least that a plan or an apply needs, per cluster; send nothing."""
    from mesh import rbac
    from mesh.world.documents import write_all

    mesh = load(path, contexts)
    names = [each.name for each in mesh.clusters]
    if only is not None and only not in names:
        raise UsageError(f"there is no cluster {only}", hint=f"clusters are {', '.join(names)}")
    if dry_runs and what != "plan":
        raise UsageError("--dry-runs is about plans", hint="leave it out")
    grant = {"apply": rbac.to_apply, "plan": rbac.to_plan_by_dry_runs if dry_runs else rbac.to_plan}[what]
    for cluster in mesh.clusters:
        if only in {None, cluster.name}:
            head = HEAD.format(what=what, mesh=mesh.name, cluster=cluster.name, context=cluster.context)
            click.echo(head + WARNING.format(namespace=cluster.namespace), nl=False)
            click.echo(write_all(grant(mesh, cluster, user)), nl=False)
    return 0
