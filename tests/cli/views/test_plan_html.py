"""A plan as an HTML page: whole, inert whatever its texts are, and without a request to anywhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given

from mesh.cli.views.plan_html import plan_html
from mesh.cli.views.plan_text import no_changes
from mesh.cli.views.step_lines import step_lines
from mesh.model import Action, Plan
from tests.cli.views.golden import expect
from tests.cli.views.plans import FULL, HOSTILE, NOTHING, ONLY_READ, PLANS, RELAXED
from tests.support.browser import WCAG_AA, look

EMPTY = {"meta", "!doctype"}
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "section", "details", "summary"),
    *("h1", "h2", "p", "ul", "li", "strong", "b", "code", "pre", "span"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "style", "scope", "aria-label"}


class Page(HTMLParser):
    """The tags and the text of a page; a tag that is not closed in its place is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: dict[str, set[str]] = {}
        self.lines: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.lines.append(data)


def said(page: Page) -> str:
    return "".join(page.lines)


@pytest.mark.parametrize(("name", "plan"), [("full", FULL), ("hostile", HOSTILE), ("only-read", ONLY_READ)])
def test_golden(name: str, plan: Plan) -> None:
    expect(f"{name}.html", plan_html(plan))


def test_a_plan_without_changes_says_so_and_shows_no_table() -> None:
    page = Page(plan_html(NOTHING))
    assert no_changes(NOTHING) in said(page)
    assert not page.tags & {"table", "details"}


@RELAXED
@given(PLANS)
def test_no_text_becomes_markup(plan: Plan) -> None:
    page = Page(plan_html(plan))
    assert page.tags <= TAGS
    assert page.attributes.keys() <= ATTRIBUTES
    assert all(re.fullmatch(r"--in: \d+", style) for style in page.attributes.get("style", ()))


@RELAXED
@given(PLANS)
def test_unfolding_shows_every_line_of_every_step(plan: Plan) -> None:
    text = said(Page(plan_html(plan)))
    for step in plan.steps:
        if step.action not in {Action.READ, Action.NOOP}:
            for line in step_lines(step):
                assert line.text in text


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    text = plan_html(FULL)
    (policy,) = [each for each in Page(text).attributes["content"] if "default-src" in each]
    assert "default-src 'none'" in policy
    assert not re.search(r"https?:|src=|url\(|@import|<script|<link|javascript:", text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it_to_everybody_and_opens_every_value(tmp_path: Path, scheme: str) -> None:
    page = tmp_path / "plan.html"
    page.write_text(plan_html(FULL), "utf-8")
    closed = look(page, scheme=scheme, width=400)
    assert closed.requests == (page.as_uri(),)
    assert not closed.messages
    assert not closed.wide
    assert "chart/cluster1/istiod will be updated in-place" in closed.text
    assert "autoscaleMin" not in closed.text
    opened = look(page, scheme=scheme, open=True, rules=WCAG_AA)
    assert "autoscaleMin" in opened.text
    assert not opened.violations
