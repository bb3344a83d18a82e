"""Commands in messages are to paste: every value in them is quoted, and every output has one way out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.figures import ROOT

COMMAND = re.compile(
    r"(?:^|[\s`(:])"
    r"(kubectl (?:--?\w|[a-z]+ )"
    r"|mesh (?:plan|apply|destroy|check|state|recover|validate|show|why|rbac|import) "
    r"|(?:helm|istioctl|meshctl) [a-z]+ -|helm (?:upgrade|install|uninstall|rollback|template) "
    r"|chmod |chown |rm |git |export )"
)
SAFE = {"quoted", "quote", "word", "pasted", "command", "geteuid"}
"""Functions that return words of a shell."""

QUOTED_BEFORE = {
    "REVISIONS",
    "MESH_LABEL",
    "NETWORK",
    "PSA",
    "context",
    "namespace",
    "kind",
    "name",
    "names",
    "one",
    "other",
    "what",
    "wanted",
    "label",
    "where",
    "flags",
    "ids",
    "show",
    "licence",
    "key",
    "run",
    "ON_REQUEST",
}
"""Names that hold constants, or words that were quoted on the lines above: each was looked at."""


def sources() -> Iterator[Path]:
    for top in ("mesh", "providers"):
        yield from (
            path
            for path in sorted((ROOT / top).rglob("*.py"))
            if "lab" not in path.parts and path.name != "lab.py"
        )


def unquoted(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The interpolations that follow a command in an f-string and are not quoted."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr):
            continue
        text = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                text += str(part.value)
            elif isinstance(part, ast.FormattedValue):
                if _in_command(text) and not _safe(part.value):
                    yield node.lineno, ast.unparse(part.value)
                text += "X"


def _in_command(text: str) -> bool:
    found = list(COMMAND.finditer(text))
    return bool(found) and not re.search(r"`|; |\)", text[found[-1].end() :])


def _safe(value: ast.expr) -> bool:
    if isinstance(value, ast.Constant):
        return True
    names = {each.id for each in ast.walk(value) if isinstance(each, ast.Name)}
    attributes = {each.attr for each in ast.walk(value) if isinstance(each, ast.Attribute)}
    if isinstance(value, ast.Call) and ast.unparse(value).startswith("run.on_request("):
        return True
    return bool(SAFE & (names | attributes)) or (isinstance(value, ast.Name) and value.id in QUOTED_BEFORE)


def test_every_value_in_a_command_to_paste_is_quoted() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {{{value}}}"
        for path in sources()
        for line, value in unquoted(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('f"run `kubectl get pod {pod}`"', 1),
        ('f"kubectl --context {ctx.name} get pod {quoted(pod)}"', 1),
        ('f"run mesh state forget --cluster {cluster}"', 1),
        ('f"chmod 600 {path}"', 1),
        ('f"mesh {mesh} is not ready"', 0),
        ('f"run `mesh plan -f {quoted(path)}` in {folder}"', 0),
    ],
)
def test_an_unquoted_value_would_be_found(text: str, count: int) -> None:
    assert len(list(unquoted(ast.parse(text)))) == count


def test_messages_of_commands_are_printed_by_say() -> None:
    """`click.echo` gets what a view returned, whose text is escaped; everything else goes through `say`."""
    found = []
    for path in sorted((ROOT / "mesh" / "cli").glob("*.py")):
        if path.name in {"lab.py", "say.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "click.echo":
                what = node.args[0]
                if isinstance(what, ast.JoinedStr | ast.Constant) or ".format(" in ast.unparse(what):
                    found.append(f"{path.name}:{node.lineno}")
    assert found == []


def test_json_is_printed_by_one_function() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in (*(ROOT / "mesh" / "cli").rglob("*.py"), ROOT / "mesh" / "world" / "trace.py")
        if path.name not in {"lab.py", "plan_schema.py", "values.py"}
        and "json.dumps" in path.read_text(encoding="utf-8")
    ]
    assert found == []
