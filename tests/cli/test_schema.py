"""`mesh schema` prints or writes the JSON Schema."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from mesh.cli.init import init_command
from mesh.cli.schema import schema_command
from mesh.config.decode import schema_text
from mesh.errors import MeshError
from tests.cli.folder import run

pytestmark = pytest.mark.usefixtures("folder")


def test_schema_prints_or_writes_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    run(schema_command)
    assert capsys.readouterr().out == schema_text()
    run(schema_command, "--out", "schemas/mesh.json")
    assert Path("schemas/mesh.json").read_text() == schema_text()


@pytest.mark.parametrize("target", ["file/mesh.yaml", "folder"])
def test_a_place_that_cannot_be_written_is_an_error_like_any_other(target: str) -> None:
    Path("file").write_text("")
    Path("folder").mkdir()
    for command, option in ((init_command, "--file"), (schema_command, "--out")):
        with pytest.raises((MeshError, click.UsageError)):
            run(command, option, target)
