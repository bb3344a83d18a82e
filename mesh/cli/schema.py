"""`mesh schema`: the JSON Schema of the mesh file, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from mesh.errors import MeshError


@click.command("schema")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file instead.")
def schema_command(*, out: Path | None) -> None:
    """Print the JSON Schema of the file, for editors and other checkers."""
    from mesh.config.decode import schema_text

    if out:
        write_schema(out)
    else:
        click.echo(schema_text(), nl=False)


def write_schema(path: Path) -> None:
    """Put the schema into a file, making its folder; raise `MeshError` if that cannot be."""
    from mesh.config.decode import schema_text
    from mesh.world.disk.files import replace_file

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or "not a path"
        raise MeshError(f"{path.parent} cannot be made: {why.lower()}", hint="name another file") from None
    replace_file(path, schema_text().encode())
