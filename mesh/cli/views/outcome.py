"""What a pull request says of a run, or of a plan that could not be made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.cli.views.escape import fence, markdown_code, markdown_inline, terminal
from mesh.model.bounded_text import ANSWER, Unfit, loads

MAX_SHOWN = 20
MAX_ERROR = 20_000
"""Characters of an error that are shown; the log of the run has the rest."""


def summary_of(lines: str) -> dict[str, Any] | None:
    """Return how `mesh apply --json` ended: its last line, or the errors for which it was refused.

    The errors are under `refused`, their words under `@message`. None if there is neither: the run did not
    end by itself.
    """
    errors: list[str] = []
    for line in reversed(lines.splitlines()):
        try:
            data = loads(line, ANSWER)
        except Unfit:
            continue
        kind = data.get("type") if isinstance(data, dict) else None
        if kind == "change_summary" and not errors:
            return data  # type: ignore[no-any-return]  # what has a type is an object
        if kind != "diagnostic" or data.get("@level") != "error":
            if errors:
                break
            continue
        errors.append(_error(data))
    return {"@message": "\n".join(reversed(errors)), "refused": True} if errors else None


def _error(data: Mapping[str, Any]) -> str:
    """Return the words of a diagnostic and its hint."""
    found = data.get("diagnostic")
    hint = found.get("detail") if isinstance(found, dict) else ""
    return f"{data.get('@message', '')}{f'{chr(10)} hint: {hint}' if hint else ''}"


def outcome_markdown(summary: Mapping[str, Any] | None, run: str) -> str:
    """Return the outcome of a run as Markdown; `run` is the page of the pipeline's run."""
    where = f" ([run]({run}))" if run else ""
    if summary is None:
        return (
            f"**The run ended without a result.**{where} `mesh status` and `mesh history` tell what it did.\n"
        )
    if summary.get("refused"):
        return f"**The run was refused, nothing was changed.**{where}\n\n{_fenced(str(summary['@message']))}"
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
