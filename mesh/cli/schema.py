"""`mesh schema`: print the JSON Schema of the mesh file."""

from __future__ import annotations

from pathlib import Path

import click

from mesh.errors import MeshError


@click.command("schema")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the schema to a file instead of stdout.",
)
def schema_command(*, out: Path | None) -> None:
    """Print the JSON Schema of the mesh file, for editors and validators."""
    from mesh.config.decode import schema_text

    if out:
        write_schema(out)
    else:
        click.echo(schema_text(), nl=False)


def write_schema(path: Path) -> None:
    """Write the schema to a file and create its folder; raise `MeshError` if that fails."""
    from mesh.config.decode import schema_text
    from mesh.world.disk.files import replace_file

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or "not a path"
        raise MeshError(f"cannot create {path.parent}: {why.lower()}", hint="choose another file") from None
    replace_file(path, schema_text().encode())
