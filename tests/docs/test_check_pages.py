"""The pages of the checks agree with the catalog, and none is missing or empty."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from mesh.queries.checks.catalog import BY_ID, CHECKS
from mesh.queries.checks.model import Check

ROOT = Path(__file__).resolve().parents[2]


def generator() -> ModuleType:
    """The program that writes the heads of the pages; it is not part of the package."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "checks" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pages = generator()


def test_every_check_has_a_page_whose_head_is_the_catalogs() -> None:
    folder = ROOT / "docs" / "checks"
    assert {path.stem for path in folder.glob("*.md")} == {*BY_ID, "README"}
    for check in CHECKS:
        text = (ROOT / check.page).read_text()
        assert pages.page(check, text) == text, check.id


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_every_page_says_what_is_checked_why_and_how_to_fix_it(check: Check) -> None:
    sections = re.split(r"^## (.+)$", (ROOT / check.page).read_text(), flags=re.MULTILINE)[1:]
    found = dict(zip(sections[::2], sections[1::2], strict=True))
    assert tuple(found)[:3] == pages.PARTS
    assert {len(found[part].split()) > 1 for part in pages.PARTS} == {True}
    assert len(found["Why it matters"].split()) >= 10, "say what breaks, and for whom"


def test_the_index_and_the_readme_list_and_count_every_check() -> None:
    for path, change in (("docs/checks/README.md", pages.index), ("README.md", pages.readme)):
        text = (ROOT / path).read_text()
        assert change(text) == text, "run python docs/checks/generate.py"
        assert f"{len(CHECKS)}" in text
    index = (ROOT / "docs" / "checks" / "README.md").read_text()
    assert [check.id for check in CHECKS if f"\n{pages.row(check)}\n" not in index] == []


def test_a_new_check_appears_on_a_page_of_its_own_and_in_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    new = replace(CHECKS[0], id="P99", title="a new check")
    monkeypatch.setitem(pages.SECTIONS, "## Before an apply", (CHECKS[0], new))
    found = pages.index("## Before an apply\n\n| check |\n|---|\n| [P77](P77.md) | an old check |\n")
    assert found == f"## Before an apply\n\n| check |\n|---|\n{pages.row(CHECKS[0])}\n{pages.row(new)}\n"
    assert pages.page(new, "").endswith(f"{pages.END}\n\n## What it checks\n\n## Why it matters\n\n## Fix\n")
