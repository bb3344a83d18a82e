"""The figures of the source tree that the tests hold: `make layers` prints them.

A figure is measured from the files, never from the imported package, so that it holds for lazy imports too.
"""

from __future__ import annotations

import ast
import statistics
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINKS = {"providers", "schemas"}
"""Folders of the repository that are packages of `mesh` by a symbolic link."""

Edges = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Tree:
    """The product's source files, parsed once."""

    root: Path = ROOT

    @cached_property
    def modules(self) -> Mapping[str, Path]:
        """Every module of the product by its dotted name."""
        found = {}
        for folder in (self.root / "mesh", *(self.root / link for link in sorted(LINKS))):
            for path in sorted(folder.rglob("*.py")):
                parts = path.relative_to(self.root).with_suffix("").parts
                if parts[:2] in {("mesh", link) for link in LINKS}:
                    continue
                names = parts if parts[0] == "mesh" else ("mesh", *parts)
                found[".".join(names[:-1] if names[-1] == "__init__" else names)] = path
        return found

    @cached_property
    def parsed(self) -> Mapping[str, ast.Module]:
        """The syntax tree of every module."""
        return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in self.modules.items()}

    @cached_property
    def imports(self) -> Edges:
        """Module to the modules that it imports at run time, lazily or not, but not for types."""
        return {
            name: frozenset(found for found in imported(tree, self.modules) if found != name)
            for name, tree in self.parsed.items()
        }

    @property
    def loose(self) -> tuple[str, ...]:
        """The files at the top of `mesh/`."""
        return tuple(sorted(each.name for each in (self.root / "mesh").iterdir() if each.is_file()))

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages at the top of `mesh/`, without the two links."""
        top = {
            name.split(".")[1]
            for name, path in self.modules.items()
            if path.name == "__init__.py" and "." in name
        }
        return tuple(sorted(top - LINKS))

    @property
    def rows(self) -> tuple[frozenset[str], ...]:
        """The layers of the contract, highest first."""
        config = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
        contracts = config["tool"]["importlinter"]["contracts"]
        layers = next(each["layers"] for each in contracts if each["type"] == "layers")
        return tuple(frozenset(part.strip() for part in row.split("|")) for row in layers)

    @property
    def outside_rows(self) -> tuple[str, ...]:
        """Modules that no layer holds; the entry point, the lab and the schemas stand apart by design."""
        apart = {"__main__", "lab", "schemas"}
        held = frozenset().union(*self.rows) | apart
        return tuple(name for name in self.modules if "." in name and name.split(".")[1] not in held)

    @property
    def upward(self) -> tuple[str, ...]:
        """Imports from a lower layer to a higher one, or between the packages of one layer."""
        rank = {package: number for number, row in enumerate(self.rows) for package in row}
        found = []
        for name, targets in self.imports.items():
            for target in sorted(targets):
                here, there = top(name), top(target)
                if here != there and here in rank and there in rank and rank[here] >= rank[there]:
                    found.append(f"{name} -> {target}")
        return tuple(found)

    @property
    def between_kinds(self) -> tuple[str, ...]:
        """Imports from one kind to another."""
        return tuple(
            f"{name} -> {target}"
            for name, targets in self.imports.items()
            for target in sorted(targets)
            if (here := kind_of(name)) and (there := kind_of(target)) and here != there
        )

    @property
    def cycles(self) -> tuple[tuple[str, ...], ...]:
        """Groups of modules that import one another."""
        return tuple(group for group in components(self.imports) if len(group) > 1)

    @cached_property
    def functions(self) -> tuple[tuple[int, str], ...]:
        """The length in lines of every function, without its decorators, with where it is."""
        return tuple(
            sorted(
                (node.end_lineno - node.lineno + 1, f"{name}.{node.name}")
                for name, tree in self.parsed.items()
                for node in ast.walk(tree)
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
            )
        )

    @cached_property
    def files(self) -> tuple[tuple[int, str], ...]:
        """The number of lines of every module."""
        return tuple(
            sorted(
                (path.read_text(encoding="utf-8").count("\n"), name) for name, path in self.modules.items()
            )
        )


def top(name: str) -> str:
    """The package of `mesh` that a module belongs to."""
    return name.split(".")[1] if "." in name else ""


def kind_of(name: str) -> str:
    """The kind that a module of `mesh.providers` implements, "" for every other module."""
    parts = name.split(".")
    return parts[2] if parts[1:2] == ["providers"] and len(parts) > 2 else ""


def imported(tree: ast.Module, known: Mapping[str, Path]) -> Iterator[str]:
    """Yield the modules that a syntax tree imports, wherever the import stands, but for type checking."""
    for node in running(tree):
        if isinstance(node, ast.Import):
            yield from (name for each in node.names if (name := nearest(each.name, known)))
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                full = f"{node.module}.{each.name}"
                if name := full if full in known else nearest(node.module, known):
                    yield name


def running(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree that are executed: those below `if TYPE_CHECKING` are not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from running(child)


def nearest(name: str, known: Mapping[str, Path]) -> str:
    """The longest prefix of a dotted name that is a module of the product, "" for none."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name


def components(edges: Edges) -> Iterator[tuple[str, ...]]:
    """Yield the strongly connected components of a graph (Tarjan), without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    for start in sorted(edges):
        work = [(start, iter(sorted(edges[start])))] if start not in index else []
        while work:
            node, targets = work[-1]
            if node not in index:
                index[node] = low[node] = len(index)
                stack.append(node)
            for target in targets:
                if target not in index:
                    work.append((target, iter(sorted(edges.get(target, ())))))
                    break
                if target in stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    at = stack.index(node)
                    yield tuple(sorted(stack[at:]))
                    del stack[at:]


def percentile(values: Iterable[int], share: int) -> int:
    """The value below which this share (in percent) of the values lies."""
    return round(statistics.quantiles(values, n=100)[share - 1])


def report(tree: Tree) -> Iterator[str]:
    """Yield the figures, one line each."""
    lengths, files = [size for size, _ in tree.functions], [size for size, _ in tree.files]
    yield f"loose files in mesh/       {len(tree.loose)} ({', '.join(tree.loose)})"
    yield f"packages in mesh/          {len(tree.packages)} and {len(LINKS)} links"
    yield f"layers                     {len(tree.rows)}"
    yield f"modules in no layer        {len(tree.outside_rows)}"
    yield f"imports upwards            {len(tree.upward)}"
    yield f"import cycles              {len(tree.cycles)}"
    yield f"kind -> kind               {len(tree.between_kinds)}"
    yield (
        f"functions                  {len(lengths)}: median {statistics.median(lengths):.0f}, "
        f"p90 {percentile(lengths, 90)}, max {lengths[-1]} lines"
    )
    yield f"files                      {len(files)}: median {statistics.median(files):.0f}, max {files[-1]}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in report(Tree()))
