"""The house keeps its shape: rooms, layers, no cycles, small functions, and tests beside what they test."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.figures import ROOT, Tree, components, imported, kind_of, percentile, report, top

TESTS = ROOT / "tests"
APART = {"chaos", "crash", "docs", "e2e", "house", "real", "sim", "support"}
"""Folders of tests that mirror no package."""
VIEWS = "mesh.cli.views"


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree()


def test_mesh_has_few_loose_files_and_few_packages(tree: Tree) -> None:
    assert len(tree.loose) <= 6, tree.loose
    assert len(tree.packages) <= 12, tree.packages


def test_every_module_is_in_a_layer_and_imports_go_down(tree: Tree) -> None:
    assert len(tree.rows) <= 11
    assert tree.outside_rows == ()
    assert tree.upward == ()


def test_no_modules_import_one_another_not_even_lazily(tree: Tree) -> None:
    assert tree.cycles == ()


def test_no_kind_imports_another(tree: Tree) -> None:
    assert tree.between_kinds == ()


def test_views_import_no_command(tree: Tree) -> None:
    found = [
        f"{name} -> {target}"
        for name, targets in tree.imports.items()
        for target in targets
        if name.startswith("mesh.cli.views")
        and top(target) == "cli"
        and not target.startswith("mesh.cli.views")
    ]
    assert found == []


def test_functions_and_files_are_short(tree: Tree) -> None:
    lengths = [size for size, _ in tree.functions]
    assert statistics.median(lengths) <= 8
    assert percentile(lengths, 90) <= 20
    assert [where for size, where in tree.functions if size > 50] == []
    assert [name for size, name in tree.files if size > 300] == []


def test_a_cycle_would_be_found() -> None:
    edges = {
        "a": frozenset({"b"}),
        "b": frozenset({"c", "d"}),
        "c": frozenset({"a"}),
        "d": frozenset({"e"}),
        "e": frozenset(),
    }
    assert set(components(edges)) == {("a", "b", "c"), ("d",), ("e",)}


def test_an_import_counts_wherever_it_stands_but_for_type_checking() -> None:
    known = {name: Path() for name in ("mesh", "mesh.a", "mesh.a.b", "mesh.c", "mesh.d")}
    text = (
        "if TYPE_CHECKING:\n    from mesh import d\n"
        "from mesh.a import b, Name\ndef f():\n    import mesh.c.Name\n    from os import path\n"
    )
    assert list(imported(ast.parse(text), known)) == ["mesh.a.b", "mesh.a", "mesh.c"]


def test_a_kind_is_a_module_or_a_folder_of_providers() -> None:
    assert kind_of("mesh.providers.cert.root") == "cert"
    assert kind_of("mesh.providers.link") == "link"
    assert kind_of("mesh.providers") == kind_of("mesh.sdk.contract") == ""


def test_the_report_names_every_figure(tree: Tree) -> None:
    assert len(list(report(tree))) == 9


# --- tests beside what they test ---------------------------------------------------------------------------


def folders() -> Iterator[str]:
    """The folders of tests as dotted packages."""
    for path in sorted({each.parent for each in TESTS.rglob("test_*.py")}):
        parts = path.relative_to(TESTS).parts
        if parts and parts[0] not in APART:
            yield ".".join(parts)


def test_the_folders_of_tests_mirror_the_packages(tree: Tree) -> None:
    packages = {
        name.removeprefix("mesh.") for name, path in tree.modules.items() if path.name == "__init__.py"
    }
    extra = {"queries.checks.on_lab"}  # real clusters, broken one check at a time: of all rules at once
    assert set(folders()) - packages - extra == set()


def test_few_tests_are_loose() -> None:
    assert sorted(path.name for path in TESTS.glob("test_*.py")) == ["test_walk.py"]


def imports_of_tests(tree: Tree) -> frozenset[str]:
    """The modules of the product that any test imports by name."""
    return frozenset(
        name
        for path in TESTS.rglob("*.py")
        for name in imported(ast.parse(path.read_text(encoding="utf-8")), tree.modules)
    )


def test_every_module_with_functions_has_a_test_of_its_own(tree: Tree) -> None:
    """A test that imports it by name, or the file that mirrors it."""
    named = imports_of_tests(tree)
    mirrored = {
        ".".join(("mesh", *path.parent.relative_to(TESTS).parts, path.stem.removeprefix("test_")))
        for path in TESTS.rglob("test_*.py")
    }
    with_functions = {where.rpartition(".")[0] for _, where in tree.functions}
    lacking = (
        {
            name
            for name in tree.modules
            if name in with_functions and top(name) != "lab" and tree.modules[name].name != "__init__.py"
        }
        - named
        - mirrored
    )
    assert sorted(lacking) == []


DOORS = {
    "json.load": {"mesh.model.bounded_text"},
    "json.loads": {"mesh.model.bounded_text"},
    "base64.b64decode": {"mesh.model.bounded_text"},
    "base64.urlsafe_b64decode": {"mesh.model.bounded_text"},
    "gzip.decompress": {"mesh.model.bounded_text"},
    "zlib.decompress": {"mesh.model.bounded_text"},
    "zlib.decompressobj": {"mesh.model.bounded_text"},
    "yaml.load": set[str](),
    "yaml.load_all": set[str](),
    "yaml.safe_load": set[str](),
    "yaml.safe_load_all": set[str](),
}
"""What parses text, with the modules that may call it: they bound bytes, depth and number of values."""


def parsers(node: ast.AST) -> Iterator[str]:
    """Yield the dotted names of what a node calls or imports by name."""
    if isinstance(node, ast.Call):
        yield ast.unparse(node.func)
    elif isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{each.name}" for each in node.names)


def test_text_from_outside_is_parsed_behind_one_door(tree: Tree) -> None:
    found = [
        f"{name}: {called}"
        for name, parsed in tree.parsed.items()
        if not name.startswith("mesh.lab")
        for node in ast.walk(parsed)
        for called in parsers(node)
        if name not in DOORS.get(called, {name})
    ]
    assert found == []
