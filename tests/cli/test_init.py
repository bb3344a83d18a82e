"""`mesh init` writes a starter that is valid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mesh.cli.init import init_command
from mesh.cli.validate import validate_command
from mesh.config.decode import schema_text
from mesh.errors import InputError, UsageError
from tests.cli.folder import run

pytestmark = pytest.mark.usefixtures("folder")

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: kind-cluster1
contexts:
- name: kind-cluster1
  context: {cluster: a, user: a}
- name: kind-cluster2
  context: {cluster: b, user: b}
users:
- name: a
  user: {exec: {expirationTimestamp: 2024-01-01}}
"""


def test_init_writes_a_file_that_validates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(KUBECONFIG)
    run(init_command)
    first = Path("mesh.yaml").read_text().splitlines()[0]
    assert Path(first.removeprefix("# yaml-language-server: $schema=")).read_text() == schema_text()
    run(validate_command)
    assert capsys.readouterr().out == (
        "mesh.yaml: cluster1, cluster2; remove the clusters that do not belong to the mesh\n"
        "mesh.yaml: valid: mesh my-mesh, Istio 1.30.2-solo, 2 clusters, 2 links\n"
    )


def test_init_reads_every_file_of_the_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").write_text(KUBECONFIG)
    (tmp_path / "two").write_text(KUBECONFIG.replace("kind-cluster2", "kind-cluster3"))
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/one:{tmp_path}/gone:{tmp_path}/two")
    run(init_command)
    text = Path("mesh.yaml").read_text()
    assert [f"kind-cluster{n}" in text for n in (1, 2, 3)] == [True, True, True]


def test_init_takes_the_contexts_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(KUBECONFIG)
    run(
        init_command,
        "--kubeconfig",
        str(tmp_path / "config"),
        "--context",
        "east=kind-cluster2",
        "--name",
        "prod",
    )
    text = Path("mesh.yaml").read_text()
    assert "- name: east\n      context: kind-cluster2\n" in text
    assert "kind-cluster1" not in text
    assert "kubeconfig: ~/config" in text.replace('"', "")
    run(validate_command)


def test_init_without_a_kubeconfig_says_what_to_change(capsys: pytest.CaptureFixture[str]) -> None:
    run(init_command)
    run(validate_command)
    assert (
        "found no contexts in a kubeconfig; edit the contexts of cluster1, cluster2"
        in capsys.readouterr().out
    )


def test_init_does_not_replace_a_file_unasked() -> None:
    Path("mesh.yaml").write_text("mine")
    with pytest.raises(UsageError, match="already exists"):
        run(init_command)
    assert Path("mesh.yaml").read_text() == "mine"
    run(init_command, "--force")
    assert Path("mesh.yaml").read_text() != "mine"


def test_init_refuses_a_context_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(KUBECONFIG)
    with pytest.raises(UsageError, match="there is no context cluster9 in the kubeconfig"):
        run(init_command, "--kubeconfig", str(tmp_path / "config"), "--context", "cluster9")


def test_init_says_what_is_wrong_with_a_kubeconfig(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        run(init_command, "--kubeconfig", str(tmp_path / "none"))
    (tmp_path / "config").write_text("{")
    with pytest.raises(InputError, match="is not valid YAML"):
        run(init_command, "--kubeconfig", str(tmp_path / "config"))


def contexts(path: Path, *names: str) -> str:
    path.write_text(json.dumps({"contexts": [{"name": name, "context": {}} for name in names]}))
    return str(path)


def test_many_contexts_are_taken_only_if_asked_for(tmp_path: Path) -> None:
    config = contexts(tmp_path / "config", *(f"c{number}" for number in range(13)))
    with pytest.raises(UsageError, match="has 13 contexts") as error:
        run(init_command, "--kubeconfig", config)
    assert "--context NAME" in error.value.hint
    assert not Path("mesh.yaml").exists()
    run(init_command, "--kubeconfig", config, "--yes")
    assert Path("mesh.yaml").read_text().count("context: c") == 13


def test_a_context_that_cannot_be_named_is_not_dropped_in_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = contexts(tmp_path / "config", "my cluster", "east")
    run(init_command, "--kubeconfig", config)
    err = capsys.readouterr().err
    assert "Warning: context 'my cluster' is left out" in err
    assert "kubectl config rename-context 'my cluster' NEW-NAME" in err
    with pytest.raises(UsageError, match="context 'my cluster' is left out"):
        run(init_command, "--kubeconfig", config, "--context", "my cluster", "--force")


def test_two_contexts_of_one_name_are_refused(tmp_path: Path) -> None:
    config = contexts(tmp_path / "config", "kind-a", "k3d-a")
    with pytest.raises(UsageError, match="two contexts get the name x"):
        run(init_command, "--kubeconfig", config, "--context", "x=kind-a", "--context", "x=k3d-a")


def test_a_dash_is_stdout_and_writes_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(init_command, "--kubeconfig", contexts(tmp_path / "config", "east"), "-f", "-")
    assert "context: east" in capsys.readouterr().out
    assert list(Path().iterdir()) == []


def test_an_empty_kubeconfig_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("\n")
    with pytest.raises(UsageError, match="config is empty: it is a kubeconfig without contexts"):
        run(init_command, "--kubeconfig", str(tmp_path / "config"))


def test_the_folder_of_mesh_is_private_and_ignored_by_git(tmp_path: Path) -> None:
    run(init_command, "--kubeconfig", contexts(tmp_path / "config", "east"))
    assert Path(".mesh").stat().st_mode & 0o777 == 0o700
    assert Path(".mesh/.gitignore").read_text() == "*\n"
