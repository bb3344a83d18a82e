from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.cli.views.escape import JOINER, fence, markdown_code, markdown_inline, terminal
from tests.cli.views.plans import RELAXED, TEXT

ANY = st.one_of(TEXT, st.text())
FORBIDDEN = [*range(0x20), *range(0x7F, 0xA0), *range(0x200B, 0x2010), *range(0x202A, 0x202F)]
FORBIDDEN += [*range(0x2060, 0x206A), 0xFEFF, 0xAD, 0x61C, 0x3164, 0xFE0F, 0xD800, 0xE0041]


@pytest.mark.parametrize("code", FORBIDDEN)
def test_a_character_that_acts_or_hides_is_shown_by_its_number(code: int) -> None:
    shown = terminal(f"a{chr(code)}b")
    assert chr(code) not in shown
    assert re.fullmatch(r"a\\(n|r|t|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})b", shown)


@RELAXED
@given(ANY)
def test_terminal_text_is_one_printable_line(text: str) -> None:
    shown = terminal(text)
    assert shown.isprintable()
    assert terminal(shown) == shown


@pytest.mark.parametrize("text", ["", "istio-system/istiod", "größer", "日本", "🦀 crab", "a\\nb"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert terminal(text) == text


@RELAXED
@given(ANY)
def test_inline_markdown_holds_no_syntax(text: str) -> None:
    shown = markdown_inline(text)
    bare = re.sub(r"&#\d+;", "", shown)
    assert not re.search(r"[\\`*_{}\[\]()#+!|<>~$@&\"'\n:;=^]", bare)
    assert "\n" not in shown


@pytest.mark.parametrize("text", ["@admin", "#12", "https://e.x", ":smile:", "www.e.x", "GH-1", "a@b.c"])
def test_nothing_live_is_left_once_the_references_are_read(text: str) -> None:
    import html

    shown = html.unescape(markdown_inline(text))
    assert shown.replace(JOINER, "") == text
    assert not re.search(r"[@#]\w|://|:smile:|www\.|GH-1", shown)


@RELAXED
@given(ANY)
def test_code_never_closes_its_fence(text: str) -> None:
    inner = markdown_code(text)
    marks = fence(inner)
    assert marks not in inner
    assert len(marks) <= 9
    assert not re.search(r"(?<!\w)[@#]\w", inner)


def test_a_digest_in_code_can_be_copied() -> None:
    reference = "oci://registry.example/istiod@sha256:00ff"
    assert markdown_code(reference) == reference
