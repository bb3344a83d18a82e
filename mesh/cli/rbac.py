"""`mesh rbac`: print the minimal RBAC rights of a plan or an apply as manifests."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from mesh.cli.say import say
from mesh.cli.session import document_options, load
from mesh.errors import UsageError
from mesh.model.printable import quoted, terminal
from mesh.model.spec import Cluster, Mesh
from mesh.sdk.shell import command
from mesh.world import Object

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
@click.option(
    "--out",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write one file per cluster to this folder: DIR/CLUSTER.yaml.",
)
@click.option("--user", default="", metavar="NAME", help="Grant the rights to this existing user.")
def rbac_command(
    *,
    path: Path,
    contexts: tuple[str, ...],
    what: str,
    dry_runs: bool,
    without_secrets: bool,
    only: str | None,
    folder: Path | None,
    user: str,
) -> int:
    """Print manifests with the minimal rights of a plan or an apply, per cluster. Changes nothing."""
    from mesh.engine.registry import all_kinds
    from mesh.queries.access import roles as rbac

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
    chosen = [cluster for cluster in mesh.clusters if only in {None, cluster.name}]
    if len(chosen) > 1 and not folder:
        raise UsageError(
            f"the rights of {len(chosen)} clusters are not printed as one stream: kubectl would grant all of "
            "them in one cluster",
            hint="add --out DIR for one file per cluster, or --cluster NAME",
        )
    for cluster in chosen:
        granted = grant(mesh, cluster, kinds, user)
        remarks = [] if without_secrets else [_secrets(cluster, what)]
        unknown = rbac.unknown_kinds(mesh, cluster, kinds) if writes else ()
        text = _manifests(
            mesh, cluster, granted, what, remarks, [UNKNOWN.format(kind=kind) for kind in unknown]
        )
        if folder:
            _write(folder / f"{cluster.name}.yaml", text, cluster)
        else:
            click.echo(text, nl=False)
    return 0


def _secrets(cluster: Cluster, what: str) -> str:
    return WARNING.format(namespace=cluster.namespace) + (WAY_OUT if what == "plan" else "")


def _manifests(
    mesh: Mesh, cluster: Cluster, granted: list[Object], what: str, first: list[str], then: list[str]
) -> str:
    """Return the manifests of one cluster with remarks before and after the head; warn on stderr as well."""
    from mesh.queries.access import roles as rbac
    from mesh.world.yaml_documents import write_all

    for message in (*first, *then):
        say(f"Warning: cluster {cluster.name}: {message}", err=True)
    context = quoted(cluster.context)
    head = HEAD.format(what=what, mesh=mesh.name, cluster=cluster.name, context=context)
    lines = [CREATE.format(context=context, name=quoted(name)) for name in rbac.homes(granted)]
    before = BEFORE.format(lines="\n".join(lines))
    notes = [*map(_comment, first), head, *map(_comment, then), before]
    lines = [terminal(line) for note in notes for line in note.split("\n")]
    return "".join(f"{line}\n" for line in lines) + write_all(granted)


def _comment(message: str) -> str:
    return f"# {message[0].upper()}{message[1:]}."


def _write(path: Path, text: str, cluster: Cluster) -> None:
    """Write the manifests of a cluster, and print the command that grants them in it."""
    from mesh.world.disk.files import naming, replace_file

    with naming(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, text.encode())
    say(command("kubectl", "--context", cluster.context, "apply", "-f", str(path)))
