"""The file of a saved plan: written by `mesh plan --out plan.json`, read by `mesh apply` and `mesh show`."""

from __future__ import annotations

from pathlib import Path

from mesh.cli.say import say
from mesh.errors import MeshError, UsageError
from mesh.model import Plan
from mesh.model.printable import quoted
from mesh.sdk.shell import command
from mesh.world.disk.files import replace_file
from mesh.world.disk.input_file import read_input

LARGEST = 100_000_000
"""Bytes of a file that is read; the plan of a hundred clusters takes a few million."""

TEXTS = frozenset({".md", ".markdown", ".txt", ".html", ".xml"})


def refuse_text(path: Path) -> None:
    """Raise UsageError for the name of a file with printed text: a saved plan is JSON."""
    if path.suffix.lower() in TEXTS:
        raise UsageError(
            f"--out {path}: --out saves a plan that can be applied, not the printed text",
            hint=f"for the text, run mesh plan --format markdown | tee {quoted(str(path))}",
        )


def save(plan: Plan, path: Path) -> None:
    """Write a plan to a file, whole or not at all, and say how to apply it."""
    from mesh.cli.views.plan_file import plan_file

    if not path.absolute().parent.is_dir():
        raise UsageError(f"--out {path}: the folder does not exist", hint="create it first")
    replace_file(path, plan_file(plan).encode(), mode=0o600)
    if not plan.empty:
        say(f"Saved the plan to {path}. To carry out exactly these actions, run:", err=True)
        say(f"  {command('mesh', 'apply', str(path))}", err=True)


def load(path: Path) -> Plan:
    """Return the plan in a file; raise MeshError if it cannot be read or is not a saved plan."""
    from mesh.cli.views.plan_file import read_plan

    return read_plan(_text(path), str(path))


def is_plan(argument: str) -> bool:
    """Return whether an argument names the file of a plan rather than an address."""
    return argument.endswith(".json") or Path(argument).is_file()


def _text(path: Path) -> str:
    hint = "name a plan that `mesh plan --out plan.json` saved"
    try:
        return read_input(path, limit=LARGEST).decode()
    except OSError as error:
        raise MeshError(f"{path} cannot be read: {error.strerror or error}", hint=hint) from None
    except UnicodeDecodeError:
        raise MeshError(f"{path} is not a saved plan: it is not text", hint=hint) from None
