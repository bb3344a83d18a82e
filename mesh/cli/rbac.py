"""`mesh rbac`: print the minimal RBAC rights of a plan or an apply as manifests."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from mesh.cli.say import say
from mesh.cli.session import document_options, load
from mesh.errors import UsageError
from mesh.model.printable import quoted

HEAD = """\
# Minimal RBAC rights for `mesh {what}` of mesh {mesh} in cluster {cluster}.
# Grant: kubectl --context {context} apply -f -    Revoke: kubectl --context {context} delete -f -"""
BEFORE = """\
# These namespaces must exist first, and remain when the rights are revoked:
{lines}"""
CREATE = "#   kubectl --context {context} create namespace {name}"
WARNING = "a user who can list Secrets in {namespace} can read the private key of this cluster's intermediate"
UNKNOWN = "kind {kind} does not say which rights it needs: grant them yourself"
WAY_OUT = "; add --without-secrets to exclude Secrets"


@click.command("rbac")
@document_options
@click.option(
    "--for",
    "what",
    type=click.Choice(("plan", "apply")),
    required=True,
    help="The command to grant rights for.",
)
@click.option(
    "--dry-runs", is_flag=True, help="Let a plan dry-run its writes; an admission policy denies real writes."
)
@click.option(
    "--without-secrets",
    is_flag=True,
    help="Grant no access to Secrets: a plan then compares them with the last apply.",
)
@click.option("--cluster", "only", metavar="NAME", help="Print the rights for this cluster only.")
@click.option("--user", default="", metavar="NAME", help="Grant the rights to this existing user.")
def rbac_command(
    *,
    path: Path,
    contexts: tuple[str, ...],
    what: str,
    dry_runs: bool,
    without_secrets: bool,
    only: str | None,
    user: str,
) -> int:
    """Print manifests with the minimal rights of a plan or an apply, per cluster. Changes nothing."""
    from mesh.engine.registry import all_kinds
    from mesh.queries.access import roles as rbac
    from mesh.world.yaml_documents import write_all

    if any("\ud800" <= char <= "\udfff" for char in user):
        raise UsageError("--user is not valid UTF-8", hint="write the name as the API server knows it")
    mesh = load(path, contexts)
    names = [each.name for each in mesh.clusters]
    if only is not None and only not in names:
        raise UsageError(f"there is no cluster {only}", hint=f"the clusters are {', '.join(names)}")
    for name, is_set in (("--dry-runs", dry_runs), ("--without-secrets", without_secrets)):
        if is_set and what != "plan":
            raise UsageError(f"{name} needs --for plan", hint=f"remove {name}, or use --for plan")
    kinds, writes = all_kinds(), what == "apply" or dry_runs
    hidden = rbac.SECRETS if without_secrets else frozenset()
    plan = rbac.to_plan_by_dry_runs if dry_runs else rbac.to_plan
    grant = rbac.to_apply if what == "apply" else partial(plan, hidden=hidden)
    for cluster in mesh.clusters:
        if only in {None, cluster.name}:
            if not without_secrets:
                message = WARNING.format(namespace=cluster.namespace) + (WAY_OUT if what == "plan" else "")
                say(f"Warning: cluster {cluster.name}: {message}", err=True)
                say(f"# {message[0].upper()}{message[1:]}.")
            context = quoted(cluster.context)
            say(HEAD.format(what=what, mesh=mesh.name, cluster=cluster.name, context=context))
            if writes:
                _warn_unknown(cluster.name, rbac.unknown_kinds(mesh, cluster, kinds))
            granted = grant(mesh, cluster, kinds, user)
            lines = [CREATE.format(context=context, name=quoted(name)) for name in rbac.homes(granted)]
            say(BEFORE.format(lines="\n".join(lines)))
            click.echo(write_all(granted), nl=False)
    return 0


def _warn_unknown(cluster: str, kinds: tuple[str, ...]) -> None:
    """Warn about kinds with unknown rights, on stderr and in the manifests."""
    for kind in kinds:
        message = UNKNOWN.format(kind=kind)
        say(f"Warning: cluster {cluster}: {message}", err=True)
        say(f"# {message[0].upper()}{message[1:]}.")
