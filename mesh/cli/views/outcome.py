"""What a pull request says of a run, or of a plan that could not be made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.cli.views.escape import fence, markdown_code, markdown_inline, terminal
from mesh.model.bounded_text import ANSWER, Unfit, loads

MAX_SHOWN = 20
MAX_ERROR = 4_000
"""Characters of an error that are shown; the log of the run has the rest."""

REFUSED = "The run was refused, nothing was changed."


def summary_of(lines: str) -> dict[str, Any] | None:
    """Return how `mesh apply --json` ended: its last line, or the errors that ended it instead.

    For errors, `stopped` is true, `@message` holds their text, and `began` tells whether a step had begun.
    None if there is neither: the run did not end by itself. Of several runs in a row the last one counts.
    """
    summary: dict[str, Any] | None = None
    errors: list[str] = []
    began = False
    for line in lines.splitlines():
        try:
            data = loads(line, ANSWER)
        except Unfit:
            continue
        kind = data.get("type") if isinstance(data, dict) else None
        began = began or kind == "apply_start"
        if kind == "version":
            summary, errors = None, []
        elif kind == "change_summary":
            summary = data
        elif kind == "diagnostic" and data.get("@level") == "error":
            errors.append(_error(data))
    if summary is None and errors:
        return {"@message": "\n".join(errors), "stopped": True, "began": began}
    return summary


def _error(data: Mapping[str, Any]) -> str:
    """Return the words of a diagnostic and its hint."""
    found = data.get("diagnostic")
    hint = found.get("detail") if isinstance(found, dict) else ""
    text = str(data.get("@message", ""))
    return f"{text}\n hint: {hint}" if hint else text


def outcome_markdown(summary: Mapping[str, Any] | None, run: str) -> str:
    """Return the outcome of a run as Markdown; `run` is the page of the pipeline's run."""
    where = f" ([run]({run}))" if run else ""
    if summary is None:
        return (
            f"**The run ended without a result.**{where} `mesh status` and `mesh history` tell what it did.\n"
        )
    if summary.get("stopped"):
        title = "The run stopped." if summary.get("began") else REFUSED
        return f"**{title}**{where}\n\n{_fenced(str(summary['@message']))}"
    lines = [f"**{_text(summary.get('@message'))}**{where}"]
    for name, title in (("failures", "message"), ("skipped", "why"), ("deferred", "why")):
        rows = [each for each in _list(summary.get(name)) if isinstance(each, dict)]
        if rows:
            lines += ["", f"{name.capitalize()}:", ""]
            lines += [
                f"- {_text(each.get('address'))}: {_text(each.get(title))}" for each in rows[:MAX_SHOWN]
            ]
            lines += [f"- and {len(rows) - MAX_SHOWN} more"] if len(rows) > MAX_SHOWN else []
    return "\n".join(lines) + "\n"


def is_complete(summary: Mapping[str, Any] | None) -> bool:
    """Return whether a run did everything."""
    return bool(summary and summary.get("complete") is True)


def error_markdown(mesh: str, text: str, run: str) -> str:
    """Return the text of a plan that could not be made; the first line is left for the marker."""
    where = f"See the [run]({run}).\n" if run else ""
    title = f"### mesh plan: {markdown_inline(mesh)}\n\n**The plan could not be made.** {where}"
    return f"\n{title}\n{_fenced(text)}"


def _fenced(text: str) -> str:
    shown = "\n".join(markdown_code(line) for line in terminal_lines(text[:MAX_ERROR]))
    marks = fence(shown)
    return f"{marks}\n{shown}\n{marks}\n"


def terminal_lines(text: str) -> list[str]:
    """Return the lines of a text without control characters."""
    return [terminal(line) for line in text.rstrip("\n").split("\n")]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return markdown_inline(terminal(str(value or ""))[:500])
