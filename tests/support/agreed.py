"""Whether plan, status and check say the same of a real mesh, in the same words."""

from __future__ import annotations

import json
from typing import Any, Protocol


class Answer(Protocol):
    """What a command printed."""

    out: str


class Asked(Protocol):
    """Runs the command line."""

    def __call__(self, *args: str) -> Answer: ...


def disagreements(mesh: Asked) -> list[str]:
    """What the plan says that status or check do not; a cluster that changes meanwhile is read again."""
    for _ in range(3):
        before = json.loads(mesh("plan", "--json").out)
        status, check = json.loads(mesh("status", "--json").out), _findings(mesh)
        if _said(before) == _said(json.loads(mesh("plan", "--json").out)):
            break
    else:
        return ["the plan is another one each time"]
    rows = {row["address"]: row for each in [status, *status["clusters"]] for row in each["resources"]}
    missed = [f"status: {line}" for line in _not_in_status(before, rows)]
    return missed + [f"check: {address}" for address in _said(before) if not _in(check, address, rows)]


def _said(plan: Any) -> dict[str, str]:
    told = {each["address"]: each["why"] for each in plan["not_ready"]}
    return told | {each["address"]: each["action_reason"] for each in plan["resource_changes"]}


def _not_in_status(plan: Any, rows: Any) -> list[str]:
    """What the plan calls not ready, missing or changed, and status otherwise."""
    lines = [
        f"{each['address']} is not ready: {each['why']}"
        for each in plan["not_ready"]
        if (rows[each["address"]]["is_ready"], rows[each["address"]]["why"]) != (False, each["why"])
    ]
    for each in plan["resource_changes"]:
        row, is_new = rows[each["address"]], each["change"]["actions"] == ["create"]
        same = (row["action_reason"], row["fields"]) == (each["action_reason"], each["change"]["paths"])
        if row["in_sync"] or not same or each["why"] not in row["text"] or (is_new and row["is_ready"]):
            lines.append(f"{each['address']}: {each['action_reason']} {each['why']}, status: {row}")
    return lines


def _findings(mesh: Asked) -> list[str]:
    results = json.loads(mesh("check", "--json", "--only", "Q22").out)["results"]
    return [finding["says"] for each in results for finding in each["findings"]]


def _in(check: list[str], address: str, rows: Any) -> bool:
    return f"{address}: {rows[address]['text']}" in check
