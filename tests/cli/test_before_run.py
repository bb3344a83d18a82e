"""Between the plan and the first write: what is shown, what is refused, what is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.cli.before_run import (
    BEFORE,
    ask,
    ask_names,
    check,
    check_digest,
    limit_deletions,
    refuse_by_state,
    refuse_unread_users,
    show,
)
from mesh.cli.run_request import RunRequest
from mesh.engine.session import Planned, Session
from mesh.errors import RefusedError, StalePlanError, UsageError
from tests.cli.requests import APPLY
from tests.engine.toy import key, plan, toy, toys
from tests.support.steps import step


@pytest.fixture
def planned(here: Session) -> Planned:
    return plan(here, toy("a", out=1))


def test_the_plan_is_shown_before_it_is_compared_checked_and_approved() -> None:
    assert list(BEFORE) == [
        refuse_by_state,
        show,
        check_digest,
        limit_deletions,
        refuse_unread_users,
        check,
        ask,
        ask_names,
    ]


def test_a_plan_by_the_state_alone_is_not_carried_out(here: Session, planned: Planned) -> None:
    by_state = replace(planned, plan=replace(planned.plan, recorded=(key("a"), key("b"))))
    refuse_by_state(APPLY, here, planned)
    with pytest.raises(RefusedError, match=r"secrets in cluster1, so toy/cluster1/a and 1 more"):
        refuse_by_state(APPLY, here, by_state)


@pytest.mark.parametrize(("as_json", "lines"), [(False, True), (True, False)])
def test_the_plan_does_not_mix_with_json_progress(
    as_json: bool, lines: bool, here: Session, planned: Planned, capsys: pytest.CaptureFixture[str]
) -> None:
    show(replace(APPLY, as_json=as_json), here, planned)
    assert ("toy/cluster1/a will be created" in capsys.readouterr().out) is lines


def test_a_saved_plan_is_neither_printed_nor_asked_about_again(
    here: Session, planned: Planned, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = replace(APPLY, saved=planned.plan)
    show(saved, here, planned)
    ask(saved, here, planned)
    assert capsys.readouterr().out == ""


def test_many_deletions_need_an_option_unless_the_command_is_destroy(here: Session, planned: Planned) -> None:
    gone = tuple(step(f"- toy/cluster1/{name}") for name in "abcd")
    much = replace(planned, plan=replace(planned.plan, steps=gone, entries=8))
    with pytest.raises(RefusedError, match="this plan deletes 4 of 8 recorded resources"):
        limit_deletions(APPLY, here, much)
    limit_deletions(replace(APPLY, allow_deletes="4"), here, much)
    limit_deletions(replace(APPLY, destroy=True), here, much)


def test_only_the_reviewed_plan_runs(here: Session, planned: Planned) -> None:
    check_digest(APPLY, here, planned)
    check_digest(replace(APPLY, digest=planned.plan.digest), here, planned)
    with pytest.raises(StalePlanError, match=f"was sha256:00 and is now {planned.plan.digest}"):
        check_digest(replace(APPLY, digest="sha256:00"), here, planned)


def test_a_destroy_needs_no_healthy_mesh(here: Session, planned: Planned) -> None:
    toys(here.world, "cluster1").down = True
    check(replace(APPLY, destroy=True), here, planned)


@pytest.mark.parametrize("request_", [APPLY, replace(APPLY, destroy=True)])
def test_steps_need_an_answer_or_yes(request_: RunRequest, here: Session, planned: Planned) -> None:
    ask(replace(request_, yes=True), here, planned)
    ask(request_, here, replace(planned, plan=replace(planned.plan, steps=())))
    with pytest.raises(UsageError, match="cannot ask for confirmation"):
        ask(request_, here, planned)


def test_yes_does_not_confirm_new_identities(here: Session, planned: Planned) -> None:
    moved = replace(planned, plan=replace(planned.plan, confirm=("cluster1", "cluster2")))
    with pytest.raises(UsageError, match="in cluster2 again; --yes does not confirm that") as error:
        ask_names(replace(APPLY, yes=True, confirmed=("cluster1",)), here, moved)
    assert error.value.hint == "review the plan above, then add --confirm cluster2"
    ask_names(replace(APPLY, yes=True, confirmed=("cluster2", "cluster1")), here, moved)
