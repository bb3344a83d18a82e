"""The catalog: unique IDs, one function each, and tests that see each check fail and pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from mesh.queries.checks.catalog import BY_ID, CHECKS
from mesh.queries.checks.model import Check
from tests.support.check_facts import Row

RULES = Path(__file__).with_name("rules")


def function(check: Check) -> object:
    """The function of a check."""
    return check.look or check.compare


def module_of(check: Check) -> str:
    """The name of the module of `rules` that holds a check's function."""
    return str(getattr(function(check), "__module__", "")).rpartition(".")[2]


def rows() -> Iterator[tuple[str, Row]]:
    """Every row of the tables of rules, with the module that it tests."""
    for path in sorted(RULES.glob("test_*.py")):
        for each in import_module(f"tests.queries.checks.rules.{path.stem}").ROWS:
            yield path.stem.removeprefix("test_"), each


def test_ids_are_unique_and_each_check_either_looks_or_compares() -> None:
    assert len(BY_ID) == len(CHECKS)
    assert all((check.look is None) != (check.compare is None) for check in CHECKS)
    assert all(re.fullmatch("[PQSM][0-9]{2}", check.id) for check in CHECKS)


def test_each_function_serves_one_check() -> None:
    assert len({function(check) for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_docstring_of_a_check_begins_with_its_id_and_says_what_it_verifies(check: Check) -> None:
    assert str(function(check).__doc__).startswith(f"{check.id}: verify that ")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_title_is_a_statement_in_lower_case_without_a_full_stop(check: Check) -> None:
    assert not check.title.endswith(".")
    assert check.title[0].islower() or check.title.split()[0] in {"RBAC", "Kubernetes"}
    assert check.fix


def test_each_check_fails_in_one_row_and_passes_in_another_of_its_own_module() -> None:
    found = list(rows())
    fails = {(module, row.check) for module, row in found if row.fails}
    passes = {(module, row.check) for module, row in found if row.lines == ("passed",)}
    wanted = {(module_of(check), check.id) for check in CHECKS}
    assert sorted(wanted - fails) == []
    assert sorted(wanted - passes) == []
    assert {(module, row.check) for module, row in found} <= wanted
