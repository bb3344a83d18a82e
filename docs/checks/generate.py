"""Generate the head of each check page from the catalog: `python docs/checks/generate.py`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from mesh.queries.checks.catalog import CHECKS
from mesh.queries.checks.model import PAGES, Check, Phase

END = "<!-- the head above is generated -->"

SKELETON = """
## What it looks at

## Why

## Mend
"""


def head(check: Check) -> str:
    """Return what the table says of a check, as Markdown."""
    order = [phase.value for phase in Phase if phase in check.phases]
    where = "the whole mesh" if check.compare else "each cluster"
    rows = [
        f"# {check.id}: {check.title}",
        "",
        "| severity | asked | of | distribution | other tools that ask it |",
        "|---|---|---|---|---|",
        f"| {check.severity.value} | {', '.join(order)} | {where} | {check.only or 'any'} "
        f"| {', '.join(f'`{each}`' for each in check.covers) or '-'} |",
        "",
        END,
    ]
    return "\n".join(rows) + "\n"


def page(check: Check, text: str) -> str:
    """Return a page with its head as it is to be; what stands below is kept."""
    _, found, words = text.partition(END + "\n")
    return head(check) + (words if found else SKELETON)


def row(check: Check) -> str:
    """Return the line of a check in the index of the pages."""
    order = [phase.value for phase in Phase if phase in check.phases]
    about = f" ({check.only})" if check.only else ""
    return (
        f"| [{check.id}]({check.id}.md) | {check.title}{about} | {check.severity.value} "
        f"| {', '.join(order)} |"
    )


def index(text: str) -> str:
    """Return the index with the lines of its tables as they are to be."""
    rows = {check.id: row(check) for check in CHECKS}
    lines = [rows.get(_listed(line), line) for line in text.splitlines()]
    return "\n".join(lines) + "\n"


def _listed(line: str) -> str:
    """The check that a line of the index is about, "" for none."""
    found = re.match(r"\| \[(\w+)\]\(", line)
    return found[1] if found else ""


def write(root: Path) -> None:
    """Write every page below a folder, and their index."""
    listed = root / PAGES / "README.md"
    listed.write_text(index(listed.read_text(encoding="utf-8")), encoding="utf-8")
    for check in CHECKS:
        path = root / check.page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            page(check, path.read_text(encoding="utf-8") if path.exists() else ""), encoding="utf-8"
        )


if __name__ == "__main__":
    write(Path(sys.argv[1] if sys.argv[1:] else "."))
