"""What a plan must not destroy, or not so much at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.errors import InputError, RefusedError, UsageError
from mesh.model import Key, Origin, Plan
from mesh.planner.guards import (
    allowance,
    check_protected,
    deletion_warning,
    is_much,
    refuse_deletions,
    refuse_protected,
)
from tests.support.steps import step

LINE = Origin("mesh.yaml", 12, 7)
ISTIOD = "chart/cluster1/istiod"


@pytest.mark.parametrize("pattern", [ISTIOD, "chart", "cluster1", "chart/*/istiod"])
@pytest.mark.parametrize(("sign", "word"), [("-", "destroyed"), ("-/+", "replaced")])
def test_what_the_file_protects_is_not_destroyed(pattern: str, sign: str, word: str) -> None:
    with pytest.raises(RefusedError) as error:
        refuse_protected([step(f"{sign} {ISTIOD}"), step("- link/a/b")], {pattern: LINE})
    told = f"{ISTIOD} would be {word}, and spec.preventDestroy (mesh.yaml:12:7, {pattern}) forbids it"
    assert error.value.message == told
    assert (error.value.exit_code, "--exclude" in error.value.hint) == (5, True)


@pytest.mark.parametrize("sign", ["+", "~", "<=", "."])
def test_what_is_protected_may_change_in_any_other_way(sign: str) -> None:
    refuse_protected([step(f"{sign} {ISTIOD}")], {ISTIOD: LINE})


def test_a_pattern_that_protects_nothing_is_a_mistake_with_its_line() -> None:
    known = [Key.parse(ISTIOD)]
    check_protected({"chart": LINE, "cluster1": LINE}, known)
    with pytest.raises(InputError) as error:
        check_protected({"chart/cluster1/istoid": LINE}, known)
    (problem,) = error.value.problems
    assert (problem.file, problem.line, problem.path) == ("mesh.yaml", 12, "spec.preventDestroy")
    assert problem.hint == f"did you mean {ISTIOD}?"


def plan(deleted: int, entries: int) -> Plan:
    some = tuple(step(f"- link/a/b{number}") for number in range(deleted))
    return Plan("demo", (*some, step("-/+ link/a/c")), 1, "x", {}, entries=entries)


@pytest.mark.parametrize(
    ("deleted", "entries", "much"),
    [(3, 4, False), (4, 16, False), (4, 15, True), (25, 100, False), (26, 100, True)],
)
def test_more_than_three_deletions_and_a_quarter_of_the_mesh_are_much(
    deleted: int, entries: int, much: bool
) -> None:
    assert is_much(plan(deleted, entries)) is much


@pytest.mark.parametrize(("allowed", "refused"), [("", True), ("9", True), ("10", False), ("all", False)])
def test_many_deletions_must_be_allowed_by_number_or_all(allowed: str, refused: bool) -> None:
    found = plan(10, 20)
    assert bool(deletion_warning(found, allowed)) is refused
    if refused:
        with pytest.raises(RefusedError, match="this plan deletes 10 of 20 recorded") as error:
            refuse_deletions(found, allowed)
        assert "--allow-deletes 10" in error.value.hint
    else:
        refuse_deletions(found, allowed)


def test_few_deletions_need_no_option() -> None:
    refuse_deletions(plan(3, 4), "")
    assert deletion_warning(replace(plan(4, 16)), "") == ()


@pytest.mark.parametrize("text", ["-1", "some", "1.5", "25%"])
def test_only_a_number_or_all_is_an_allowance(text: str) -> None:
    assert [allowance(each) for each in ("", "0", "12", "all")] == ["", "0", "12", "all"]
    with pytest.raises(UsageError, match="neither a number nor all"):
        allowance(text)
