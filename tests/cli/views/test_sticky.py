"""The comment of a mesh is found by its hidden line and its author, and edited rather than repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.cli.views.sticky import CommentAction, Marker, decide, marker, own, posted, with_outcome
from mesh.world.forge.model import Comment

MINE, HEAD = "mesh-bot", "abc"
TEXTS = st.text(max_size=40)


def body(digest: str = "sha256:1", text: str = "plan") -> str:
    return f"{Marker('prod', digest, HEAD).line(html=True)}\n{text}"


def comment(text: str, author: str = MINE, number: int = 1) -> Comment:
    return Comment(str(number), author, text)


@given(TEXTS, TEXTS, TEXTS, st.booleans(), st.booleans())
def test_a_marker_is_read_back_and_is_one_inert_line(
    mesh: str,
    digest: str,
    head: str,
    truncated: bool,
    html: bool,  # drawn
) -> None:
    found = Marker(mesh, digest, head, truncated)
    line = found.line(html=html)
    assert "\n" not in line
    assert line.count("-->") == (1 if html else 0)
    assert "@" not in line
    assert marker(line + "\nmore") == found


@pytest.mark.parametrize(
    "first",
    [
        "",
        "hello",
        "<!-- mesh-plan -->",
        "<!-- mesh-plan {} -->",
        '<!-- mesh-plan {"mesh": 5} -->',
        "<!-- mesh-plan " + "{" * 9000 + "} -->",
    ],
)
def test_another_first_line_is_no_marker(first: str) -> None:
    assert marker(first) is None


def test_a_marker_of_another_author_or_mesh_does_not_count() -> None:
    other = body().replace("prod", "stage")
    found = [comment(body(), "mallory"), comment(other), comment(body(), number=3)]
    assert [each.id for each in own(found, MINE, "prod")] == ["3"]


def test_the_first_plan_creates_and_the_next_edits() -> None:
    assert decide((), body(), approved=False, empty=False).action is CommentAction.CREATE
    again = decide((comment(body()),), body("sha256:2"), approved=False, empty=False)
    assert (again.action, again.newest, again.outdated) == (CommentAction.EDIT, comment(body()), ())


def test_an_equal_comment_is_left_alone() -> None:
    assert (
        decide((comment(body() + "\n"),), body(), approved=True, empty=False).action is CommentAction.NOTHING
    )


def test_a_plan_without_changes_edits_and_never_starts() -> None:
    assert decide((), body(), approved=False, empty=True).action is CommentAction.NOTHING
    found = decide((comment(body()),), body("sha256:0"), approved=False, empty=True)
    assert found.action is CommentAction.EDIT


def test_another_digest_after_an_approval_is_a_new_comment() -> None:
    old = comment(body())
    found = decide((old,), body("sha256:2"), approved=True, empty=False)
    assert (found.action, found.outdated) == (CommentAction.REPLACE, (old,))
    same = decide((old,), body(text="the same plan of another commit"), approved=True, empty=False)
    assert same.action is CommentAction.EDIT


def test_older_comments_of_the_mesh_are_hidden() -> None:
    old, new = comment(body(), number=1), comment(body(), number=2)
    found = decide((old, new), body("sha256:2"), approved=False, empty=False)
    assert (found.newest, found.outdated) == (new, (old,))


def test_an_outcome_replaces_an_earlier_one() -> None:
    once = with_outcome(body(), "**failed**\n", html=True, limit=60_000)
    twice = with_outcome(once, "**complete**\n", html=True, limit=60_000)
    assert "failed" not in twice
    assert twice.endswith("**complete**\n")
    assert twice.startswith(body())


def test_a_second_run_that_is_refused_leaves_the_record_of_the_first() -> None:
    done = with_outcome(body(), "**1 added**\n", html=True, limit=60_000)
    again = with_outcome(done, "**refused**\n", html=True, limit=60_000, beside=True)
    assert again.endswith("**1 added**\n\nRun again:\n**refused**\n")
    once_more = with_outcome(again, "**refused too**\n", html=True, limit=60_000, beside=True)
    assert once_more.endswith("**1 added**\n\nRun again:\n**refused too**\n")
    alone = with_outcome(body(), "**refused**\n", html=True, limit=60_000, beside=True)
    assert "Run again" not in alone


def test_an_outcome_of_any_length_leaves_the_marker_and_fits() -> None:
    whole = with_outcome(body(), "````\n" + "é line\n" * 9_000 + "````\n", html=True, limit=2_000)
    assert len(whole.encode()) <= 2_000
    assert marker(whole) == marker(body())
    assert whole.count("````") == 2


def test_a_plan_that_leaves_no_room_for_its_outcome_is_cut_with_its_folds_closed() -> None:
    long = body(
        text="<details><summary><b>c1</b>: x</summary>\n\n````diff\n"
        + "+ line\n" * 900
        + "````\n\n</details>\n"
    )
    whole = with_outcome(long, "**complete**\n", html=True, limit=2_000)
    assert len(whole.encode()) <= 2_000
    assert whole.count("<details>") == whole.count("</details>") == 1
    assert whole.count("````") == 2
    assert "The end was removed" in whole


def test_a_forge_without_html_gets_none() -> None:
    text = "<details><summary><b>c1</b>: 1 to add</summary>\n\n````diff\n</details>\n````\n\n</details>\n"
    found = posted(f"<!-- x -->\n{text}", Marker("prod", "sha256:1"), html=False, folds=False)
    assert found.startswith("[//]: # (mesh-plan {")
    assert found.partition("\n")[2] == "**c1**: 1 to add\n\n````diff\n</details>\n````\n\n"


def test_the_marker_of_a_forge_keeps_that_the_plan_was_cut() -> None:
    cut = Marker("prod", "sha256:1", truncated=True).line(html=True)
    found = marker(posted(f"{cut}\nx", Marker("prod", "sha256:1", HEAD), html=True, folds=True))
    assert found == Marker("prod", "sha256:1", HEAD, truncated=True)
