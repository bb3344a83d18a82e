"""`mesh output` refuses options that do not fit before it reads a cluster."""

from __future__ import annotations

import pytest

from mesh.cli.output import _refuse_unknown
from mesh.errors import PartialError, UsageError
from tests.cli.offline import EXAMPLE, offline

WHY = {"root_fingerprint": "no root", "eastwest_addresses.cluster1": "no gateway"}


@pytest.mark.parametrize("args", [("--raw",), ("networks.cluster1", "--raw", "--json")])
def test_raw_is_for_one_value(args: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="--raw needs a NAME and excludes --json"):
        offline("output", "-f", str(EXAMPLE), *args)


def test_an_unknown_value_that_was_asked_for_is_an_error_with_its_reason() -> None:
    with pytest.raises(PartialError, match="root_fingerprint is not known: no root") as error:
        _refuse_unknown(WHY, "root_fingerprint")
    assert error.value.exit_code == 6


def test_an_unknown_value_that_was_not_asked_for_is_none() -> None:
    _refuse_unknown(WHY, "networks")


def test_an_entry_of_an_output_is_part_of_it() -> None:
    with pytest.raises(PartialError, match=r"eastwest_addresses\.cluster1 is not known"):
        _refuse_unknown(WHY, "eastwest_addresses")
