"""Generate what the documents say of the catalog: `python docs/checks/generate.py [ROOT]`.

It writes the head of each page (and a skeleton for a new one), the tables and counts of the index, and
the number of checks in README.md. Everything else in these files is written by hand and kept.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from mesh.queries.checks.catalog import CHECKS
from mesh.queries.checks.catalog.post_flight import POST_FLIGHT
from mesh.queries.checks.catalog.pre_flight import PRE_FLIGHT
from mesh.queries.checks.catalog.solo import MULTI, SOLO
from mesh.queries.checks.model import PAGES, Check, Phase

END = "<!-- the head above is generated -->"

PARTS = ("What it checks", "Why it matters", "Fix")
"""The sections that every page has."""

SECTIONS = {
    "## Before an apply": PRE_FLIGHT,
    "## Settings that peering needs": SOLO,
    "## Further checks of `istioctl multicluster check`": MULTI,
    "## Between clusters and after an apply": POST_FLIGHT,
}
"""The tables of the index by the heading above them."""


def head(check: Check) -> str:
    """Return the part of a page that the catalog determines."""
    scope = "the whole mesh" if check.compare else "each cluster"
    rows = [
        f"# {check.id}: {check.title}",
        "",
        "| severity | phases | scope | distribution | also checked by |",
        "|---|---|---|---|---|",
        f"| {check.severity.value} | {_phases(check)} | {scope} | {check.only or 'any'} "
        f"| {', '.join(f'`{each}`' for each in check.covers) or '-'} |",
        "",
        END,
    ]
    return "\n".join(rows) + "\n"


def page(check: Check, text: str) -> str:
    """Return a page with its current head; the text below the head is kept."""
    _, found, words = text.partition(END + "\n")
    return head(check) + (words if found else "".join(f"\n## {part}\n" for part in PARTS))


def row(check: Check) -> str:
    """Return the row of a check in the index."""
    about = f" ({check.only})" if check.only else ""
    return (
        f"| [{check.id}]({check.id}.md) | {check.title}{about} | {check.severity.value} | {_phases(check)} |"
    )


def index(text: str) -> str:
    """Return the index with current tables and counts."""
    lines: list[str] = []
    group: tuple[Check, ...] = ()
    for line in text.splitlines():
        group = SECTIONS.get(line, () if line.startswith("## ") else group)
        if group and line.startswith("| ["):
            continue
        lines.append(_counted(line))
        if group and line.startswith("|---"):
            lines += map(row, group)
    return "\n".join(lines) + "\n"


def readme(text: str) -> str:
    """Return README.md with the current number of checks."""
    return re.sub(r"\[\d+ checks\]\(docs/checks/", f"[{len(CHECKS)} checks](docs/checks/", text)


def _phases(check: Check) -> str:
    return ", ".join(phase.value for phase in Phase if phase in check.phases)


def _counted(line: str) -> str:
    """Return a row of the table of tools with current counts; any other line as it is."""
    if line.startswith("| `mesh check` |"):
        before, between, after = (sum(phase in each.phases for each in CHECKS) for phase in Phase)
        only = sum(each.only == "upstream" for each in CHECKS)
        return (
            f"| `mesh check` | {len(CHECKS)}: {before} before an apply, {between} between clusters, {after} "
            f"after it; {only} for upstream only | - |"
        )
    found = re.match(r"(\| `([a-z ]+)` \|.*\|) \d+ \|$", line)
    return f"{found[1]} {sum(found[2] in each.covers for each in CHECKS)} |" if found else line


def write(root: Path) -> None:
    """Write every page below a folder, their index and README.md."""
    for path, change in ((root / PAGES / "README.md", index), (root / "README.md", readme)):
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    for check in CHECKS:
        path = root / check.page
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(page(check, text), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1] if sys.argv[1:] else "."))
