"""`mesh schema`: the JSON Schema of the mesh file, for editors."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("schema")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file instead.")
def schema_command(*, out: Path | None) -> None:
    """Print the JSON Schema of the file, for editors and other checkers."""
    from mesh.decode import schema_text

    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(schema_text(), encoding="utf-8")
    else:
        click.echo(schema_text(), nl=False)
