"""`mesh init`, `mesh validate` and `mesh schema`, as a user meets them."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.cli.init import init_command
from mesh.cli.schema import schema_command
from mesh.cli.validate import validate_command
from mesh.config.decode import decode, schema_text
from mesh.config.source.load import parse
from mesh.config.starter import StarterCluster, entries, label, starter, word
from mesh.errors import InputError, MeshError, UsageError

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


def run(command: click.Command, *args: str) -> None:
    command.main(list(args), standalone_mode=False)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "My Mesh"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    for name in ("MESH_FILE", "MESH_CHART_SOURCE", "MESH_GATEWAY_API_SOURCE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("context", "name"),
    [
        ("kind-cluster1", "cluster1"),
        ("k3d-dev", "dev"),
        ("cluster1", "cluster1"),
        ("arn:aws:eks:eu-west-1:123456789012:cluster/Prod_EU", "prod-eu"),
        ("gke_project_europe-west1-b_main", "main"),
        ("me@prod.eu-west-1.eksctl.io", "prod"),
        ("kubernetes-admin@east", "east"),
        ("kubernetes-admin@kubernetes", "kubernetes-2"),
        ("default/api-x:6443/kube:admin", "default-api-x-6443-kube-admin"),
        ("Ω", "cluster"),
        ("x" * 80, "x" * 63),
    ],
)
def test_a_cluster_is_named_without_what_its_tool_put_around_it(context: str, name: str) -> None:
    assert entries([context]) == (StarterCluster(name, context),)


def test_names_are_given_once() -> None:
    assert [one.name for one in entries(["kind-a", "k3d-a", "a"])] == ["a", "a-2", "a-3"]


@pytest.mark.parametrize("text", ["no", "010", "a: b", "#x", "", "1.30", "é", "-", "@x", "a b"])
def test_a_word_reads_back_as_itself(text: str) -> None:
    assert parse(f"a: {word(text)}\n".encode(), "f").data == {"a": text}


@given(st.lists(st.text(max_size=70), max_size=6))
def test_any_contexts_give_a_valid_file(contexts: list[str]) -> None:
    found = entries(contexts) or (StarterCluster("cluster1", "cluster1"),)
    mesh = decode(parse(starter("prod", found).encode(), "mesh.yaml"))
    assert [(one.name, one.context) for one in mesh.clusters] == [(one.name, one.context) for one in found]


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


def test_validate_needs_no_cluster_and_takes_overrides(capsys: pytest.CaptureFixture[str]) -> None:
    run(init_command)
    run(validate_command, "--context", "cluster1=other")
    with pytest.raises(UsageError, match="there is no cluster cluster9"):
        run(validate_command, "--context", "cluster9=other")
    with pytest.raises(InputError, match="no such file"):
        run(validate_command, "-f", "none.yaml")


def test_schema_prints_or_writes_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    run(schema_command)
    assert capsys.readouterr().out == schema_text()
    run(schema_command, "--out", "schemas/mesh.json")
    assert Path("schemas/mesh.json").read_text() == schema_text()


@pytest.mark.parametrize("target", ["file/mesh.yaml", "folder"])
def test_a_place_that_cannot_be_written_is_an_error_like_any_other(target: str) -> None:
    Path("file").write_text("")
    Path("folder").mkdir()
    for command, option in ((init_command, "--file"), (schema_command, "--out")):
        with pytest.raises((MeshError, click.UsageError)):
            run(command, option, target)


def test_labels_keep_what_they_can() -> None:
    assert label("--Ünder_score--") == "nder-score"
