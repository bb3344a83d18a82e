"""Kinds are known by name in the kinds, in the expansion and in `mesh.istio.addresses`, and nowhere else.

A name elsewhere is a rule that a kind of another package cannot follow, and a place to forget with a new one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from mesh.engine.registry import all_kinds
from tests.house.figures import Tree, kind_of

KINDS = frozenset(all_kinds())
KNOWING = ("mesh.providers", "mesh.istio", "mesh.planner.expand")


def named(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The literals that name a kind where a kind is meant: addresses, comparisons, matches and tables."""
    for node in ast.walk(tree):
        for literal in meant(node):
            if isinstance(literal, ast.Constant) and literal.value in KINDS:
                yield literal.lineno, str(literal.value)


def meant(node: ast.AST) -> list[ast.AST]:
    """The expressions of a node that stand for a kind, if it is one of the shapes that do."""
    match node:
        case ast.Call(func=ast.Name(id="Key") | ast.Attribute(attr="Key" | "key"), args=[first, *_]):
            return [first]
        case ast.Compare(left=left, comparators=others) if any(map(is_kind, [left, *others])):
            return [inner for each in (left, *others) for inner in ast.walk(each)]
        case ast.Match(subject=subject, cases=cases) if is_kind(subject):
            return [inner for case in cases for inner in ast.walk(case.pattern)]
        case ast.Subscript(value=ast.Attribute(attr="kinds") | ast.Name(id="kinds"), slice=index):
            return [index]
        case ast.Subscript(value=ast.Dict(keys=keys), slice=index) if is_kind(index):
            return [key for key in keys if key]
        case ast.Dict(keys=keys) if is_table(keys):
            return [key for key in keys if key]
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts) if is_table([*parts]):
            return [*parts]
    return []


def is_kind(node: ast.AST) -> bool:
    """Whether an expression is the kind of an address, or holds one in a tuple."""
    match node:
        case ast.Attribute(attr="kind", value=inner):
            return not (isinstance(inner, ast.Name) and inner.id == "obj")
        case ast.Name(id="kind"):
            return True
        case ast.Tuple(elts=parts):
            return any(map(is_kind, parts))
    return False


def is_table(keys: list[ast.expr | None]) -> bool:
    """Whether the keys of a mapping, or the parts of a collection, are kinds: three or more, nothing else."""
    texts = [key.value for key in keys if isinstance(key, ast.Constant)]
    return len(keys) >= 3 and len(texts) == len(keys) and KINDS.issuperset(texts)


def test_no_module_outside_knows_a_kind_by_name() -> None:
    tree = Tree()
    found = [
        f"{name}:{line}: {text}"
        for name, module in tree.parsed.items()
        if not name.startswith((*KNOWING, "mesh.lab"))
        for line, text in named(module)
    ]
    assert found == []


def test_a_kind_builds_no_address_of_another_kind() -> None:
    tree = Tree()
    found = [
        f"{name}:{line}: {text}"
        for name, module in tree.parsed.items()
        if (own := kind_of(name))
        for line, text in named(module)
        if text != own
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        'Key("chart", name, "istiod")',
        'model.Key("chart", name, "istiod")',
        'facts.key("chart", "istiod")',
        'key.kind == "link"',
        '(key.kind, key.cluster) == ("link", here)',
        'step.key.kind in {"link", "peer"}',
        'kind != "chart"',
        'match key.kind:\n    case "chart" | "link": pass',
        'session.kinds["crds"]',
        'ORDER = {"chart": 1, "link": 2, "peer": 3}',
        'ORDER = ("crds", "namespace", "cert", "secret")',
    ],
)
def test_each_way_to_name_a_kind_is_found(text: str) -> None:
    assert list(named(ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        'kubectl("create", "namespace", name)',
        'obj["metadata"]["namespace"]',
        'evidence = {"secret": where, "keys": keys}',
        'obj.kind == "Secret"',
        'facts.rows("crds")',
    ],
)
def test_other_uses_of_the_same_words_are_not(text: str) -> None:
    assert not list(named(ast.parse(text)))
