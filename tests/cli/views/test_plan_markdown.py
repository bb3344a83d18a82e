from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mesh.cli.views.plan_markdown import BUDGET, MIN_BUDGET, plan_markdown
from mesh.model import ABSENT, Action, Deferral, Field, Key, Plan, Reason, Step
from tests.cli.views.golden import expect
from tests.cli.views.plans import (
    CREATE_CHART,
    CREATE_LINK,
    DELETE_LINK,
    FULL,
    HOSTILE,
    NOTHING,
    ONLY_READ,
    PLANS,
    RELAXED,
    UPDATE_CHART,
)


def size(text: str) -> int:
    return len(text.encode())


def crowd(action: Action, number: int, body: int, name: str = "é```") -> tuple[Step, ...]:
    """Many steps with a long body each."""
    fields = tuple(Field((f"f{each}",), 1, f"{name} {each}") for each in range(body))
    fields = tuple(replace(each, before=ABSENT) for each in fields) if action is Action.CREATE else fields
    steps = []
    for each in range(number):
        own = (Field(("own",), ABSENT, each), *fields) if body else ()
        steps.append(
            Step(action, Key("link", f"cluster{each % 4}", f"{action.name}{each}"), Reason.CONFIG, own)
        )
    return tuple(steps)


def marker(comment: str) -> dict[str, object]:
    found = re.match(r"<!-- mesh-plan (\{.*\}) -->\n", comment)
    assert found
    data = json.loads(found[1])
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize(
    ("name", "plan"), [("full", FULL), ("nothing", NOTHING), ("only-read", ONLY_READ), ("hostile", HOSTILE)]
)
def test_a_comment_reads_as_agreed(name: str, plan: Plan) -> None:
    expect(f"{name}.md", plan_markdown(plan))


def test_the_first_line_tells_a_program_what_it_is() -> None:
    assert marker(plan_markdown(FULL)) == {"mesh": "prod", "digest": FULL.digest, "truncated": False}
    assert marker(plan_markdown(HOSTILE))["mesh"] == HOSTILE.mesh[:100]


def test_identical_changes_are_shown_once() -> None:
    other = replace(UPDATE_CHART, key=Key("chart", "cluster2", "istiod"))
    comment = plan_markdown(replace(NOTHING, steps=(UPDATE_CHART, other)))
    assert comment.count("autoscaleMin") == 1
    assert (
        "! " + "  chart/cluster2/istiod will be updated in-place\n# the same as chart/cluster1/istiod"
        in comment
    )


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.DELETE])
@pytest.mark.parametrize("body", [0, 40])
def test_a_plan_of_any_size_fits_exactly(action: Action, body: int) -> None:
    comment = plan_markdown(replace(NOTHING, steps=crowd(action, 2_000, body)))
    assert BUDGET - 3_000 < size(comment) <= BUDGET
    assert marker(comment)["truncated"] is True
    assert "were omitted to keep this comment short" in comment


def test_bodies_of_additions_go_first_then_those_of_changes() -> None:
    steps = (*crowd(Action.CREATE, 40, 40), *crowd(Action.UPDATE, 20, 40), CREATE_CHART, DELETE_LINK)
    comment = plan_markdown(replace(NOTHING, steps=steps))
    assert "CREATE0 will be created" in comment
    assert comment.count("f39 = 1 -> ") == 20
    assert "DELETE" not in comment
    assert "> - destroy link/cluster2/cluster3\n" in comment
    smaller = plan_markdown(replace(NOTHING, steps=steps), budget=20_000)
    assert "f39 = 1 -> " in smaller
    assert ' f39 = "' not in smaller
    assert smaller.count("will be updated in-place") == 20
    assert size(smaller) <= 20_000


def test_deletions_stay_when_everything_else_must_go() -> None:
    steps = (*crowd(Action.CREATE, 3_000, 1), *crowd(Action.DELETE, 100, 0))
    comment = plan_markdown(replace(NOTHING, steps=steps))
    for number in range(100):
        assert f"> - destroy link/cluster{number % 4}/DELETE{number}\n" in comment
    assert NOTHING.digest in comment


