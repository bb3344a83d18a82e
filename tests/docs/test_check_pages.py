"""The pages of the checks are those that their table gives, and none is missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from mesh.queries.checks.catalog import BY_ID, CHECKS
from mesh.queries.checks.model import Phase

ROOT = Path(__file__).resolve().parents[2]


def generator() -> ModuleType:
    """The program that writes the heads of the pages; it is no part of the package."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "checks" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pages = generator()


def test_every_check_has_a_page_whose_head_is_the_tables() -> None:
    folder = ROOT / "docs" / "checks"
    assert {path.stem for path in folder.glob("*.md")} == {*BY_ID, "README"}
    for check in CHECKS:
        text = (ROOT / check.page).read_text()
        assert pages.page(check, text) == text, check.id
        assert all(f"\n## {part}\n" in text for part in ("What it looks at", "Why", "Mend")), check.id


def test_the_index_lists_every_check_and_counts_them() -> None:
    text = (ROOT / "docs" / "checks" / "README.md").read_text()
    assert pages.index(text) == text
    assert [check.id for check in CHECKS if f"\n{pages.row(check)}\n" not in text] == []
    phases = [sum(phase in check.phases for check in CHECKS) for phase in Phase]
    only = sum(check.only == "upstream" for check in CHECKS)
    assert (
        f"| `mesh check` | {len(CHECKS)}: {phases[0]} before a run, {phases[1]} between clusters, "
        f"{phases[2]} after it; {only} for upstream only | - |"
    ) in text
    assert f"[{len(CHECKS)} checks](docs/checks/README.md)" in (ROOT / "README.md").read_text()
    for tool in ("istioctl multicluster check", "istioctl x precheck", "linkerd check"):
        line = next(each for each in text.splitlines() if each.startswith(f"| `{tool}` |"))
        assert line.endswith(f"| {sum(tool in check.covers for check in CHECKS)} |"), tool
