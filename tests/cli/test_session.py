"""What the files of a branch may make mesh do: with `--untrusted`, and without it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mesh.errors import RefusedError
from mesh.state.lockfile import ClusterIdentity, fresh, to_text
from tests.cli.unreachable import Answer, Unreachable
from tests.support.kubeconfigs import config, plugin, script, write

VERBS = [
    ["validate"],
    ["plan"],
    ["check"],
    ["status"],
    ["show"],
    ["show", "--manifests"],
    ["render", "--commands"],
    ["rbac", "--for", "plan", "--cluster", "cluster1"],
    ["history"],
    ["output"],
    ["why", "namespace/cluster1/istio-system"],
    ["state", "show"],
    ["apply", "--yes"],
    ["destroy", "--yes"],
]


@pytest.fixture
def branch(unreachable: Unreachable, monkeypatch: pytest.MonkeyPatch) -> Unreachable:
    """A checkout with a program of a stranger; the kubeconfig of the pipeline is outside."""
    folder = unreachable.folder
    (folder / "repo" / ".git").mkdir(parents=True)
    (folder / "mesh.yaml").rename(folder / "repo" / "mesh.yaml")
    script(folder / "repo" / "evil.sh", f'touch "{folder}/PWNED"; env > "{folder}/ENV"')
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.chdir(folder / "repo")
    return unreachable


def edit(unreachable: Unreachable, old: str, new: str) -> None:
    path = unreachable.folder / "repo" / "mesh.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def pwned(unreachable: Unreachable) -> bool:
    return (unreachable.folder / "PWNED").exists()


def lockfile(folder: Path, kubeconfig: str) -> None:
    """Write a lockfile that records a cluster which left the mesh file, with its kubeconfig."""
    who = ClusterIdentity("q", "zz", "zz", "zz", context="x", kubeconfig=kubeconfig)
    (folder / "mesh.lock").write_text(to_text(replace(fresh("demo"), clusters={"zz": who})))


@pytest.mark.parametrize("options", [[], ["--untrusted"]])
@pytest.mark.parametrize("verb", [["plan"], ["check"], ["history"], ["state", "show"], ["status"]])
def test_a_kubeconfig_that_a_lockfile_chose_runs_no_program(
    branch: Unreachable, verb: list[str], options: list[str]
) -> None:
    repo = branch.folder / "repo"
    write(repo / "ci-values.txt", config("x", plugin("./evil.sh")))
    lockfile(repo, "ci-values.txt")
    answer = branch(*verb, *options)
    assert answer.code == RefusedError.exit_code, answer.err
    assert "only mesh.lock names its kubeconfig ci-values.txt" in answer.err
    assert not pwned(branch)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_an_untrusted_mesh_file_chooses_no_kubeconfig(branch: Unreachable, verb: list[str]) -> None:
    write(branch.folder / "repo" / "kube", config("kind-cluster1", plugin("./evil.sh")))
    edit(branch, "    context: cluster2\n", "    context: cluster2\n      kubeconfig: kube\n")
    answer = branch(*verb, "--untrusted")
    assert answer.code == 1
    assert "kubeconfig kube cannot be used in an untrusted mesh file" in answer.err
    assert not pwned(branch)


def test_a_kubeconfig_that_the_pipeline_names_too_may_be_in_the_mesh_file(branch: Unreachable) -> None:
    edit(branch, "    context: cluster2\n", "    context: cluster2\n      kubeconfig: ../config\n")
    assert branch("validate", "--untrusted").code == 0


def test_a_kubeconfig_inside_the_checkout_is_refused_even_from_the_environment(
    branch: Unreachable, monkeypatch: pytest.MonkeyPatch
) -> None:
    kube = write(branch.folder / "repo" / "kube", config("x", plugin("./evil.sh")))
    monkeypatch.setenv("KUBECONFIG", str(kube))
    answer = branch("status", "--untrusted")
    assert answer.code == RefusedError.exit_code
    assert "inside the checkout" in answer.err


SECRET = "-----BEGIN PRIVATE KEY-----"


def values_file(repo: Path) -> str:
    return "  defaults:\n    valuesFiles:\n      istiod: [../secret]\n"


def linked_values(repo: Path) -> str:
    (repo / "values.yaml").symlink_to("../secret")
    return "  defaults:\n    valuesFiles:\n      istiod: [values.yaml]\n"


def home_values(repo: Path) -> str:
    return "  defaults:\n    valuesFiles:\n      istiod: [~/secret]\n"


def signer(repo: Path) -> str:
    return "  rootOfTrust:\n    ca:\n      command: [./evil.sh]\n"


def authority(repo: Path) -> str:
    return "  rootOfTrust:\n    ca:\n      files: {cert: ../secret, key: ../secret}\n"


def root_key(repo: Path) -> str:
    return "  rootOfTrust:\n    ca:\n      generate: {keyFile: ../secret}\n"


def backup(repo: Path) -> str:
    return "  rootOfTrust:\n    migrate: restart\n    migrateBackup: ../backup\n"


def crds(repo: Path) -> str:
    return "  gatewayAPI:\n    source: ../secret\n"


def foreign_crds(repo: Path) -> str:
    return f"  gatewayAPI:\n    source: https://evil.example/crds\n    sha256: {'0' * 64}\n"


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (values_file, "../secret is outside the folder of the mesh file"),
        (linked_values, "values.yaml is outside the folder of the mesh file"),
        (home_values, "~/secret is outside the folder of the mesh file"),
        (signer, "cannot run a program in an untrusted mesh file"),
        (authority, "../secret is outside the folder of the mesh file"),
        (root_key, "../secret is outside the folder of the mesh file"),
        (backup, "../backup is outside the folder of the mesh file"),
        (crds, "../secret is outside the folder of the mesh file"),
        (foreign_crds, "is not one of the sources that an untrusted mesh file"),
    ],
)
@pytest.mark.parametrize(
    "verb", [["validate"], ["plan"], ["show", "--manifests"], ["render", "--commands"]], ids=" ".join
)
def test_an_untrusted_mesh_file_uses_no_file_outside_its_folder_and_runs_no_program(
    branch: Unreachable,
    monkeypatch: pytest.MonkeyPatch,
    part: Callable[[Path], str],
    says: str,
    verb: list[str],
) -> None:
    monkeypatch.setenv("HOME", str(branch.folder))
    monkeypatch.setenv("MESH_UNTRUSTED", "1")
    (branch.folder / "secret").write_text(f"pem: |\n  {SECRET}\n")
    path = branch.folder / "repo" / "mesh.yaml"
    text, more = path.read_text(), part(branch.folder / "repo")
    if "rootOfTrust" in more:
        text = re.sub(r"  rootOfTrust:\n(    .*\n)+", "", text)
    path.write_text(text + more)
    answer = branch(*verb)
    assert answer.code == 1
    assert says in answer.err
    assert SECRET not in answer.err + answer.out
    assert not pwned(branch)


@pytest.mark.parametrize(
    ("istio", "says"),
    [
        ("charts: {source: oci://evil.example/charts}", "is not one of the sources"),
        ("charts: {ztunnel: {source: https://evil.example/charts}}", "is not one of the sources"),
        ("charts: {source: ../charts}", "is outside the folder of the mesh file"),
        ("charts: {source: charts}", "contains a link to a folder, or out of the mesh file's folder: notes"),
    ],
)
def test_an_untrusted_mesh_file_takes_charts_only_from_allowed_sources(
    branch: Unreachable, istio: str, says: str
) -> None:
    for name in ("base", "istiod", "cni", "ztunnel"):
        for top in ("repo/charts", "charts"):
            (branch.folder / top / name).mkdir(parents=True)
            (branch.folder / top / name / "Chart.yaml").write_text(f"name: {name}\nversion: 1.30.2-solo\n")
    (branch.folder / "repo" / "charts" / "ztunnel" / "notes").symlink_to("/etc/passwd")
    edit(branch, "  istio:\n", f"  istio:\n    {istio}\n")
    answer = branch("validate", "--untrusted")
    assert answer.code == 1
    assert says in answer.err
    assert branch("validate").code == (0 if "://" in istio or "charts}" in istio else 1)


def test_a_pipeline_allows_chart_sources_by_name(
    branch: Unreachable, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(branch, "  istio:\n", "  istio:\n    charts: {source: oci://mirror.example/istio/charts}\n")
    monkeypatch.setenv("MESH_CHART_SOURCES", "oci://mirror.example/istio")
    assert branch("--untrusted", "validate").code == 0


def test_an_untrusted_mesh_file_reads_only_a_variable_for_a_licence(branch: Unreachable) -> None:
    edit(branch, "GLOO_MESH_LICENSE_KEY", "AWS_SECRET_ACCESS_KEY")
    answer = branch("validate", "--untrusted")
    assert "AWS_SECRET_ACCESS_KEY is not the name of a licence variable" in answer.err
    assert branch("validate").code == 0


SHADOW = "root:$y$j9T$salt$hash:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n"


@pytest.mark.parametrize("options", [[], ["--untrusted"]])
def test_a_mesh_file_that_is_a_link_prints_nothing_of_a_foreign_file(
    branch: Unreachable, options: list[str]
) -> None:
    (branch.folder / "shadow").write_text(SHADOW)
    (branch.folder / "repo" / "mesh.yaml").unlink()
    (branch.folder / "repo" / "mesh.yaml").symlink_to("../shadow")
    answer: Answer = branch("validate", *options)
    assert answer.code == 1
    assert "is a link" in answer.err
    assert "19000" not in answer.err


def test_a_mesh_file_behind_a_link_works_where_it_is_trusted(branch: Unreachable) -> None:
    path = branch.folder / "repo" / "mesh.yaml"
    path.rename(branch.folder / "real.yaml")
    path.symlink_to("../real.yaml")
    assert branch("validate").code == 0


def test_the_folder_of_mesh_may_not_be_a_link(branch: Unreachable) -> None:
    (branch.folder / "target").mkdir()
    (branch.folder / "repo" / ".mesh").symlink_to("../target")
    answer = branch("apply", "--yes", "--untrusted")
    assert answer.code == 1
    assert ".mesh is a link" in answer.err
    assert list((branch.folder / "target").iterdir()) == []


@pytest.mark.parametrize("name", ["mesh.yaml", "mesh.lock", "values.yaml", "licence", "cert.pem"])
def test_a_fifo_for_an_input_file_is_refused_by_name(branch: Unreachable, name: str) -> None:
    repo = branch.folder / "repo"
    path = repo / "mesh.yaml"
    edit(branch, "env: GLOO_MESH_LICENSE_KEY", "file: licence")
    text = re.sub(r"  rootOfTrust:\n(    .*\n)+", "", path.read_text())
    files = "  rootOfTrust:\n    ca:\n      files: {cert: cert.pem, key: key.pem}\n"
    path.write_text(f"{text}{files}  defaults:\n    valuesFiles:\n      istiod: [values.yaml]\n")
    for each in ("licence", "values.yaml", "cert.pem", "key.pem"):
        (repo / each).write_text("a: b\n")
    (repo / name).unlink(missing_ok=True)
    os.mkfifo(repo / name)
    answer = branch("plan")
    assert answer.code == 1
    assert f"{name}" in answer.err
    assert "FIFO" in answer.err or "not a regular file" in answer.err


READING = [verb for verb in VERBS if verb[0] not in {"apply", "destroy"}]


@pytest.mark.parametrize("verb", READING, ids=" ".join)
def test_a_command_that_reads_writes_nothing_beside_the_mesh_file(
    unreachable: Unreachable, monkeypatch: pytest.MonkeyPatch, verb: list[str]
) -> None:
    monkeypatch.chdir(unreachable.folder)
    before = sorted(unreachable.folder.rglob("*"))
    unreachable(*verb)
    assert sorted(unreachable.folder.rglob("*")) == before
