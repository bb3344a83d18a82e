"""The command that goes on repeats what was typed."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from mesh.cli.apply import apply_command
from mesh.cli.destroy import destroy_command
from mesh.cli.main import cli, traced
from mesh.cli.typed import typed
from tests.cli.requests import APPLY


def test_nothing_was_typed_outside_of_a_command() -> None:
    assert typed(()) == ()
    assert APPLY.resume() == f"mesh apply -f {APPLY.path}"


@pytest.mark.parametrize(
    ("command", "args", "again"),
    [
        (apply_command, "--yes --timeout 60 --parallelism 4", "--yes --timeout 60 --parallelism 4"),
        (apply_command, "--skip-check P07 --skip-check P25", "--skip-check P07 --skip-check P25"),
        (apply_command, "--json", "--json"),
        (apply_command, "--timeout 0.5", "--timeout 0.5"),
        (apply_command, "--plan-digest sha256:0 -v", ""),
        (apply_command, "-f mesh.yaml --context a=b --confirm c", ""),
        (
            destroy_command,
            "--ignore-enrolled --crds --include-adopted",
            "--ignore-enrolled --crds --include-adopted",
        ),
    ],
)
def test_every_option_is_repeated_in_any_order(command: click.Command, args: str, again: str) -> None:
    with traced(command).make_context("apply", args.split()):
        found = typed({"-f", "--context", "--confirm"})
    assert sorted(found) == sorted(again.split())


def test_a_set_of_addresses_is_repeated_one_by_one() -> None:
    args = ["--take", "link/b/c", "--take", "link/a/b", "--untrusted"]
    with traced(apply_command).make_context("apply", args):
        assert typed(()) == ("--take", "link/a/b", "--take", "link/b/c", "--untrusted")


def test_options_before_the_verb_are_repeated_too() -> None:
    parent = cli.make_context("mesh", ["--untrusted", "apply"])
    with parent, traced(apply_command).make_context("apply", ["--yes"], parent=parent):
        assert typed(()) == ("--yes", "--untrusted")


def test_the_command_to_resume_has_each_option_once() -> None:
    args = ["--take", "link/a/b", "--yes", "-f", "mesh.yaml"]
    request = type(APPLY)(Path("mesh.yaml"), (), True, 300.0, 10, "", False, flags=("--take", "link/a/b"))
    with traced(apply_command).make_context("apply", args):
        assert request.resume() == "mesh apply -f mesh.yaml --take link/a/b --yes"
