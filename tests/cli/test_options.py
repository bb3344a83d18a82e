"""Options that plan, apply and check share."""

from __future__ import annotations

from dataclasses import replace

import click
import pytest

from mesh.cli.options import asked_options, keys, left_out, skipping, words
from mesh.errors import UsageError
from mesh.model import Asked, Key
from mesh.queries.checks.catalog import CHECKS
from tests.cli.views.plans import FULL

CONTEXT = click.Context(click.Command("x"))
OPTION = click.Option(["--take"])


def test_addresses_are_parsed_and_repetitions_count_once() -> None:
    found = keys(CONTEXT, OPTION, ("link/a/b", "link/b/a", "link/a/b"))
    assert found == {Key("link", "a", "b"), Key("link", "b", "a")}


@pytest.mark.parametrize("text", ["link/a", "link/a/b/c", "link//b", ""])
def test_an_address_that_is_not_valid_is_refused_in_words(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a valid address: write kind/cluster/name"):
        keys(CONTEXT, OPTION, (text,))


def test_a_downgrade_skips_the_checks_that_it_would_fail_and_no_others() -> None:
    waived = {check.id for check in CHECKS if check.waived_by == "--allow-downgrade"}
    assert waived
    assert left_out(("P07",), downgrade=False) == ("P07",)
    found = left_out(("P07", *waived), downgrade=True)
    assert (set(found), len(found)) == ({"P07", *waived}, 1 + len(waived))


def test_the_options_are_collected_and_typed_again_as_they_were() -> None:
    seen: list[Asked] = []

    @click.command()
    @asked_options
    def command(asked: Asked) -> None:
        seen.append(asked)

    given = (
        "--take", "link/a/b", "--leave", "link/b/a", "--target", "chart/*/istiod", "--target", "a",
        "--exclude", "b", "--allow-deletes", "12", "--allow-downgrade", "--ignore-enrolled",
    )  # fmt: skip
    command.main(list(given), standalone_mode=False)
    command.main([], standalone_mode=False)
    assert seen == [
        Asked(("link/a/b",), ("link/b/a",), True, (), ("chart/*/istiod", "a"), ("b",), "12", True),
        Asked(),
    ]
    assert words(seen[0]) == given
    assert words(seen[1]) == ()


def test_a_plan_names_the_skipped_checks_once_and_sorted() -> None:
    assert skipping(FULL, ()) is FULL
    assert skipping(FULL, ("P07", "P01", "P07")) == replace(FULL, skipped_checks=("P01", "P07"))


def test_an_unknown_check_cannot_be_skipped() -> None:
    with pytest.raises(UsageError, match="unknown check 'p07'") as error:
        skipping(FULL, ("p07",))
    assert error.value.hint == "did you mean P07?"
