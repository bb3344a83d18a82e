"""`python -m tests.support.pipelines`: check the pipelines of `examples/ci` as their forges do.

actionlint and zizmor look at the workflows of GitHub, JSON Schemas at the files of GitHub, GitLab and Azure,
and shellcheck at every piece of shell in any of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from mesh.lab.golang import find_go
from mesh.lab.paths import cache_dir
from mesh.lab.progress import Line
from tests.support.built_once import built_once, go_installed

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "ci"
ACTIONLINT = Path(__file__).parent / "actionlint"

SCHEMAS = {
    "github/action.yml": ("github-actions",),
    "github/workflow.yaml": ("github-workflows",),
    "gitea/workflow.yaml": ("github-workflows",),
    "gitlab/gitlab-ci.yml": ("gitlab-ci", "--data-transform", "gitlab-ci"),
    "azure/azure-pipelines.yml": ("azure-pipelines", "--regex-variant", "nonunicode"),
}
"""The schema of each file, as `check-jsonschema` names it. Gitea has the workflows of GitHub."""

SHELL_KEYS = frozenset({"run", "script", "bash", "command", "before_script", "args"})
"""Keys under which a pipeline has shell."""


def problems(folder: Path = EXAMPLES) -> list[str]:
    """Return what the checkers say, one text for each that finds something."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [text for path in paths for text in file_problems(path, str(path.relative_to(folder)))]


def file_problems(path: Path, name: str) -> list[str]:
    """Return what the checkers of one file say; `name` is its path in the examples."""
    # By name: of a folder, zizmor looks at actions and at .github/workflows only.
    zizmor = ("--offline", "--no-progress", "--quiet", str(path))
    return [
        *(_asked(tool("zizmor"), *zizmor) if name.startswith("github/") else ()),
        *(_asked(actionlint(), str(path)) if name == "github/workflow.yaml" else ()),
        *(schema_problems(path, *SCHEMAS[name]) if name in SCHEMAS else ()),
        *shell_problems(path),
    ]


def schema_problems(path: Path, schema: str, *options: str) -> list[str]:
    """Return how a file differs from the schema of its maker."""
    return _asked(tool("check-jsonschema"), "--builtin-schema", f"vendor.{schema}", *options, str(path))


def shell_problems(path: Path) -> list[str]:
    """Return what shellcheck says about a script, or about each piece of shell in a YAML file."""
    if path.suffix == ".sh":
        return _asked(tool("shellcheck"), str(path))
    if path.suffix not in {".yaml", ".yml"}:
        return []
    return [
        f"{path.name}: {text}"
        for document in yaml.safe_load_all(path.read_text("utf-8"))
        for piece in pieces(document)
        for text in _asked(tool("shellcheck"), "--shell=bash", "-", stdin=piece)
    ]


def pieces(value: Any) -> Iterator[str]:
    """Yield each piece of shell in a pipeline."""
    if isinstance(value, list):
        for item in value:
            yield from pieces(item)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        lines = inner if isinstance(inner, list) else [inner]
        is_program = key == "command" and isinstance(inner, list)  # of a container: its shell is in `args`
        if key in SHELL_KEYS and not is_program and all(isinstance(line, str) for line in lines):
            # The expressions of a CI system are replaced before a shell reads them.
            yield "\n".join(lines) + "\n"
        else:
            yield from pieces(inner)


def tool(name: str) -> Path:
    """Return a program that the requirements install."""
    return Path(sys.executable).parent / name


@cache
def actionlint() -> Path:
    """Return the pinned actionlint; built with Go from the module proxy, once, into the cache."""
    return built_once(ACTIONLINT, "go.sum", _install) / "actionlint"


def _install(folder: Path) -> None:
    progress = Line("building actionlint (once)")
    go = find_go(cache_dir(), progress)
    go_installed(folder, go)
    progress.done("ready")


def _asked(program: Path, *args: str, stdin: str = "") -> list[str]:
    """Return what a checker prints, if it fails."""
    # actionlint finds shellcheck by PATH.
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        [str(program), *args], input=stdin, capture_output=True, text=True, check=False, env=env
    )
    return [f"{program.name}: {done.stdout}{done.stderr}".strip()] if done.returncode else []


if __name__ == "__main__":
    found = problems()
    sys.stdout.write("".join(f"{text}\n" for text in found) or "pipelines of examples/ci: no findings\n")
    sys.exit(bool(found))
