"""The checks that ask the istioctl on PATH: a program of the test's own that looks at the real clusters."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mesh.queries.checks.model import CheckStatus, Severity
from mesh.world import World
from tests.queries.checks.on_lab.changes import gone, made
from tests.queries.checks.on_lab.conftest import Rig, says, states

PROGRAM = """#!{python}
import json, subprocess, sys

def namespaces(context):
    argv = [{kubectl!r}, "--context", context, "get", "namespaces", "-o", "json"]
    return json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)["items"]

def message(name):
    about = {{"code": "IST0101", "level": "Error", "origin": "Namespace " + name}}
    return {{**about, "message": "Referenced waypoint not found in namespace " + name}}

if sys.argv[1] == "version":
    print(json.dumps({{"clientVersion": {{"version": {version!r}}}}}))
else:
    assert sys.argv[1:3] == ["analyze", "--all-namespaces"], sys.argv
    spaces = namespaces(sys.argv[sys.argv.index("--context") + 1])
    lost = [each for each in spaces if "istio.io/use-waypoint" in each["metadata"].get("labels", {{}})]
    print(json.dumps([message(each["metadata"]["name"]) for each in lost]))
"""
LOST = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "lost", "labels": {"istio.io/use-waypoint": "nobody"}},
}


def with_istioctl(rig: Rig, folder: Path, version: str) -> World:
    """The world with an istioctl on PATH that says it is of some version."""
    program = folder / version / "istioctl"
    program.parent.mkdir()
    kubectl = str(rig.hand.lab.bin / "kubectl")
    program.write_text(PROGRAM.format(python=sys.executable, kubectl=kubectl, version=version))
    program.chmod(0o755)
    world = rig.world(rig.desired())
    return replace(world, env={**world.env, "PATH": str(program.parent)})


@pytest.mark.breaks("Q21")
def test_what_istioctl_finds_is_told_with_its_own_code(rig: Rig, tmp_path: Path) -> None:
    world = with_istioctl(rig, tmp_path, "1.30.2-solo")
    made(LOST)(rig)
    try:
        [first, second] = rig.results("Q21", world=world)["Q21"]
    finally:
        gone(LOST)(rig)
    assert "IST0101: Referenced waypoint not found in namespace lost" in says([first])
    assert (first.severity, second.state) == (Severity.ERROR, CheckStatus.PASSED)
    assert states(rig.results("Q21", world=world)["Q21"]) == {CheckStatus.PASSED}


def test_without_an_istioctl_nothing_is_said_to_be_analysed(rig: Rig, tmp_path: Path) -> None:
    world = rig.world(rig.desired())
    results = rig.results("Q21", world=replace(world, env={**world.env, "PATH": str(tmp_path)}))["Q21"]
    assert states(results) == {CheckStatus.SKIPPED}
    assert "istioctl is not on PATH" in says(results)


@pytest.mark.breaks("P34")
def test_an_istioctl_of_another_distribution_is_found(rig: Rig, tmp_path: Path) -> None:
    other = rig.results("P34", world=with_istioctl(rig, tmp_path, "1.30.2"))["P34"]
    assert "istioctl 1.30.2 is the upstream build, the mesh is Solo" in says(other)
    own = rig.results("P34", world=with_istioctl(rig, tmp_path, "1.30.1-solo"))["P34"]
    assert states(own) == {CheckStatus.PASSED}
