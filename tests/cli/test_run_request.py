"""The options of a run, and the command that resumes it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from mesh.cli.run_request import RunRequest, detail_of, run_options
from mesh.cli.views.detail import Detail
from mesh.engine.run_options import DEFAULT_PARALLELISM, DEFAULT_TIMEOUT
from tests.cli.requests import APPLY


@pytest.mark.parametrize(
    ("request_", "command"),
    [
        (APPLY, "mesh apply -f mesh.yaml"),
        (replace(APPLY, destroy=True, yes=True), "mesh destroy -f mesh.yaml"),
        (
            replace(APPLY, contexts=("a=x", "b=y"), flags=("--take", "link/a/b"), confirmed=("a", "b")),
            "mesh apply -f mesh.yaml --context a=x --context b=y --take link/a/b --confirm a --confirm b",
        ),
        (replace(APPLY, path=Path("my mesh.yaml")), "mesh apply -f 'my mesh.yaml'"),
    ],
)
def test_a_run_is_resumed_with_its_options_but_not_with_its_approval(
    request_: RunRequest, command: str
) -> None:
    assert request_.resume() == command


def test_a_shell_reads_back_what_was_typed() -> None:
    odd = replace(APPLY, path=Path("it's $HOME.yaml"), contexts=("a=arn:x;y",))
    assert shlex.split(odd.resume()) == [
        "mesh", "apply", "-f", "it's $HOME.yaml", "--context", "a=arn:x;y",
    ]  # fmt: skip


def parsed(*args: str) -> dict[str, object] | str:
    """The options of a command, or its error message."""
    command = click.command()(run_options(lambda **options: options))
    result = CliRunner().invoke(command, args, standalone_mode=False)
    return str(result.exception) if result.exception else result.return_value


def test_without_options_a_run_asks_and_has_defaults() -> None:
    assert parsed() == {
        "yes": False,
        "timeout": DEFAULT_TIMEOUT,
        "parallelism": DEFAULT_PARALLELISM,
        "digest": "",
        "as_json": False,
        "show_plan": False,
        "full": False,
    }


@pytest.mark.parametrize(
    ("options", "detail"),
    [
        ({}, Detail.HEADLINES),
        ({"yes": True}, Detail.FOLDED),
        ({"yes": True, "digest": "sha256:1"}, Detail.HEADLINES),
        ({"show_plan": True}, Detail.FOLDED),
        ({"full": True, "digest": "sha256:1"}, Detail.FULL),
    ],
)
def test_a_plan_is_printed_before_a_run_unless_it_was_read(options: dict[str, Any], detail: Detail) -> None:
    given = {"yes": False, "digest": "", "show_plan": False, "full": False, **options}
    assert detail_of(**given) is detail


@pytest.mark.parametrize(
    "args", [("--timeout", "0"), ("--parallelism", "0"), ("--parallelism", "257"), ("--parallelism", "many")]
)
def test_a_number_out_of_its_range_is_refused(args: tuple[str, ...]) -> None:
    assert args[1] in parsed(*args)
    assert isinstance(parsed(*args), str)
