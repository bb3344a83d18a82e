"""The toolchain is pinned, built whole or not at all, and says how far it is."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mesh.errors import LabError
from mesh.lab import build, gateway_api_crds, golang
from mesh.lab.progress import Line, Silent


def test_every_binary_knows_its_version(tools: Path) -> None:
    commands = {
        "helm": ["version", "--short"],
        "kubectl": ["version", "--client"],
        "kube-apiserver": ["--version"],
        "etcd": ["--version"],
        "kwok": ["--version"],
    }
    printed = {
        name: subprocess.run(
            [tools / name, *args], capture_output=True, text=True, check=True, timeout=150
        ).stdout
        for name, args in commands.items()
    }
    assert printed["helm"].startswith("v4.3.1")
    assert "v1.37.2" in printed["kubectl"]
    assert "v1.37.2" in printed["kube-apiserver"]
    assert "3.7.0" in printed["etcd"]
    assert "v0.8.0" in printed["kwok"]


def test_the_versions_in_the_flags_are_those_of_go_mod() -> None:
    modules = dict(re.findall(r"^\s*(\S+) (v\S+)", (build.SOURCE / "go.mod").read_text(), re.MULTILINE))
    for variable, module in (
        ("k8s.io/component-base/version.gitVersion", "k8s.io/kubernetes"),
        ("helm.sh/helm/v4/internal/version.version", "helm.sh/helm/v4"),
        ("sigs.k8s.io/kwok/pkg/consts.Version", "sigs.k8s.io/kwok"),
    ):
        assert f"{variable}={modules[module]}" in build.LDFLAGS


def test_the_gateway_api_comes_with_its_crds_and_without_its_policy(tools: Path) -> None:
    names = {path.name for path in gateway_api_crds().iterdir()}
    assert "gateway.networking.k8s.io_gateways.yaml" in names
    for path in gateway_api_crds().iterdir():
        assert "kind: CustomResourceDefinition" in path.read_text()
    experimental = gateway_api_crds("experimental") / "gateway.networking.k8s.io_gateways.yaml"
    assert "gateway.networking.k8s.io/channel: experimental" in experimental.read_text()


def test_a_build_that_fails_shows_the_end_of_its_output(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tools: Path
) -> None:
    if shutil.which("go") is None:
        pytest.skip("would install Go first")
    source = tmp_path / "source"
    source.mkdir()
    (source / "go.mod").write_text("module x\n\ngo 1.26.0\n\ntool example.invalid/none\n")
    (source / "go.sum").write_text("")
    monkeypatch.setattr(build, "SOURCE", source)
    monkeypatch.setenv("MESH_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(LabError, match=r"example\.invalid/none"):
        build.toolchain(Silent())
    assert not build.recipe().root().exists()


@pytest.mark.parametrize(
    ("version", "enough"),
    [("go1.25.9", False), ("go1.26.0", True), ("go1.27.3", True), ("go2.0", True), ("x", False)],
)
def test_a_go_is_judged_by_its_version(tmp_path: Path, version: str, enough: bool) -> None:
    go = tmp_path / "go"
    go.write_text(f"#!/bin/sh\necho {version}\n")
    go.chmod(0o755)
    assert golang.new_enough(go) is enough


def test_progress_off_a_terminal_is_a_plain_line_now_and_then() -> None:
    stream = io.StringIO()
    line = Line("building", stream)
    line.tick("one")
    assert stream.getvalue() == ""
    line.spoken -= 60
    line.tick("two")
    line.tick("three")
    line.done("ready")
    assert stream.getvalue() == "building 0:00 two\nbuilding 0:00 ready\n"


def test_progress_on_a_terminal_rewrites_one_line() -> None:
    stream = io.StringIO()
    line = Line("building", stream)
    line.terminal = True
    line.tick("one")
    line.tick("two")
    line.done("ready")
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().count("\r\x1b[K") == 3
