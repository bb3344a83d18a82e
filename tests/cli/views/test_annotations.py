"""Mistakes as annotations: at their lines, and as nothing else whatever a file has in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.cli.views.annotations import MOST, annotated

FOLDER = Path("/builds/meshes/mesh")
GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "/builds/meshes"}
AZURE = {"TF_BUILD": "True", "BUILD_SOURCESDIRECTORY": "/builds/meshes"}
ERROR = "mesh.yaml:36:3: spec.linkz: unknown key: did you mean links?\nerror: 1 problem\n"


@pytest.mark.parametrize(
    ("forge", "env", "wanted"),
    [
        (
            "github",
            GITHUB,
            "::error file=mesh/mesh.yaml,line=36,col=3::spec.linkz: unknown key: did you mean links?",
        ),
        (
            "azure",
            AZURE,
            "##vso[task.logissue type=error;sourcepath=mesh/mesh.yaml;linenumber=36;columnnumber=3]"
            "spec.linkz: unknown key: did you mean links?",
        ),
    ],
)
def test_a_mistake_stands_at_its_line(forge: str, env: dict[str, str], wanted: str) -> None:
    assert annotated(ERROR, forge, env, FOLDER) == (wanted,)


def test_where_no_pipeline_reads_them_there_are_none() -> None:
    assert annotated(ERROR, "github", {}, FOLDER) == ()
    assert annotated(ERROR, "gitlab", {"GITLAB_CI": "true"}, FOLDER) == ()
    assert annotated("error: cluster1 cannot be reached\n", "github", GITHUB, FOLDER) == ()


def test_only_so_many_are_printed() -> None:
    assert len(annotated(ERROR * 200, "gitea", GITHUB, FOLDER)) == MOST


@given(st.text(), st.text())
def test_no_text_becomes_a_command_or_a_property(name: str, text: str) -> None:
    error = f"{name}:1:2: {text}"
    for line in annotated(error, "github", GITHUB, FOLDER):
        head, _, rest = line.removeprefix("::error ").partition("::")
        assert [part.partition("=")[0] for part in head.split(",")] == ["file", "line", "col"]
        assert "\n" not in rest
        assert "\r" not in rest
    for line in annotated(error, "azure", AZURE, FOLDER):
        head, _, _ = line.removeprefix("##vso[task.logissue ").partition("]")
        names = [part.partition("=")[0] for part in head.split(";")]
        assert names == ["type", "sourcepath", "linenumber", "columnnumber"]
        assert len(line.splitlines()) == 1
