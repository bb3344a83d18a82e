"""What is not the output of helm is a normal error that names release and cluster, and the next move."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mesh.errors import HelmError
from mesh.model.bounded_text import Unfit
from mesh.world import HelmJob
from mesh.world.helm.client import HelmCli, connect
from mesh.world.helm.errors import HelmMissing, HelmStopped, HelmUnheard, RenderFailed
from mesh.world.helm.output import release_told, rendering
from tests.support.kubeconfigs import script

JOB = HelmJob("istiod", "istio-system", "istiod", "", "1.0.0", {"x": "y"})
NOISE = {
    "noise that is not UTF-8": "printf '\\377\\376\\200\\000noise'",
    "nothing": "true",
    "blank lines": "echo; echo",
    "JSON that is cut off": """echo '{"name": "istiod", "info": {"sta'""",
    "text": "echo Happy Helming",
    "deep JSON": "head -c 200000 /dev/zero | tr '\\\\0' '['",
    "much": "head -c 40000000 /dev/zero | tr '\\\\0' '{'",
}


def helm(folder: Path, does: str, timeout: float = 60.0) -> HelmCli:
    """Return a helm that prints its version, and for any other command does as told."""
    program = script(folder / "helm", f'[ "$1" = version ] && echo v4.2.4 && exit\nexec 3>&- 4>&-\n{does}')
    env = {"MESH_HELM": str(program), "PATH": os.environ["PATH"], "HOME": str(folder)}
    return connect([("east", "prod", "")], env, run_dir=folder / "run", timeout=timeout)["east"]


@pytest.mark.parametrize("noise", NOISE)
def test_an_upgrade_that_prints_anything_else_names_release_cluster_and_the_next_move(
    noise: str, tmp_path: Path
) -> None:
    with pytest.raises(HelmUnheard, match=r"cluster east \(context prod\).*istiod in istio-system") as error:
        helm(tmp_path, NOISE[noise]).upgrade(JOB)
    assert "MESH_HELM" in error.value.hint
    assert len(error.value.message) < 400


@pytest.mark.parametrize("noise", sorted(NOISE.keys() - {"nothing", "blank lines"}))
def test_a_rendering_that_is_anything_else_names_release_and_cluster(noise: str, tmp_path: Path) -> None:
    with pytest.raises(HelmError, match=r"cluster east \(context prod\).*istiod in istio-system") as error:
        helm(tmp_path, NOISE[noise]).template(JOB, kube_version="1.33", upgrade=False)
    assert isinstance(error.value, RenderFailed | HelmUnheard)
    assert error.value.hint


def test_a_helm_that_prints_for_ever_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(HelmUnheard, match="printed more than 32 MiB"):
        helm(tmp_path, "exec yes '{'").upgrade(JOB)


def test_a_helm_that_complains_for_ever_is_stopped_at_its_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mesh.world.helm.command.GRACE", 0.1)
    with pytest.raises(HelmStopped, match="longer than"):
        helm(tmp_path, "exec yes >&2", timeout=0.2).upgrade(JOB)


@pytest.mark.parametrize("says", ["printf '\\377\\376'", "exec yes", "exit 1", "true"])
def test_a_helm_without_a_version_is_not_used(says: str, tmp_path: Path) -> None:
    program = script(tmp_path / "helm", says)
    env = {"MESH_HELM": str(program), "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    with pytest.raises(HelmMissing):
        connect([("east", "prod", "")], env, run_dir=tmp_path / "run")["east"].upgrade(JOB)


def test_lines_before_the_json_are_those_about_a_registry() -> None:
    assert release_told(b'Pulled: x\n{"name": "x"}') == b'{"name": "x"}'


def test_every_document_of_a_rendering_is_an_object() -> None:
    text = b"---\n# Source: x\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
    assert [each["kind"] for each in rendering(text)] == ["ConfigMap"]
    for odd in (
        b"a: 1",
        b"Happy Helming",
        b"kind: 5\napiVersion: v1",
        b"kind: A\napiVersion: v1\nmetadata: []",
    ):
        with pytest.raises(Unfit):
            rendering(odd)
