"""docs/adding-a-kind.md, carried out: a kind of another package, from its entry point to its removal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.lab import Lab
from tests.conftest import Tool
from tests.docs.test_docs import fences
from tests.e2e.hands import Mesh, home, swept

ROOT = Path(__file__).parents[2]
STORY = ROOT / "docs" / "adding-a-kind.md"


def blocks(info: str) -> list[str]:
    """The blocks of the document with this info string."""
    return [body for each, _, body in fences(STORY.read_text(encoding="utf-8")) if each == info]


def install(folder: Path) -> None:
    """Put the document's package into a folder as pip would: its module, and its entry points."""
    (package,) = map(tomllib.loads, blocks("toml package"))
    name, version = package["project"]["name"], package["project"]["version"]
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = package["project"]["entry-points"]
    lines = [
        line
        for group, points in groups.items()
        for line in [f"[{group}]", *(f"{point} = {target}" for point, target in points.items())]
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    (folder / "mesh_budget.py").write_text(blocks("python kind")[0])


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site-packages")
    install(folder)
    return folder


def test_the_kind_is_found_by_its_entry_point_and_its_own_tests_pass(package: Path, tmp_path: Path) -> None:
    """The document's own tests pass where the package is installed."""
    (tmp_path / "test_budget.py").write_text(blocks("python pure")[0])
    done = python(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path))
    assert "4 passed" in done.stdout, done.stdout
    code = "from mesh.engine.registry import all_kinds; print(all_kinds()['budget'].__module__)"
    assert python(package, "-c", code).stdout == "mesh_budget\n"


def test_a_mistake_in_the_list_is_reported_with_its_place_in_the_file(package: Path, tmp_path: Path) -> None:
    file = tmp_path / "mesh.yaml"
    listed = yaml.safe_load(blocks("yaml resources")[0])
    listed[0]["spec"]["maxUnavailabel"] = 2
    document = yaml.safe_load((ROOT / "examples" / "two-clusters" / "mesh.yaml").read_text())
    document["spec"]["resources"] = listed
    file.write_text(yaml.safe_dump(document))
    done = python(package, "-m", "mesh", "validate", "-f", str(file))
    assert done.returncode == 1
    assert "spec.resources[0].spec.maxUnavailabel" in done.stderr
    assert "did you mean maxUnavailable?" in done.stderr
    document["spec"]["resources"][0]["kind"] = "budgets"
    file.write_text(yaml.safe_dump(document))
    assert "there is no kind budgets" in python(package, "-m", "mesh", "validate", "-f", str(file)).stderr


def test_the_commands_that_need_no_cluster_know_the_kind(package: Path, tmp_path: Path) -> None:
    document = yaml.safe_load((ROOT / "examples" / "two-clusters" / "mesh.yaml").read_text())
    document["spec"]["resources"] = yaml.safe_load(blocks("yaml resources")[0])
    (tmp_path / "mesh.yaml").write_text(yaml.safe_dump(document))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(package)])}
    told(Mesh(tmp_path, env), "offline")


def python(package: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the package installed."""
    path = os.pathsep.join([str(ROOT), str(package)])
    return subprocess.run(
        [sys.executable, *args],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )


# --- on a cluster ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def applied(
    lab: Lab, kubectl: Tool, package: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mesh]:
    """A mesh of one cluster, applied, in the folder of a user who has installed the package."""
    mesh = home(lab, tmp_path_factory.mktemp("toy") / "home")
    mesh = Mesh(mesh.folder, {**mesh.env, "PYTHONPATH": os.pathsep.join([str(ROOT), str(package)])})
    swept(kubectl, "cluster1")
    mesh.edit(lambda spec: spec.update(clusters=[CLUSTER], links=[]))
    mesh.applied()
    yield mesh
    mesh("destroy", "--yes", "--ignore-enrolled", "--crds")
    kubectl("cluster1", "delete", "clusterrole,clusterrolebinding", "-l", "app=toy", "--ignore-not-found")
    swept(kubectl, "cluster1")


CLUSTER = {
    "name": "cluster1",
    "context": "cluster1",
    "clusterName": "cluster1",
    "network": "cluster1",
    "trustDomain": "cluster1.local",
}
USER = "toy-engineer"


def told(mesh: Mesh, which: str) -> None:
    """Run the commands of a block; the lines below each are in its output, in this order."""
    (block,) = blocks(f"console {which}")
    for part in re.split(r"^\$ mesh ", block, flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        answer = mesh(*command.split())
        assert answer.code == 0, (command, answer)
        rest = answer.out
        for line in filter(None, (part for each in lines for part in each.split("…"))):
            _, found, rest = rest.partition(line)
            assert found, f"{command} does not print {line!r} there:\n{answer.out}"


def user_of(lab: Lab, folder: Path) -> Mapping[str, str]:
    """The environment of someone who has the rights of `USER` and no others."""
    config = yaml.safe_load(lab.kubeconfig.read_text())
    for each in config["users"]:
        each["user"]["as"] = USER
    path = folder / "user.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return {"KUBECONFIG": str(path)}


def grant(mesh: Mesh, kubectl: Tool, verb: str) -> None:
    """Grant what `mesh rbac` prints."""
    rights = mesh("rbac", "--for", verb, "--cluster", "cluster1", "--user", USER)
    assert rights.code == 0, rights
    kubectl("cluster1", "apply", "-f", "-", stdin=rights.out)


def test_every_command_works_with_a_kind_of_another_package(
    applied: Mesh, lab: Lab, kubectl: Tool, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    listed = yaml.safe_load(blocks("yaml resources")[0])
    applied.edit(lambda spec: spec.update(resources=listed))

    # rbac and the check of rights, before anything is written
    user = user_of(lab, tmp_path)
    grant(applied, kubectl, "plan")
    checked = eventually(
        lambda: applied("check", "--only", "P04", env=user),
        until=lambda answer: "poddisruptionbudgets" in answer.out,
        seconds=60,
    )
    assert checked.code == 5, checked
    assert "create/patch poddisruptionbudgets.policy in istio-eastwest" in checked.out
    # plan, apply, why
    told(applied, "plan")
    made = ("get", "pdb", "istio-eastwest", "-n", "istio-eastwest", "-o", "name")
    assert kubectl("cluster1", *made) == "poddisruptionbudget.policy/istio-eastwest\n"

    # a change by hand is drift
    kubectl("cluster1", "patch", *made[1:5], "--type=merge", "-p", '{"spec":{"maxUnavailable":3}}')
    assert "~ spec.maxUnavailable = 3 -> 1" in applied.pending().out

    # the least rights are enough to fix it
    grant(applied, kubectl, "apply")
    applied.applied(env=user)
    applied.settled()

    # another name for the cluster
    listed[0] |= {"cluster": "west", "needs": ["gateway/west/istio-eastwest"]}
    applied.edit(lambda spec: spec.update(clusters=[{**CLUSTER, "name": "west"}], resources=listed))
    told(applied, "rename")
    applied.applied()

    # not wanted any more
    applied.edit(lambda spec: spec.pop("resources"))
    told(applied, "remove")
    applied.applied()
    assert kubectl("cluster1", *made, "--ignore-not-found") == ""

    # destroy
    applied.edit(lambda spec: spec.update(resources=listed))
    applied.applied()
    destroyed = applied("destroy", "--yes", "--ignore-enrolled")
    assert destroyed.code == 0, destroyed
    assert "budget/west/istio-eastwest" in destroyed.out
    assert kubectl("cluster1", "get", "pdb", "-A", "-o", "name", "-l", "meshform.io/mesh") == ""
