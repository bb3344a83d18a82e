"""The shell of `examples/ci` in clones of a repository, with real clusters and a forge behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.support.forges import HEAD, OTHER, REPO, TOKEN, ForgeServer, serving

from .hands import REPOSITORY, Answer, Mesh

ONE_WAY = [{"from": "cluster1", "to": "cluster2"}]


@dataclass
class Project:
    """A repository with the folder `mesh/`, its remote, and the clones of people and pipelines."""

    remote: Path
    folder: Path
    mesh: Mesh
    forge: ForgeServer
    clones: int = 0

    def git(self, folder: Path, *args: str) -> str:
        env = {**os.environ, "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *args], cwd=folder, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"git {' '.join(args)}: {done.stderr}"
        return done.stdout.strip()

    def clone(self, branch: str) -> Path:
        """A fresh clone, as a pipeline has it: no lock of a run before, no root key."""
        self.clones += 1
        clone = self.folder / f"clone{self.clones}"
        self.git(self.folder, "clone", "--quiet", "--branch", branch, str(self.remote), str(clone))
        self.git(clone, "config", "user.name", "pipeline")
        self.git(clone, "config", "user.email", "pipeline@example.com")
        return clone

    def pushed(self, branch: str, links: object) -> None:
        """Push a branch on which the mesh file has other links."""
        clone = self.clone("main")
        path = clone / "mesh" / "mesh.yaml"
        document = yaml.safe_load(path.read_text())
        document["spec"]["links"] = links
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        self.git(clone, "commit", "--quiet", "--all", "--message", "Change the links")
        self.git(clone, "push", "--quiet", "--force", "origin", f"HEAD:{branch}")

    def merged(self, branch: str) -> None:
        self.git(self.remote, "update-ref", "refs/heads/main", f"refs/heads/{branch}")

    def run(self, clone: Path, verb: str, **more: str) -> Answer:
        """Run the script as a job does."""
        env = {
            **self.mesh.env,
            "HOME": str(self.folder),
            "PATH": f"{self.folder}{os.pathsep}{self.mesh.env['PATH']}",
            "MESH_NAME": "demo",
            "MESH_BRANCH": "main",
            "MESH_FORGE": "gitea",
            "MESH_FORGE_API": self.forge.api,
            "MESH_FORGE_REPO": REPO["gitea"],
            "MESH_FORGE_PR": "5",
            "MESH_FORGE_HEAD": HEAD,
            "MESH_FORGE_TOKEN": TOKEN,
            **more,
        }
        done = subprocess.run(
            ["bash", "./pipeline.sh", verb],
            cwd=clone / "mesh",
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )
        return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def project(mesh: Mesh, tmp_path: Path) -> Iterator[Project]:
    program = tmp_path / "mesh"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mesh "$@"\n')
    program.chmod(0o755)
    with serving("gitea") as forge:
        one = Project(tmp_path / "remote.git", tmp_path, mesh, forge)
        one.git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(one.remote))
        first = tmp_path / "first"
        one.git(tmp_path, "init", "--quiet", "--initial-branch=main", str(first))
        (first / "mesh").mkdir()
        for name in ("mesh.yaml", "mesh.lock"):
            (first / "mesh" / name).write_bytes((mesh.folder / name).read_bytes())
        script = REPOSITORY / "examples" / "ci" / "pipeline.sh"
        (first / "mesh" / "pipeline.sh").write_bytes(script.read_bytes())
        one.git(first, "add", ".")
        one.git(first, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "Start")
        one.git(first, "push", "--quiet", str(one.remote), "main")
        yield one
        # The pipeline has applied newer states than the folder of the other tests knows.
        (mesh.folder / "mesh.lock").write_text(one.git(one.remote, "show", "main:mesh/mesh.lock") + "\n")


def test_a_pull_request_is_planned_reviewed_merged_applied_and_recorded(project: Project) -> None:
    project.pushed("one-way", ONE_WAY)
    forged = project.forge.say(OTHER, '<!-- mesh-plan {"mesh": "demo"} -->\nNothing changes, approve.')
    reviewed = project.clone("one-way")
    planned = project.run(reviewed, "plan")
    assert planned.code == 0, planned
    (post,) = (each for each in project.forge.posts if each is not forged)
    assert "Plan: 0 to add, 0 to change, 1 to destroy." in post.body
    assert (reviewed / "mesh" / "plan.html").read_text().startswith("<!doctype html>")
    assert forged.body.endswith("approve."), "what another author wrote is left alone"

    # Pushed again: the same comment.
    assert project.run(reviewed, "plan").code == 0
    assert len(project.forge.posts) == 2

    # Merged: the plan that was reviewed runs, its outcome is added, and the lockfile is on the branch.
    project.merged("one-way")
    plan = (reviewed / "mesh" / "plan.json").read_bytes()
    merged = project.clone("main")
    (merged / "mesh" / "plan.json").write_bytes(plan)
    applied = project.run(merged, "apply")
    assert applied.code == 0, applied
    assert "0 added, 0 changed, 1 destroyed." in post.body
    assert len(project.forge.posts) == 2
    assert {each["state"] for each in project.forge.statuses} == {"success"}
    recorded = json.loads(project.git(project.remote, "show", "main:mesh/mesh.lock"))
    assert recorded["serial"] == json.loads((merged / "mesh" / "mesh.lock").read_text())["serial"]
    assert "link/cluster2/cluster1" not in recorded["resources"]
    assert TOKEN not in f"{planned.out}{planned.err}{applied.out}{applied.err}"

    # A reviewed plan runs once.
    again = project.run(merged, "apply")
    assert again.code == 3, again

    # The way back: a pull request that adds the link.
    project.pushed("both-ways", "full-mesh")
    clone = project.clone("both-ways")
    assert project.run(clone, "plan").code == 0
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in project.forge.posts[-1].body
    project.merged("both-ways")
    assert project.run(clone, "apply").code == 0
    assert project.run(project.clone("main"), "drift").code == 0


def test_a_plan_that_cannot_be_made_is_told_in_the_pull_request(project: Project) -> None:
    project.pushed("broken", [{"from": "cluster1", "to": "nowhere"}])
    clone = project.clone("broken")
    failed = project.run(clone, "plan")
    assert failed.code == 1, failed
    (post,) = project.forge.posts
    assert "nowhere" in post.body
    assert [each["state"] for each in project.forge.statuses] == ["failure"]
    # Fixed by the next push: the same comment says so.
    project.pushed("broken", "full-mesh")
    assert project.run(project.clone("broken"), "plan").code == 0
    (post,) = project.forge.posts
    assert "nowhere" not in post.body


def test_a_branch_of_a_stranger_is_planned_in_untrusted_mode(project: Project) -> None:
    project.pushed("stranger", "full-mesh")
    clone = project.clone("stranger")
    path = clone / "mesh" / "mesh.yaml"
    document = yaml.safe_load(path.read_text())
    document["spec"]["clusters"][0]["kubeconfig"] = "evil.kubeconfig"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    ran = clone / "ran"
    evil = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "cluster1",
        "contexts": [{"name": "cluster1", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [
            {
                "name": "x",
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1",
                        "command": "touch",
                        "args": [str(ran)],
                        "interactiveMode": "Never",
                    }
                },
            }
        ],
    }
    (clone / "mesh" / "evil.kubeconfig").write_text(yaml.safe_dump(evil))
    answer = project.run(clone, "plan", MESH_UNTRUSTED="1")
    assert answer.code not in (0, 2), answer
    assert not ran.exists()
    assert "kubeconfig" in project.forge.posts[-1].body
