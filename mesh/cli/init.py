"""`mesh init`: write a first mesh file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mesh.errors import UsageError

if TYPE_CHECKING:
    from mesh.starter import Entry

SCHEMA = Path(".mesh/desired-state.schema.json")


@click.command("init")
@click.option(
    "-f",
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("mesh.yaml"),
    show_default=True,
    help="The file to write.",
)
@click.option("--name", default="", help="The mesh's name.  [default: that of the folder]")
@click.option("--kubeconfig", type=click.Path(dir_okay=False, path_type=Path), help="Instead of KUBECONFIG.")
@click.option(
    "--context", "wanted", multiple=True, metavar="[NAME=]CTX", help="Only this context; may be repeated."
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def init_command(
    *, path: Path, name: str, kubeconfig: Path | None, wanted: tuple[str, ...], force: bool
) -> None:
    """Write a commented mesh.yaml from the contexts of the kubeconfig."""
    from mesh.cli.schema import write_schema
    from mesh.document.report import is_there
    from mesh.starter import Entry, label, starter
    from mesh.world.files import replace_file

    if is_there(path) and not force:
        raise UsageError(
            f"{path} is there already", hint="name another with --file, or replace it with --force"
        )
    clusters = _entries(kubeconfig, wanted)
    found = bool(clusters)
    clusters = clusters or (Entry("cluster1", "cluster1"), Entry("cluster2", "cluster2"))
    text = starter(
        label(name or path.absolute().parent.name) or "mesh",
        clusters,
        schema=str(SCHEMA),
        kubeconfig=_shown(kubeconfig) if kubeconfig else "",
    )
    write_schema(path.parent / SCHEMA)
    replace_file(path, text.encode())
    names = ", ".join(one.name for one in clusters)
    if found:
        click.echo(f"{path}: {names}; remove those that are not to be in the mesh")
    else:
        click.echo(f"{path}: no contexts found in a kubeconfig; change those of {names}")
    click.echo(f"next: mesh validate -f {path}", err=True)


def _entries(kubeconfig: Path | None, wanted: tuple[str, ...]) -> tuple[Entry, ...]:
    from mesh.starter import Entry, entries, label

    known = _contexts(kubeconfig)
    found: list[Entry] = []
    for text in wanted:
        name, sign, context = text.partition("=")
        if text in known or not sign:
            found += entries([text])
        else:
            found.append(Entry(label(name) or "cluster", context))
    if missing := [each.context for each in found if known and each.context not in known]:
        hint = f"there are {', '.join(known[:8])}"
        raise UsageError(f"no context {missing[0]} in the kubeconfig", hint=hint)
    return tuple(found) if wanted else entries(known)


def _contexts(kubeconfig: Path | None) -> list[str]:
    """Return the names of all contexts, those of the first file first; a missing file has none."""
    from mesh.load import load_foreign

    if kubeconfig:
        files = [kubeconfig]
    elif listed := os.environ.get("KUBECONFIG"):
        files = [Path(part) for part in listed.split(os.pathsep) if part]
    else:
        files = [Path.home() / ".kube" / "config"]
    names: dict[str, None] = {}
    for file in files:
        if kubeconfig or file.exists():
            match load_foreign(file):
                case {"contexts": list(contexts)}:
                    names |= {
                        str(each["name"]): None
                        for each in contexts
                        if isinstance(each, dict) and each.get("name")
                    }
    return list(names)


def _shown(path: Path) -> str:
    """Write a path below the home folder so that it means the same to a colleague."""
    absolute, home = path.absolute(), Path.home()
    return f"~/{absolute.relative_to(home)}" if absolute.is_relative_to(home) else str(absolute)