def test_a_budget_without_room_for_the_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="8000 bytes, 10 given"):
        plan_markdown(FULL, budget=10)


def test_a_mesh_of_many_clusters_folds_its_table() -> None:
    deferred = tuple(Deferral(Key("cert", f"cluster{each}", "cacerts"), "no route") for each in range(4_000))
    comment = plan_markdown(replace(NOTHING, deferred=deferred))
    assert size(comment) <= BUDGET
    assert re.search(r"\| and \d+ more \|", comment)


def balanced(comment: str) -> None:
    """Every fence that opens is closed, by the same marks; details are balanced outside of code."""
    open_marks, outside = "", []
    for line in comment.split("\n"):
        run = re.match(r"`{3,}", line)
        if run and not open_marks:
            open_marks = run[0]
            assert line == open_marks + "diff"
        elif open_marks and line == open_marks:
            open_marks = ""
        elif not open_marks:
            outside.append(line)
        else:
            assert open_marks not in line
    assert not open_marks
    text = "\n".join(outside)
    assert text.count("<details>") == text.count("</details>") == text.count("<summary>")
    tags = {"details", "/details", "summary", "/summary", "b", "/b", "sub", "/sub", "code", "/code", "!--"}
    assert {found.split()[0] for found in re.findall(r"<([^>]*)>", text)} <= tags
    for line in outside:
        assert not re.search(r"(?<!&)[@#]\w|://|!\[|\]\(", line)
        assert not line.startswith("|") or line.count("|") == 7


@RELAXED
@given(PLANS, st.integers(MIN_BUDGET, MIN_BUDGET + 4_000))
def test_no_plan_breaks_the_budget_or_the_comment(plan: Plan, budget: int) -> None:
    comment = plan_markdown(plan, budget=budget)
    assert size(comment) <= budget
    balanced(comment)
    assert marker(comment)["digest"] == plan.digest
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060-\u2069]", comment)


@settings(RELAXED, max_examples=30)
@given(PLANS, st.integers(1, 60))
def test_no_repetition_of_any_plan_breaks_the_budget(plan: Plan, times: int) -> None:
    comment = plan_markdown(
        replace(plan, steps=plan.steps * times, deferred=plan.deferred * times), budget=9_000
    )
    assert size(comment) <= 9_000
    balanced(comment)


OURS = {"heading", "paragraph", "strong", "blockquote", "bullet_list", "list_item", "table", "thead", "tbody"}
OURS |= {"tr", "th", "td", "text", "softbreak", "code_inline", "inline", "fence", "html_block"}
HTML = re.compile(r"<!-- mesh-plan .* -->\n|<details><summary><b>[^<]*</b>[^<]*</summary>\n|</details>\n")


@RELAXED
@given(PLANS)
def test_a_markdown_parser_finds_only_our_own_syntax(plan: Plan) -> None:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for token in parser.parse(plan_markdown(plan)):
        for each in [token, *(token.children or [])]:
            assert each.type.removesuffix("_open").removesuffix("_close") in OURS
        if token.type == "html_block":
            assert HTML.fullmatch(token.content)


def test_what_is_not_ready_or_deferred_comes_before_the_details_and_is_cut_by_its_budget() -> None:
    waits = tuple(
        Step(Action.READ, Key("link", "cluster1", f"c{n}"), Reason.UNHEALTHY, why="not connected to peer")
        for n in range(2_000)
    )
    late = tuple(Deferral(Key("link", "cluster2", f"c{n}"), "timed out") for n in range(2_000))
    comment = plan_markdown(replace(NOTHING, steps=(CREATE_LINK, *waits), deferred=late), budget=MIN_BUDGET)
    assert size(comment) <= MIN_BUDGET
    before = comment.partition("<details>")[0]
    assert "Not ready:\n\n- link/cluster1/c0: not connected to peer\n" in before
    assert "Deferred:\n\n- link/cluster2/c0: timed out\n" in before
    assert before.count(" more\n") == 2
