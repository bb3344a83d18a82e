"""`mesh recover` takes the address of a release and nothing else."""

from __future__ import annotations

import click
import pytest

from mesh.cli.recover import address
from mesh.model import Key
from tests.cli.offline import EXAMPLE, offline

CONTEXT = click.Context(click.Command("recover"))
PARAM = click.Argument(["key"])


def test_the_address_of_a_release_is_accepted() -> None:
    assert address(CONTEXT, PARAM, "chart/cluster1/istiod") == Key("chart", "cluster1", "istiod")


@pytest.mark.parametrize("text", ["istiod", "link/cluster1/cluster2", "chart/cluster1"])
def test_another_address_is_a_usage_error_that_shows_the_form(text: str) -> None:
    result = offline("recover", "-f", str(EXAMPLE), text)
    assert result.exit_code == 2
    assert "/" in result.output.partition("address")[2]


def test_help_says_that_nothing_is_rolled_back() -> None:
    assert "nothing is uninstalled or rolled back" in " ".join(offline("recover", "--help").output.split())
