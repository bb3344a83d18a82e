from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mesh.cli.main import VERBS, cli

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "verbs.md").read_text(encoding="utf-8")


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """A verb, or each of the verbs below it."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for each in command.list_commands(context):
        below = command.get_command(context, each)
        assert below is not None
        yield from commands(below, f"{name} {each}")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_section_and_every_option_its_words(verb: str) -> None:
    head, found, rest = PAGE.partition(f"\n## {verb}\n")
    assert found, f"docs/reference/verbs.md has no section on {verb}"
    said = head.partition("\n## ")[0] + re.split(r"\n## ", rest)[0]
    said += PAGE.partition("\n## apply\n")[2].partition("\n## ")[0] if verb == "destroy" else ""
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None
    for name, each in commands(command, verb):
        options = [
            option for param in each.params if isinstance(param, click.Option) for option in param.opts
        ]
        missing = [option for option in options if f"{option}" not in said]
        assert missing == [], f"docs/reference/verbs.md says nothing of {name} {' '.join(missing)}"
        assert name in said
