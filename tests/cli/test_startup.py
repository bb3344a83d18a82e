"""What a command imports is what it costs to start, never asserted by time.

See docs/explanation/performance.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "asyncio",
    "cryptography",
    "deepdiff",
    "jsonschema",
    "kubernetes",
    "networkx",
    "pydantic",
    "pyhelm3",
    "rich",
    "urllib3",
    "yaml",
}

EXAMPLE = Path(__file__).parents[2] / "examples" / "two-clusters" / "mesh.yaml"

NOBODY = {
    "clusters": [{"name": "nobody", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "nobody", "user": {}}],
    "contexts": [
        {"name": name, "context": {"cluster": "nobody", "user": "nobody"}}
        for name in ("cluster1", "cluster2")
    ],
}
"""A kubeconfig whose clusters refuse every connection."""

PROGRAM = """
import json, sys
from mesh.cli.main import run
code = run(sys.argv[1:])
print()
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def imported(*args: str, ends: int = 0, **env: str) -> set[str]:
    """The heavy packages that a command has imported once it is done."""
    argv = [sys.executable, "-c", PROGRAM, *args]
    done = subprocess.run(
        argv, env={**os.environ, **env}, check=True, capture_output=True, text=True, timeout=150
    )
    code, names = json.loads(done.stdout.splitlines()[-1])
    assert code == ends, done.stderr
    return HEAVY & set(names)


@pytest.mark.parametrize("args", [["--help"], ["--version"]])
def test_help_imports_nothing_that_is_heavy(args: list[str]) -> None:
    assert imported(*args) == set()


@pytest.mark.parametrize("verb", ["plan", "apply", "destroy", "status", "show", "render", "validate"])
def test_the_help_of_a_verb_decodes_no_file_and_opens_no_connection(verb: str) -> None:
    assert imported(verb, "--help") <= {"yaml"}


def test_validate_imports_the_decoder_and_nothing_else() -> None:
    assert imported("validate", "-f", str(EXAMPLE)) == {"pydantic", "yaml"}


def test_rendering_commands_needs_no_transport() -> None:
    assert imported("render", "--commands", "-f", str(EXAMPLE)) <= {"cryptography", "pydantic", "yaml"}


def test_a_plan_imports_no_library_of_helm_graphs_terminals_or_typed_objects(tmp_path: Path) -> None:
    """The clusters do not answer, so that all but the root of trust is deferred."""
    (tmp_path / "mesh.yaml").write_text(EXAMPLE.read_text())
    (tmp_path / "config").write_text(json.dumps(NOBODY))
    env = {"KUBECONFIG": str(tmp_path / "config"), "GLOO_MESH_LICENSE_KEY": "a-licence"}
    found = imported("plan", "-f", str(tmp_path / "mesh.yaml"), ends=1, **env, XDG_CONFIG_HOME=str(tmp_path))
    assert found.isdisjoint({"jsonschema", "kubernetes", "networkx", "pyhelm3", "rich"})
