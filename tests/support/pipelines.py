"""`python -m tests.support.pipelines`: check the pipelines of `examples/ci` as their forges do.

actionlint and zizmor look at the workflows of GitHub, JSON Schemas at the files of GitHub, GitLab and Azure,
and shellcheck at every piece of shell in any of them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from mesh.lab.filelock import locked
from mesh.lab.golang import find_go
from mesh.lab.paths import cache_dir
from mesh.lab.progress import Line

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
    # By name: of a folder, zizmor looks at actions and at .github/workflows only.
    workflows = folder / "github" / "action.yml", folder / "github" / "workflow.yaml"
    return [
        *_asked(tool("zizmor"), "--offline", "--no-progress", "--quiet", *map(str, workflows)),
        *_asked(actionlint(), str(folder / "github" / "workflow.yaml")),
        *(text for name in SCHEMAS for text in schema_problems(folder / name, *SCHEMAS[name])),
        *(text for path in sorted(folder.rglob("*")) if path.is_file() for text in shell_problems(path)),
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


def actionlint() -> Path:
    """Return the pinned actionlint; built with Go from the module proxy, once, into the cache."""
    digest = hashlib.sha256((ACTIONLINT / "go.sum").read_bytes()).hexdigest()[:16]
    folder = cache_dir() / "actionlint" / digest
    program = folder / "actionlint"
    if program.exists():
        return program
    progress = Line("building actionlint (once)")
    with locked(folder.with_name(f"{digest}.lock"), deadline=600, waiting=lambda: progress.tick("waiting")):
        if not program.exists():
            building = folder.with_name(f".{digest}")
            shutil.rmtree(building, ignore_errors=True)
            shutil.copytree(ACTIONLINT, building)
            go = find_go(cache_dir(), progress)
            env = {**os.environ, "GOBIN": str(building), "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
            subprocess.run([go, "install", "-trimpath", "tool"], cwd=building, env=env, check=True)
            building.rename(folder)
            progress.done(f"ready in {folder}")
    return program


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
